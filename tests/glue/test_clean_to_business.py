"""clean_to_business: which row of a reading wins, what is counted, and how the partitions are written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import clean_to_business
import pyarrow.parquet as parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from transformers.zones import schemas
from transformers.zones.partitions import Published

Rows = Callable[..., list[tuple[Any, ...]]]

STORED = (
    "meter_id string, reading_value double, reading_type string, reading_date_time timestamp, obis_code string, "
    "error_code string, delivered_at timestamp"
)
FIRST, SECOND = "2014-01-01 09:00:00", "2014-01-02 09:00:00"


def reading(
    meter: str, time: str, value: float | None, delivered_at: str = FIRST, kind: str = "INT"
) -> tuple[Any, ...]:
    return (meter, value, kind, time, None, "NULL" if kind == "ERR" else None, delivered_at)


@pytest.fixture
def published_by(spark: Any, frame: Callable[..., Any], tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """published_by(run, batch, current=None, grain="month"): what the job says of writing these rows."""

    def write(run: str, batch: list[Any], current: Any = None, grain: str = "month", **size: Any) -> dict[str, Any]:
        cleaned = schemas.with_calendar(frame(STORED, *batch))
        touched = clean_to_business.touched_dates(cleaned)
        rows = clean_to_business.rows_of_partitions(touched, grain)
        files = {values: size.get("files", 1) for values in rows}
        uri = f"file://{tmp_path}/daily/run={run}/"
        counts = clean_to_business.write(spark, cleaned, current, grain, files, uri)
        return clean_to_business.summary("b1", run, touched, counts)

    return write


@pytest.fixture
def stored(spark: Any, tmp_path: Path) -> Callable[[str], Any]:
    """stored(run): the rows of a run, with their partition keys."""
    return lambda run: spark.read.parquet(f"{tmp_path}/daily/run={run}")


def test_the_latest_delivery_wins(published_by: Callable[..., Any], stored: Callable[[str], Any], rows: Rows) -> None:
    published_by(
        "1",
        [
            reading("M1", "2013-01-01 00:30:00", 9.0, FIRST),
            reading("M1", "2013-01-01 00:30:00", 1.0, SECOND),
            reading("M1", "2013-01-01 01:00:00", 2.0, FIRST),
        ],
    )
    assert rows(stored("1"), "reading_date_time", "reading_value") == [
        ("2013-01-01 00:30:00", 1.0),
        ("2013-01-01 01:00:00", 2.0),
    ]


def test_of_one_delivery_the_larger_value_wins_and_is_a_conflict(
    published_by: Callable[..., Any], stored: Callable[[str], Any], rows: Rows
) -> None:
    summary = published_by(
        "1",
        [
            *[reading("M1", "2013-01-01 00:30:00", value) for value in (1.0, 3.0, 3.0, 2.0)],
            # The same value twice is no conflict, nor are values of different deliveries.
            *[reading("M2", "2013-01-01 00:30:00", 1.0)] * 2,
            reading("M3", "2013-01-01 00:30:00", 1.0, FIRST),
            reading("M3", "2013-01-01 00:30:00", 2.0, SECOND),
            # A superseded delivery may contradict itself.
            reading("M4", "2013-01-01 00:30:00", 7.0, SECOND),
            reading("M4", "2013-01-01 00:30:00", 8.0, FIRST),
            reading("M4", "2013-01-01 00:30:00", 9.0, FIRST),
        ],
    )
    assert rows(stored("1"), "meter_id", "reading_value") == [("M1", 3.0), ("M2", 1.0), ("M3", 2.0), ("M4", 7.0)]
    assert (summary["rows_in"], summary["duplicates"], summary["conflicts"]) == (11, 7, 1)


def test_readings_of_different_types_at_one_time_are_different_readings(
    published_by: Callable[..., Any], stored: Callable[[str], Any], rows: Rows
) -> None:
    time = "2013-01-01 00:30:00"
    summary = published_by(
        "1", [reading("M1", time, 1.0), reading("M1", time, 5.0, kind="AGG"), reading("M1", time, None, kind="ERR")]
    )
    assert rows(stored("1"), "reading_type", "reading_value", "error_code") == [
        ("AGG", 5.0, None),
        ("ERR", None, "NULL"),
        ("INT", 1.0, None),
    ]
    assert (summary["duplicates"], summary["dates"]) == (0, ["20130101-20130101"])


def test_a_batch_is_merged_with_what_is_published(
    published_by: Callable[..., Any], stored: Callable[[str], Any], rows: Rows
) -> None:
    times = [f"2013-01-01 0{hour}:00:00" for hour in range(4)]
    published_by("1", [reading("M1", time, 1.0, SECOND) for time in times[:3]])

    summary = published_by(
        "2",
        [
            reading("M1", times[0], 5.0, "2014-01-03 09:00:00"),  # corrects
            reading("M1", times[1], 5.0, FIRST),  # comes late: it was corrected before
            reading("M1", times[3], 5.0, FIRST),  # is new
            reading("M1", times[3], 5.0, FIRST),
        ],
        stored("1"),
    )

    assert rows(stored("2"), "reading_date_time", "reading_value") == list(
        zip(times, (5.0, 1.0, 1.0, 5.0), strict=True)
    )
    assert {name: summary[name] for name in ("rows_in", "duplicates", "conflicts")} == {
        "rows_in": 4,
        "duplicates": 1,
        "conflicts": 0,
    }
    assert (summary["readings_added"], summary["readings_replaced"], summary["readings_written"]) == (1, 1, 4)


def test_the_same_batch_once_more_changes_nothing(
    published_by: Callable[..., Any], stored: Callable[[str], Any], rows: Rows
) -> None:
    batch = [reading("M1", "2013-01-01 00:30:00", 1.0), reading("M1", "2013-01-01 00:30:00", 2.0)]
    first = published_by("1", batch)
    again = published_by("2", batch, stored("1"))
    assert rows(stored("2")) == rows(stored("1"))
    assert (again["readings_added"], again["readings_replaced"]) == (0, 0)
    assert [again[name] for name in ("rows_in", "duplicates", "conflicts")] == [2, 1, 1]
    assert [first[name] for name in ("rows_in", "duplicates", "conflicts")] == [2, 1, 1]


NEWEST = ["meter_id", "reading_date_time", "reading_value", "delivered_at"]
READINGS = some.tuples(
    some.sampled_from(["M1", "M2"]),
    some.sampled_from(["2013-01-31 23:30:00", "2013-02-01 00:00:00"]),
    some.sampled_from([0.0, 1.5, 2.0]),
    some.sampled_from([FIRST, SECOND, "2014-01-03 09:00:00"]),
)


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(some.lists(READINGS, min_size=1, max_size=20), some.integers(0, 20), some.randoms())
def test_the_winner_does_not_depend_on_the_order_of_arrival(
    published_by: Callable[..., Any], stored: Callable[[str], Any], rows: Rows, batch: list[Any], cut: int, chance: Any
) -> None:
    expected: dict[tuple[str, str], tuple[str, float]] = {}
    for meter, time, value, delivered_at in batch:
        expected[meter, time] = max(expected.get((meter, time), ("", 0.0)), (delivered_at, value))
    shuffled = [reading(*one) for one in chance.sample(batch, len(batch))]

    published_by("1", shuffled[:cut] or shuffled)
    published_by("2", shuffled[cut:] or shuffled, stored("1"))

    # Partitions that the second part does not touch stay those of the first.
    newest = {row[:2]: row for run in ("1", "2") for row in rows(stored(run), *NEWEST)}
    assert sorted(newest.values()) == sorted((*key, value, at) for key, (at, value) in expected.items())


def test_a_partition_is_one_file_sorted_by_meter_and_time(published_by: Callable[..., Any], tmp_path: Path) -> None:
    times = [f"2013-0{month}-0{day} {hour:02}:30:00" for month in (1, 2) for day in (1, 2, 3) for hour in (22, 3, 11)]
    batch = [reading(meter, time, 1.0) for time in times for meter in ("M3", "M1", "M2")]

    summary = published_by("1", batch)

    assert [(part["values"], part["rows"]) for part in summary["partitions"]] == [
        (["INT", "201301"], 27),
        (["INT", "201302"], 27),
    ]
    for part in summary["partitions"]:
        assert part["location"] == f"file://{tmp_path}/daily/run=1/reading_type=INT/month={part['values'][1]}/"
        (file,) = Path(part["location"].removeprefix("file://")).glob("*.parquet")
        table = parquet.read_table(file, partitioning=None)
        keys = list(zip(table["meter_id"].to_pylist(), table["reading_date_time"].to_pylist(), strict=True))
        assert keys == sorted(keys)


def test_the_files_have_the_columns_of_the_business_zone(published_by: Callable[..., Any], tmp_path: Path) -> None:
    published_by("1", [reading("M1", "2013-12-30 13:30:00", 1.0)])
    (file,) = tmp_path.glob("daily/run=1/reading_type=INT/month=201312/*.parquet")
    footer = parquet.read_metadata(file)
    assert [footer.schema.column(at).name for at in range(footer.num_columns)] == schemas.names(schemas.BUSINESS)
    assert footer.row_group(0).column(0).compression == "ZSTD"
    (row,) = parquet.read_table(file, partitioning=None).to_pylist()
    assert [row[name] for name in ("date_str", "iso_year", "week_of_year", "year", "hour", "minute")] == [
        "20131230",
        2014,
        1,
        2013,
        13,
        30,
    ]


def test_a_large_partition_is_cut_by_meter(published_by: Callable[..., Any], tmp_path: Path) -> None:
    batch = [reading(f"M{meter}", f"2013-01-01 0{hour}:00:00", 1.0) for meter in range(20) for hour in range(3)]
    summary = published_by("1", batch, files=3)
    files = list(tmp_path.glob("daily/run=1/reading_type=INT/month=201301/*.parquet"))
    meters = [set(parquet.read_table(file, partitioning=None)["meter_id"].to_pylist()) for file in files]
    assert len(files) == 3
    assert sum(map(len, meters)) == len(set.union(*meters)) == 20
    assert summary["partitions"][0]["rows"] == 60


def test_at_grain_day_a_partition_is_a_day(published_by: Callable[..., Any], tmp_path: Path) -> None:
    batch = [reading("M1", "2013-01-01 23:30:00", 1.0), reading("M1", "2013-01-02 00:00:00", 1.0)]
    summary = published_by("1", batch, grain="day")
    assert [(part["values"], part["location"]) for part in summary["partitions"]] == [
        (["INT", day], f"file://{tmp_path}/daily/run=1/reading_type=INT/day={day}/") for day in ("20130101", "20130102")
    ]


def test_dates_are_those_of_interval_readings(published_by: Callable[..., Any]) -> None:
    summary = published_by(
        "1",
        [
            reading("M1", "2013-01-31 23:30:00", 1.0),
            reading("M1", "2013-02-01 00:00:00", 1.0),
            reading("M1", "2013-02-05 00:00:00", 1.0, kind="AGG"),
            reading("M1", "2013-02-07 00:00:00", None, kind="ERR"),
            reading("M1", "2013-02-09 00:00:00", 1.0),
        ],
    )
    assert summary["dates"] == ["20130131-20130201", "20130209-20130209"]


def test_a_batch_without_rows_writes_no_partition(published_by: Callable[..., Any]) -> None:
    summary = published_by("1", [])
    assert (summary["rows_in"], summary["partitions"], summary["dates"]) == (0, [], [])


def test_rows_of_partitions_follow_the_grain() -> None:
    touched = {("INT", "20130101"): 5, ("INT", "20130131"): 2, ("ERR", "20130101"): 1}
    assert clean_to_business.rows_of_partitions(touched, "month") == {("ERR", "201301"): 1, ("INT", "201301"): 7}
    assert clean_to_business.rows_of_partitions(touched, "day") == {
        ("ERR", "20130101"): 1,
        ("INT", "20130101"): 5,
        ("INT", "20130131"): 2,
    }
    with pytest.raises(clean_to_business.GrainError, match="month or day, not 'week'"):
        clean_to_business.rows_of_partitions(touched, "week")


def test_a_grain_that_would_show_readings_twice_is_refused() -> None:
    refuse = clean_to_business.require_one_grain
    refuse([("INT", "201301")], [("INT", "201301"), ("INT", "20130201"), ("ERR", "20130101")], "month")
    refuse([("INT", "20130101")], [("INT", "20130102"), ("INT", "201302")], "day")
    with pytest.raises(clean_to_business.GrainError, match="INT readings of 20130105 .* with grain day"):
        refuse([("INT", "201301")], [("INT", "20130105")], "month")
    with pytest.raises(clean_to_business.GrainError, match="INT readings of 201301 .* with grain month"):
        refuse([("INT", "20130101")], [("INT", "201301")], "day")


def test_a_partition_is_cut_by_the_rows_that_it_will_hold() -> None:
    coming = {("INT", "201301"): 5_000_000, ("INT", "201302"): 5_000_000}
    held = [Published(("INT", "201302"), "s3://b/x/", 4_000_000)]
    assert clean_to_business.file_counts(coming, held) == {("INT", "201301"): 1, ("INT", "201302"): 2}
