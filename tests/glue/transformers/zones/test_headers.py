"""The first line of a meter file out of its first bytes."""

from __future__ import annotations

import gzip

import pytest
from transformers.zones import headers

HEADER = "LCLid,tstp,energy(kWh/hh)"


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_the_first_line_is_found_plain_and_packed(end: str, mark: str) -> None:
    content = f"{mark}{HEADER}{end}MAC000002,2013-01-01 00:00:00,1{end}".encode()
    assert headers.first_line(content, "s3://b/a.csv", complete=True) == HEADER
    assert headers.first_line(gzip.compress(content), "s3://b/a.csv.gz", complete=True) == HEADER


def test_the_spaces_of_a_header_belong_to_its_line_but_not_to_its_columns() -> None:
    line = headers.first_line(b"LCLid,DateTime,KWH/hh (per half hour) \r\n", "s3://b/a.csv", complete=True)
    assert line == "LCLid,DateTime,KWH/hh (per half hour) "
    assert headers.columns(line) == ("LCLid", "DateTime", "KWH/hh (per half hour)")


def test_a_header_without_a_line_end_is_found_if_nothing_follows() -> None:
    assert headers.first_line(HEADER.encode(), "s3://b/a.csv", complete=True) == HEADER
    assert headers.first_line(gzip.compress(HEADER.encode()), "s3://b/a.csv.gz", complete=True) == HEADER


def test_the_beginning_of_a_packed_file_is_enough() -> None:
    noise = "".join(f"{number * 7919 % 10007}," for number in range(20_000))
    begin = gzip.compress(f"{HEADER}\n{noise}".encode())[:300]
    assert headers.first_line(begin, "s3://b/a.csv.gz", complete=False) == HEADER


@pytest.mark.parametrize("content", [b"", b"\r\n", b" \n\n", "\ufeff".encode()])
def test_a_file_of_nothing_has_no_first_line(content: bytes) -> None:
    assert headers.first_line(content, "s3://b/a.csv", complete=True) is None
    assert headers.first_line(gzip.compress(content), "s3://b/a.csv.gz", complete=True) is None


def test_bytes_that_are_no_text_give_a_line_that_nobody_knows() -> None:
    assert headers.first_line(b"LCL\xffid,tstp\n", "s3://b/a.csv", complete=True) == "LCL\ufffdid,tstp"


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        (
            gzip.compress(b"a,b\n", mtime=0),
            "s3://b/a.csv",
            "a.csv is a gzip file, .* Deliver it under a name ending in .gz",
        ),
        (b"a,b\n", "s3://b/a.csv.gz", "a.csv.gz is no gzip file, .* Deliver it under a name without .gz"),
        (gzip.compress(b"a,b\n", mtime=0)[:10] + b"\xff" * 50, "s3://b/a.csv.gz", "a.csv.gz is a damaged gzip file"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_named(content: bytes, name: str, message: str) -> None:
    with pytest.raises(headers.HeaderError, match=message):
        headers.first_line(content, name, complete=True)


def test_a_first_line_without_end_is_no_header() -> None:
    with pytest.raises(headers.HeaderError, match="s3://b/a.csv does not end within 2,000 bytes"):
        headers.first_line(b"x" * 2000, "s3://b/a.csv", complete=False)


def test_an_unknown_header_is_told_with_file_columns_and_the_known_ones() -> None:
    known = [("LCLid", "tstp", "energy(kWh/hh)"), ("LCLid", "DateTime")]
    headers.require_known(("LCLid", "DateTime"), known, "s3://b/a.csv", "london")
    with pytest.raises(headers.UnknownHeaderError) as error:
        headers.require_known(("meter", "when"), known, "s3://b/a.csv", "london")
    for part in (
        "s3://b/a.csv",
        "meter, when",
        "LCLid, tstp, energy(kWh/hh)",
        "LCLid, DateTime",
        "parameter transformer",
    ):
        assert part in str(error.value)
