"""Both London files through raw_to_clean, against what DuckDB reads in the raw files.

Without the files (SHARED_DATA, by default shared/data beside the repository) a small generated fleet takes their place.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from tests.glue.deliveries import Cleaned, clean

# Values are texts with spaces around them; a Null is none.
RAW = """
    SELECT trim(LCLid) AS meter_id, CAST(DateTime AS TIMESTAMP) AS time, lower(trim("KWH/hh (per half hour)")) AS text,
           '{name}' AS name
    FROM read_csv('{path}', all_varchar = true, header = true, delim = ',', quote = '')
"""


@pytest.fixture(scope="module")
def cleaned(meter_files: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Cleaned:
    return clean(tmp_path_factory.mktemp("store"), {path.name: path.read_bytes() for path in meter_files})


@pytest.fixture(scope="module")
def database(meter_files: list[Path], cleaned: Cleaned) -> duckdb.DuckDBPyConnection:
    """The tables raw (meter_id, time, text, name) and clean, in which all texts are texts."""
    found = duckdb.connect()
    found.execute("SET TimeZone = 'UTC'")
    of_files = [RAW.format(path=path, name=path.name) for path in meter_files]
    found.execute(f"CREATE TABLE raw AS {' UNION ALL '.join(of_files)}")
    folder = cleaned.store.root / "clean" / "clean" / "batch=b1"
    found.execute(f"CREATE TABLE clean AS FROM read_parquet('{folder}/*.parquet', hive_partitioning = false)")
    return found


def number(database: duckdb.DuckDBPyConnection, query: str) -> int:
    row = database.execute(query).fetchone()
    assert row is not None
    return row[0]


def test_every_row_of_the_raw_files_is_a_reading(database: duckdb.DuckDBPyConnection, cleaned: Cleaned) -> None:
    rows = number(database, "SELECT count(*) FROM raw")
    assert rows > 10_000
    assert {name: cleaned.summary[name] for name in ("rows", "good", "rejected", "set_aside")} == {
        "rows": rows,
        "good": rows,
        "rejected": 0,
        "set_aside": 0,
    }


def test_every_reading_is_that_of_its_raw_row(database: duckdb.DuckDBPyConnection) -> None:
    of_raw = """
        SELECT meter_id, time, if(text = 'null', NULL, CAST(text AS DOUBLE)), if(text = 'null', 'ERR', 'INT'),
               if(text = 'null', 'NULL', NULL), name
        FROM raw
    """
    of_clean = """
        SELECT meter_id, CAST(reading_date_time AS TIMESTAMP), reading_value, reading_type, error_code,
               regexp_extract(source_file, '[^/]+$')
        FROM clean
    """
    assert number(database, "SELECT count(*) FROM raw WHERE text = 'null'") > 0
    for one, other in ((of_raw, of_clean), (of_clean, of_raw)):
        assert number(database, f"SELECT count(*) FROM ({one} EXCEPT ALL {other})") == 0


def test_the_calendar_is_that_of_the_time(database: duckdb.DuckDBPyConnection) -> None:
    wrong = """
        SELECT count(*) FROM (SELECT *, CAST(reading_date_time AS TIMESTAMP) AS time FROM clean)
        WHERE (date_str, iso_year, week_of_year, day_of_month, "month", "year", "hour", "minute")
           IS DISTINCT FROM (strftime(time, '%Y%m%d'), isoyear(time), weekofyear(time), dayofmonth(time),
                             month(time), year(time), hour(time), minute(time))
    """
    assert number(database, wrong) == 0


def test_the_place_of_a_reading_is_its_line(database: duckdb.DuckDBPyConnection, meter_files: list[Path]) -> None:
    """Line by line the places are all of 1, 2, …: the header is line 0."""
    found = database.execute(
        "SELECT regexp_extract(source_file, '[^/]+$') AS name, min(source_row), max(source_row), count(*), "
        "count(DISTINCT source_row) FROM clean GROUP BY name ORDER BY name"
    ).fetchall()
    assert [row[0] for row in found] == [path.name for path in meter_files]
    assert all(first == 1 and last == rows == places for _, first, last, rows, places in found)


def test_each_row_group_is_sorted_and_of_one_type_and_month(cleaned: Cleaned) -> None:
    for group in cleaned.groups:
        table = cleaned.store.read_parquet(group.uri, row_groups=[group.row_group])
        columns = ["meter_id", "reading_date_time", "source_row"]
        keys = table.select(columns).set_column(0, "meter_id", table["meter_id"].cast(pa.string()))
        assert keys.sort_by([(name, "ascending") for name in columns]).equals(keys)
        assert table.num_rows == group.rows
        assert pc.unique(table["reading_type"]).to_pylist() == [group.reading_type]
        assert {day[:6] for day in pc.unique(table["date_str"]).to_pylist()} == {group.month}
