"""Meter files as they were seen in the field, loaded by raw_to_clean: right readings, or words that help."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa
import pytest

from api_lambdas.get_anomalies import handler as get_anomalies
from api_lambdas.get_consumption import handler as get_consumption
from api_lambdas.get_forecast import handler as get_forecast
from tests.glue import field_files
from tests.glue.deliveries import Cleaned, clean
from tests.glue.described import set_aside
from tests.glue.extracts import write
from tests.glue.field_files import DAY_KWH, ROWS

Load = Callable[..., Cleaned]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """load(description, {name: content}): the files in a store of their own, cleaned."""

    def cleaned(description: dict[str, Any], files: dict[str, bytes]) -> Cleaned:
        store = tmp_path / "store"
        shutil.rmtree(store, ignore_errors=True)
        said = {name: value for name, value in description.items() if name != "transformer"}
        return clean(store, files, "default", delivered_at="2024-12-01T12:00:00Z", **said)

    return cleaned


def days(cleaned: Cleaned) -> dict[str, tuple[int, float]]:
    """Readings and kWh of each meter; all of them lie on one day."""
    found: dict[str, list[float]] = {}
    for row in cleaned.readings().to_pylist():
        assert row["date_str"] == "20240304"
        found.setdefault(row["meter_id"], []).append(row["reading_value"])
    return {meter: (len(values), round(sum(values), 9)) for meter, values in found.items()}


@pytest.mark.parametrize("variant", ["point", "comma"])
def test_ids_in_scientific_notation_are_refused_by_name(load: Load, variant: str) -> None:
    description, files = field_files.delivery(f"05_ids_in_scientific_notation/{variant}")

    summary = load(description, files).summary

    (content,) = files.values()
    assert summary["good"] == 0
    assert summary["rejected_by_reason"] == {"meter_id_lost_digits": content.count(b"\n") - 1}


# Two meters whose ids differ in the last digit. Written as numbers by what keeps floating-point numbers only.
LONG_IDS = [7221000000000001, 7221000000000002]
NUMBERS = {"parquet": (pa.float64(), pa.int64()), "orc": (pa.float64(), pa.int64()), "avro": ("double", "long")}


@pytest.mark.parametrize("file_format", NUMBERS)
def test_floating_point_ids_are_refused_and_whole_ones_are_ids(load: Load, tmp_path: Path, file_format: str) -> None:
    floating, whole = NUMBERS[file_format]
    times = [f"2024-03-04 {clock}:00" for clock in field_files.CLOCKS]
    table: dict[str, Any] = {"Point": LONG_IDS[:1] * 48 + LONG_IDS[1:] * 48, "Start": times * 2, "kWh": ["0.5"] * 96}
    as_floating = table | {"Point": [float(cell) for cell in table["Point"]]}
    name = f"a.{file_format}"
    refused = write(file_format, tmp_path / "floating", as_floating, {"Point": floating}).read_bytes()
    exact = write(file_format, tmp_path / "whole", table, {"Point": whole}).read_bytes()

    assert load(field_files.POINT, {name: refused}).summary["rejected_by_reason"] == {"meter_id_lost_digits": 96}
    assert days(load(field_files.POINT, {name: exact})) == {str(each): (ROWS, DAY_KWH) for each in LONG_IDS}


@pytest.mark.parametrize("file_format", ["parquet", "orc"])
def test_an_id_that_is_not_a_number_is_missing(load: Load, tmp_path: Path, file_format: str) -> None:
    """Writers that turn ids into floating-point numbers write one that is missing so."""
    table = {"Point": [math.nan, 7221.0], "Start": ["2024-03-04 00:00:00"] * 2, "kWh": ["0.5"] * 2}
    file = write(file_format, tmp_path / "extract", table, {"Point": NUMBERS[file_format][0]})

    cleaned = load(field_files.POINT, {f"a.{file_format}": file.read_bytes()})

    assert cleaned.summary["rejected_by_reason"] == {"missing_meter_id": 1, "meter_id_lost_digits": 1}


def test_an_id_in_json_keeps_its_digits_or_is_refused(load: Load) -> None:
    kept = ['"7221000000001"', "7221000000001", '"12E5"', '"12.0"', '"541448820000000001"', str(2**53 - 1), '"NaN"']
    lost = ["7.221E12", "12E5", "12.0", "1.5", str(2**53), "541448820000000001", '"7.221E+12"']
    other = ["1e999", "-5", "null", "[1]"]
    lines = [f'{{"Point":{given},"Start":"2024-03-04T00:00","kWh":1}}' for given in (*kept, *lost, *other)]

    cleaned = load(field_files.POINT, {"a.jsonl": "\n".join(lines).encode()})

    loaded = {row["meter_id"] for row in cleaned.readings().to_pylist()}
    assert loaded == {given.strip('"') for given in kept}
    rejected = cleaned.rejects().to_pylist()
    assert {json.dumps(json.loads(row["line"])) for row in rejected if row["reason"] == "meter_id_lost_digits"} == {
        json.dumps(json.loads(line)) for line in lines[len(kept) : len(kept) + len(lost)]
    }
    assert {row["meter_id"] for row in rejected} == {None}, "a lost id would be counted as a meter's"


def test_ids_that_the_api_cannot_be_asked_for_are_rejects(load: Load) -> None:
    description, files = field_files.delivery("20_ids_with_signs")

    cleaned = load(description, files)

    legal = ["22 0000 4836 192", "1-0:1.8.0*255", "0000BUG20"]
    assert days(cleaned) == dict.fromkeys(legal, (ROWS, DAY_KWH))
    assert cleaned.summary["rejected_by_reason"] == {"invalid_meter_id": 6 * ROWS}


def test_what_ingestion_accepts_can_be_asked_for_under_the_same_id(load: Load) -> None:
    """By the functions' own parameters, as a client writes an id into a path."""
    description, files = field_files.delivery("20_ids_with_signs")

    for meter_id in days(load(description, files)):
        path = {"pathParameters": {"meter_id": quote(meter_id, safe="")}}
        of_year = {"aggregation": "daily", "year": "2024", **path["pathParameters"]}
        assert get_anomalies.parse(path).meter_id == meter_id
        assert get_forecast.parse(path).meter_id == meter_id
        assert get_consumption.Request.model_validate(of_year).meter_id == meter_id


@pytest.mark.parametrize("variant", ["head", "plain"])
def test_a_header_with_empty_names_is_read(load: Load, variant: str) -> None:
    description, files = field_files.delivery(f"21_quoted_header_with_empty_names/{variant}")

    cleaned = load(description, files)

    assert (cleaned.summary["rows"], cleaned.summary["rejected"]) == (ROWS, 0)
    assert list(days(cleaned).values()) == [(ROWS, DAY_KWH)]


def test_quoted_rows_with_empty_fields_are_read_without_a_header(load: Load) -> None:
    _, files = field_files.delivery("21_quoted_header_with_empty_names/head")
    without = {name: content.partition(b"\n")[2] for name, content in files.items()}
    by_position = {"header": False, "meter_id_column": 1, "date_time_column": 2, "value_column": 3}

    assert list(days(load(by_position, without)).values()) == [(ROWS, DAY_KWH)]


@pytest.mark.parametrize("variant", ["cp1252", "cp1252pos", "utf8bom"])
def test_letters_outside_ascii_are_read_in_both_encodings(load: Load, variant: str) -> None:
    description, files = field_files.delivery(f"19_encodings/{variant}")

    cleaned = load(description, files)

    assert (cleaned.summary["rows"], cleaned.summary["rejected"]) == (ROWS, 0)
    assert list(days(cleaned).values()) == [(ROWS, DAY_KWH)]


def test_files_of_both_encodings_are_read_in_one_delivery(load: Load) -> None:
    description, _ = field_files.delivery("19_encodings/cp1252")
    one, other = field_files.german("M1").encode("cp1252"), field_files.german("M2").encode()

    assert days(load(description, {"a.csv": one, "b.csv": other})) == {"M1": (ROWS, DAY_KWH), "M2": (ROWS, DAY_KWH)}


def test_a_rejected_row_of_windows_1252_is_kept_as_readable_text(load: Load) -> None:
    text = "Zählpunkt;Zeit;kWh;Prüfung\r\nM1;04.03.2024 00:00;fünf;5 €\r\n"

    cleaned = load(field_files.GERMAN, {"a.csv": text.encode("cp1252")})

    (row,) = cleaned.rejects().to_pylist()
    assert (row["reason"], row["line"]) == ("not_a_number", "M1;04.03.2024 00:00;fünf;5 €")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_text_in_utf_16_is_named_as_that(load: Load, encoding: str) -> None:
    reason = set_aside(load(field_files.GERMAN, {"a.csv": field_files.german("BUG19U").encode(encoding)}))

    assert reason.endswith(
        '/a.csv cannot be read: it is text in UTF-16. Save it as UTF-8 (a spreadsheet calls that "CSV UTF-8") and '
        "deliver that file."
    )


@pytest.mark.parametrize(
    ("variant", "name", "words"),
    [
        ("xml", "usage.xml", "it is Green Button data in XML (ESPI). Ask its sender for the readings as CSV, "),
        ("zip", "usage.zip", "it is a ZIP archive. Unpack it and deliver the files in it, "),
        ("zip_csv", "usage.csv", "it is a ZIP archive. Unpack it and deliver the files in it, "),
    ],
)
def test_a_file_that_is_no_text_is_named_as_what_it_is(load: Load, variant: str, name: str, words: str) -> None:
    description, files = field_files.delivery(f"15_archive_and_xml_beside_good_files/{variant}")

    cleaned = load(description, files)

    (bad,) = [file for file in cleaned.summary["files"] if file["set_aside"]]
    assert f"/{name} cannot be read: {words}" in bad["set_aside"]["reason"]
    assert bad["set_aside"]["reason"].isprintable()
    assert list(days(cleaned).values()) == [(ROWS, DAY_KWH)] * ("good.csv" in files)


def test_files_of_any_name_are_read_and_files_without_rows_are_counted(load: Load) -> None:
    description, files = field_files.delivery("22_odd_file_names")
    # plugins/metering/ledger.py passes over these and says so.
    listed = {name: content for name, content in files.items() if content and name[0] not in "._"}
    listed["x y.csv"] = field_files.rows("TWIN")

    cleaned = load(description, listed)

    expected = {f"BUG22N{at}": name for at, name in enumerate(field_files.NAMES) if name[0] not in "._"}
    assert days(cleaned) == dict.fromkeys([*expected, "TWIN"], (ROWS, DAY_KWH))
    by_name = {Path(file["uri"]).name: file["good"] for file in cleaned.summary["files"]}
    assert by_name == {name: 0 if name.startswith("only_") else ROWS for name in listed}


@pytest.mark.parametrize("file_format", ["parquet", "avro"])
def test_files_of_other_formats_have_any_name_too(load: Load, tmp_path: Path, file_format: str) -> None:
    times = [f"2024-03-04 {clock}:00" for clock in field_files.CLOCKS]
    files = {}
    for at, name in enumerate(["[2024] {a,b}", "100%", "x%20y", "x y", "a+b", "Q1=a&b;c", "März#1"]):
        table = {"Point": [f"M{at}"] * ROWS, "Start": times, "kWh": ["0.5"] * ROWS}
        files[f"{name}.{file_format}"] = write(file_format, tmp_path / "file", table).read_bytes()

    assert days(load(field_files.POINT, files)) == {f"M{at}": (ROWS, DAY_KWH) for at in range(7)}
