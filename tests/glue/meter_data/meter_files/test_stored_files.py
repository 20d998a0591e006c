"""Meter files in a store: their beginnings, and parts of them that share no line and lose none."""

from __future__ import annotations

import tempfile
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from meter_data.meter_files import lines, stored_files
from meter_data.meter_files.lines import LineTooLongError, UnreadableFileError

from tests.glue.deliveries import meter_file, packed
from tests.glue.folder_store import FolderStore
from tests.glue.meter_data.meter_files.contents import MARK, contents, lines_of


def line_lists(root: Path, content: bytes, cuts: list[int]) -> list[list[bytes]]:
    """The lines of each part between two cuts."""
    store, file = FolderStore(root), meter_file(content)
    store.write(file.uri, content)
    parts = [file.part(first, end) for first, end in pairwise([0, *cuts, len(content)])]
    return [[line for text in lines.parts(stored_files.lines_of(store, part)) for line in _cut(text)] for part in parts]


def _cut(text: bytes) -> list[bytes]:
    return lines_of(MARK + text)


@settings(deadline=None, max_examples=200)
@given(content=contents(), data=some.data())
def test_parts_of_a_file_hold_its_lines_each_once(content: bytes, data: some.DataObject) -> None:
    cuts = sorted(data.draw(some.sets(some.integers(1, max(1, len(content) - 1)), max_size=6)))
    cuts = [cut for cut in cuts if cut < len(content)]
    with tempfile.TemporaryDirectory() as root:
        found = line_lists(Path(root), content, cuts)
    assert [line for part in found for line in part] == lines_of(content)


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_a_line_belongs_to_the_part_in_which_it_begins(tmp_path: Path, end: bytes) -> None:
    content = end.join([b"ab", b"cd", b"ef"])
    starts = [0, 2 + len(end), 2 * (2 + len(end))]
    for cut in range(1, len(content)):
        first, second = line_lists(tmp_path, content, [cut])
        assert first == [line for line, start in zip([b"ab", b"cd", b"ef"], starts, strict=True) if start < cut]
        assert second == [line for line, start in zip([b"ab", b"cd", b"ef"], starts, strict=True) if start >= cut]


def test_only_a_file_begins_with_a_byte_order_mark(tmp_path: Path) -> None:
    first, second = line_lists(tmp_path, MARK + b"a\n" + MARK + b"b\n", [5])
    assert (first, second) == ([b"a"], [MARK + b"b"])


@pytest.mark.parametrize("cuts", [[], [1 << 20], [3 << 20], [1 << 20, 2 << 20, 3 << 20]])
def test_a_line_without_end_is_refused_in_parts_too(tmp_path: Path, cuts: list[int]) -> None:
    content = b"header\nrow\n" + b"x" * (4 << 20)
    with pytest.raises(LineTooLongError, match=r"a\.csv: the line .+ is longer than 1,048,576 bytes"):
        line_lists(tmp_path, content, cuts)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", None),
        (b" \r\n\n", None),
        (MARK + b" ", None),
        (b"a,b", "a,b"),
        (MARK + b"a,b \r\n1,2", "a,b "),
        (b"a\rb\n", "a"),
        (b"\nb", ""),
        (b"\xff\n", "\ufffd"),
    ],
)
def test_the_first_line_of_a_file(content: bytes, line: str | None) -> None:
    assert stored_files.first_line(content, meter_file(content)) == line
    in_gzip = packed(content)
    assert stored_files.first_line(in_gzip, meter_file(in_gzip, "a.csv.gz")) == line


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
def test_a_first_line_without_end_is_no_header(name: str) -> None:
    content = b"a" * 200_000
    stored = packed(content) if name.endswith(".gz") else content
    file = meter_file(stored, name)
    with pytest.raises(UnreadableFileError, match=r"The first line of .+a\.csv.* does not end within 65,536 bytes"):
        stored_files.first_line(stored[: stored_files.FIRST_BYTES], file)


def test_a_name_that_cannot_be_printed_is_quoted() -> None:
    with pytest.raises(UnreadableFileError, match=r"^'s3://landing/readings/\\n\.csv\.gz' is no gzip file"):
        stored_files.first_line(b"a\n", meter_file(b"a\n", "\n.csv.gz"))
