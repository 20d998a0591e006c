"""clean_to_business: which row of a reading wins, what is counted, and how the partitions are written."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Sequence
from datetime import UTC
from pathlib import Path
from typing import Any
from unittest.mock import patch

import clean_to_business
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from meter_data.lake import clean_row_groups, meter_ranges, meter_row_groups, schemas, summaries
from meter_data.lake.meter_ranges import MeterRange
from meter_data.lake.meter_row_groups import MeterRowGroup
from meter_data.merging import items as business_partitions
from meter_data.merging import winners as merging
from meter_data.merging.items import GrainError

from tests.glue import clean_zone
from tests.glue.catalog import Catalog
from tests.glue.clean_zone import FIRST, SECOND, THIRD, MeterFile, Reading, Rejected
from tests.glue.folder_store import FolderStore
from tests.glue.merged_readings import Key, Readings, Stored, merge, partition

HALF_PAST, ONE = "2013-01-01 00:30:00", "2013-01-01 01:00:00"
COUNTS = ("rows_in", "duplicates", "conflicts", "readings_added", "readings_replaced", "readings_written")


class Lake:
    """A clean zone, a business zone and a catalog."""

    def __init__(self, root: Path) -> None:
        self.store, self.catalog = FolderStore(root), Catalog()
        self._batches = 0

    def clean(self, files: Iterable[MeterFile], rows_a_group: int = 100_000) -> str:
        """Cleans a batch. Returns its name."""
        self._batches += 1
        clean_zone.write(self.store, f"b{self._batches}", files, rows_a_group)
        return f"b{self._batches}"

    def run(self, batch: str, grain: str = "month", run: str | None = None) -> dict[str, Any]:
        """Runs the job. Returns its summary."""
        given = {
            "batch": batch,
            "run": run or f"{batch}-1",
            "grain": grain,
            "clean_bucket": "clean",
            "business_bucket": "business",
            "database": "metering",
            "spread_above_rows": "100000000",
        }
        clean_to_business.convert(lambda: self.store, self.catalog, given)
        return self.store.read_json(f"s3://clean/_summaries/{batch}/clean_to_business.json")

    def load(self, *files: MeterFile, grain: str = "month") -> dict[str, Any]:
        """Cleans a batch, runs the job and publishes what it has written. Returns the job's summary."""
        summary = self.run(self.clean(files), grain)
        self.catalog.publish(summary)
        return summary

    def tables(self) -> dict[tuple[str, ...], list[pa.Table]]:
        """Returns the files of each published partition, in the order of their names."""
        return {
            values: [self.store.read_parquet(uri) for uri in self.store.parquet_files(location)]
            for values, location in self.catalog.locations.items()
        }

    def readings(self) -> Readings:
        """Returns what is published. Each reading is there once, in its partition."""
        found: Readings = {}
        for (kind, value), tables in self.tables().items():
            for row in (row for table in tables for row in table.to_pylist()):
                key: Key = (row["meter_id"], kind, text_of(row["reading_date_time"]))
                assert key not in found
                assert partition(key, "day" if len(value) == 8 else "month") == (kind, value)
                found[key] = stored(row)
        return found

    def tallies(self, batch: str) -> dict[tuple[str, str, str], tuple[int, int]]:
        """Returns readings and rejected rows of a batch by file, meter and day, added up."""
        found: dict[tuple[str, str, str], tuple[int, int]] = {}
        for uri in self.store.parquet_files(f"s3://clean/tallies/batch={batch}/"):
            for row in self.store.read_parquet(uri).to_pylist():
                assert f"/month={row['date_str'][:6]}/" in uri
                key = (row["source_file"].rpartition("/")[2], row["meter_id"], row["date_str"])
                before = found.get(key, (0, 0))
                found[key] = (before[0] + row["readings"], before[1] + row["rejected"])
        return found


def stored(row: dict[str, Any]) -> Stored:
    return (row["reading_value"], row["obis_code"], row["error_code"], text_of(row["delivered_at"]))


def text_of(moment: Any) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path)


def values_of(lake: Lake) -> dict[tuple[str, str], float | None]:
    """The value of each reading by meter and time."""
    return {(meter, time): value for (meter, _, time), (value, *_) in lake.readings().items()}


# The winner.


def test_the_newest_delivery_wins(lake: Lake) -> None:
    lake.load(
        MeterFile("a.csv", SECOND, [Reading("M1", HALF_PAST, 1.0)]),
        MeterFile("b.csv", FIRST, [Reading("M1", HALF_PAST, 9.0), Reading("M1", ONE, 2.0)]),
    )
    assert values_of(lake) == {("M1", HALF_PAST): 1.0, ("M1", ONE): 2.0}


def test_of_files_that_were_uploaded_in_one_second_the_later_key_wins_whatever_its_value(lake: Lake) -> None:
    summary = lake.load(
        MeterFile("b.csv", FIRST, [Reading("M1", HALF_PAST, 1.0), Reading("M2", HALF_PAST, 4.0)]),
        MeterFile("a.csv", FIRST, [Reading("M1", HALF_PAST, 9.0), Reading("M2", HALF_PAST, 3.0)]),
    )
    assert values_of(lake) == {("M1", HALF_PAST): 1.0, ("M2", HALF_PAST): 4.0}
    assert summary["conflicts"] == 2


def test_within_a_file_the_later_row_wins_whatever_its_value(lake: Lake) -> None:
    rows = [Reading("M1", HALF_PAST, value) for value in (3.0, 9.0, 2.0)]
    assert lake.load(MeterFile("a.csv", FIRST, rows))["conflicts"] == 1
    assert values_of(lake) == {("M1", HALF_PAST): 2.0}


def test_the_winner_brings_its_codes_along(lake: Lake) -> None:
    lake.load(
        MeterFile("a.csv", FIRST, [Reading("M1", HALF_PAST, 1.0, obis="1-0:1.8.0", error="E")]),
        MeterFile("b.csv", FIRST, [Reading("M1", HALF_PAST, 1.0), Reading("M2", HALF_PAST, 1.0, obis="1-0:2.8.0")]),
    )
    assert lake.readings() == {
        ("M1", "INT", HALF_PAST): (1.0, None, None, FIRST),
        ("M2", "INT", HALF_PAST): (1.0, "1-0:2.8.0", None, FIRST),
    }


def test_what_comes_now_wins_against_a_published_reading_of_the_same_upload_time(lake: Lake) -> None:
    lake.load(MeterFile("b.csv", FIRST, [Reading("M1", HALF_PAST, 9.0)]))

    summary = lake.load(MeterFile("a.csv", FIRST, [Reading("M1", HALF_PAST, 1.0)]))

    assert values_of(lake) == {("M1", HALF_PAST): 1.0}
    assert [summary[name] for name in COUNTS] == [1, 0, 1, 0, 1, 1]


def test_a_batch_is_merged_with_what_is_published(lake: Lake) -> None:
    times = [f"2013-01-01 0{hour}:00:00" for hour in range(4)]
    lake.load(MeterFile("a.csv", SECOND, [Reading("M1", time, 1.0) for time in times[:3]]))

    summary = lake.load(
        MeterFile("b.csv", THIRD, [Reading("M1", times[0], 5.0)]),  # corrects
        MeterFile(
            "c.csv",
            FIRST,
            [
                Reading("M1", times[1], 5.0),  # comes late: it was corrected before
                Reading("M1", times[3], 5.0),  # is new
                Reading("M1", times[3], 5.0),
            ],
        ),
    )

    assert values_of(lake) == {("M1", time): value for time, value in zip(times, (5.0, 1.0, 1.0, 5.0), strict=True)}
    assert [summary[name] for name in COUNTS] == [4, 1, 0, 1, 1, 4]


def test_readings_of_different_types_at_one_time_are_different_readings(lake: Lake) -> None:
    rows = [Reading("M1", ONE, 1.0), Reading("M1", ONE, 5.0, "AGG"), Reading("M1", ONE, None, "ERR", error="NULL")]
    summary = lake.load(MeterFile("a.csv", FIRST, rows))
    assert lake.readings() == {
        ("M1", "AGG", ONE): (5.0, None, None, FIRST),
        ("M1", "ERR", ONE): (None, None, "NULL", FIRST),
        ("M1", "INT", ONE): (1.0, None, None, FIRST),
    }
    assert (summary["duplicates"], summary["conflicts"]) == (0, 0)


# What is counted.


def test_a_conflict_is_a_reading_with_two_values_of_the_winning_upload_time(lake: Lake) -> None:
    def of(meter: str, *values: float) -> list[Reading]:
        return [Reading(meter, HALF_PAST, value) for value in values]

    summary = lake.load(
        # Counted once, whatever the number of values. The same value twice is none.
        MeterFile(
            "a.csv", SECOND, [*of("M1", 1.0, 3.0, 2.0, 3.0), *of("M2", 1.0, 1.0), *of("M3", 2.0), *of("M4", 7.0)]
        ),
        # Values of different upload times are a correction. A superseded file may contradict itself.
        MeterFile("b.csv", FIRST, [*of("M3", 1.0), *of("M4", 8.0, 9.0)]),
    )
    assert [summary[name] for name in COUNTS] == [11, 7, 1, 4, 0, 4]


def test_the_same_batch_again_changes_nothing(lake: Lake) -> None:
    rows = [Reading("M1", HALF_PAST, 1.0), Reading("M1", HALF_PAST, 2.0)]
    batch = lake.clean([MeterFile("a.csv", FIRST, rows)])
    first = lake.run(batch, run="1")
    lake.catalog.publish(first)
    before = lake.readings()

    again = lake.run(batch, run="2")
    lake.catalog.publish(again)

    assert lake.readings() == before
    assert [first[name] for name in COUNTS] == [2, 1, 1, 1, 0, 1]
    assert [again[name] for name in COUNTS] == [2, 1, 1, 0, 0, 1]


def test_dates_are_those_of_interval_readings(lake: Lake) -> None:
    summary = lake.load(
        MeterFile(
            "a.csv",
            FIRST,
            [
                Reading("M1", "2013-01-31 23:30:00", 1.0),
                Reading("M1", "2013-02-01 00:00:00", 1.0),
                Reading("M1", "2013-02-05 00:00:00", 1.0, "AGG"),
                Reading("M1", "2013-02-07 00:00:00", None, "ERR"),
                Reading("M1", "2013-02-09 00:00:00", 1.0),
            ],
        )
    )
    assert summary["dates"] == ["20130131-20130201", "20130209-20130209"]


def test_a_batch_without_readings_writes_no_partition_and_tallies_its_rejects(lake: Lake) -> None:
    batch = lake.clean([])
    clean_zone.quarantine(
        lake.store,
        batch,
        [
            Rejected("a.csv", FIRST, "M1", "20130131"),
            Rejected("a.csv", FIRST, "M1", "20130131"),
            Rejected("a.csv", FIRST, "M1", "20130201"),
            Rejected("b.csv", FIRST, "M1", None),
            Rejected("b.csv", FIRST, None, "20130131"),
            Rejected("b.csv", FIRST, None, None),
        ],
    )

    assert lake.run(batch) == {
        "batch": batch,
        "run": f"{batch}-1",
        **dict.fromkeys(COUNTS, 0),
        "partitions": [],
        "dates": [],
        "rejected_attributed": 3,
        "rejected_unattributed": 3,
    }
    assert lake.tallies(batch) == {("a.csv", "M1", "20130131"): (0, 2), ("a.csv", "M1", "20130201"): (0, 1)}
    assert lake.store.listed("s3://business/") == []


def test_errors_alone_have_a_partition_and_neither_dates_nor_tallies(lake: Lake) -> None:
    summary = lake.load(MeterFile("a.csv", FIRST, [Reading("M1", ONE, None, "ERR", error="NULL")] * 2))
    assert lake.readings() == {("M1", "ERR", ONE): (None, None, "NULL", FIRST)}
    assert summary["dates"] == []
    assert [summary[name] for name in COUNTS] == [2, 1, 0, 1, 0, 1]
    assert lake.tallies("b1") == {}


def test_rows_and_rejects_are_tallied_by_file_meter_and_day(lake: Lake) -> None:
    batch = lake.clean(
        [
            MeterFile(
                "a.csv",
                FIRST,
                [
                    Reading("M1", "2013-01-31 00:30:00", 1.0),
                    Reading("M2", "2013-01-31 23:30:00", 1.0),
                    Reading("M1", "2013-01-31 00:30:00", 2.0),
                    Reading("M1", "2013-02-01 00:00:00", 2.0),
                    Reading("M1", "2013-02-01 00:00:00", None, "ERR"),
                ],
            ),
            MeterFile("b.csv", SECOND, [Reading("M1", "2013-01-31 00:30:00", 1.0)]),
        ]
    )
    clean_zone.quarantine(
        lake.store, batch, [Rejected("a.csv", FIRST, "M1", "20130131"), Rejected("a.csv", FIRST, "M3", "20130301")]
    )

    lake.run(batch)

    assert lake.tallies(batch) == {
        ("a.csv", "M1", "20130131"): (2, 1),
        ("a.csv", "M2", "20130131"): (1, 0),
        ("a.csv", "M1", "20130201"): (1, 0),
        ("a.csv", "M3", "20130301"): (0, 1),
        ("b.csv", "M1", "20130131"): (1, 0),
    }


def test_the_tallies_of_a_batch_that_was_swept_stay_when_its_run_is_cleared(lake: Lake) -> None:
    clean_zone.quarantine(lake.store, "b1", [Rejected("a.csv", FIRST, "M1", "20130102")])
    lake.load(MeterFile("a.csv", FIRST, [Reading("M1", HALF_PAST, 1.0)]))
    tallied = lake.tallies("b1")
    assert len(tallied) == 2
    for zone in ("clean", "quarantine"):
        lake.store.delete_folder(f"s3://clean/{zone}/batch=b1/")

    with pytest.raises(FileNotFoundError):
        lake.run("b1", run="b1-2")

    assert lake.tallies("b1") == tallied


def test_a_run_replaces_all_tallies_of_its_batch_and_what_a_killed_try_left(lake: Lake) -> None:
    batch = lake.clean([MeterFile("a.csv", FIRST, [Reading("M1", ONE, 1.0)])])
    for left in ("clean/tallies/batch=b1/month=201212/readings-00000.parquet", "business/daily/run=b1-1/x.parquet"):
        lake.store.write(f"s3://{left}", b"PAR1")

    lake.run(batch)

    assert lake.tallies(batch) == {("a.csv", "M1", "20130101"): (1, 0)}
    assert [found.uri for found in lake.store.listed("s3://business/")] == [
        "s3://business/daily/run=b1-1/reading_type=INT/month=201301/00000.parquet"
    ]


# How partitions are written.


def test_each_new_partition_says_where_it_lies_and_what_it_replaces(lake: Lake) -> None:
    old = "s3://business/daily/run=b1-1/reading_type=INT/month=201301/"
    lake.load(MeterFile("a.csv", FIRST, [Reading("M1", ONE, 1.0)]))

    rows = [Reading("M1", HALF_PAST, 1.0), Reading("M1", "2013-02-01 00:00:00", 1.0)]
    summary = lake.load(MeterFile("b.csv", FIRST, rows))

    folder = "s3://business/daily/run=b2-1/reading_type=INT/"
    assert summary["partitions"] == [
        {"values": ["INT", "201301"], "location": f"{folder}month=201301/", "rows": 2, "replaces": old},
        {"values": ["INT", "201302"], "location": f"{folder}month=201302/", "rows": 1, "replaces": None},
    ]


def test_untouched_partitions_are_not_read(lake: Lake) -> None:
    lake.catalog.locations = {("INT", "201212"): "s3://gone/", ("ERR", "201301"): "s3://gone/"}
    lake.load(MeterFile("a.csv", FIRST, [Reading("M1", ONE, 1.0)]))
    assert lake.catalog.locations["INT", "201301"] == "s3://business/daily/run=b1-1/reading_type=INT/month=201301/"


def test_the_files_have_the_columns_of_the_business_zone(lake: Lake) -> None:
    lake.load(MeterFile("a.csv", FIRST, [Reading("M1", "2013-12-30 13:30:00", 1.0)]))
    (found,) = lake.store.parquet_files("s3://business/")
    footer = pq.read_metadata(lake.store.place(found))
    assert footer.schema.names == schemas.BUSINESS.names
    assert footer.row_group(0).column(0).compression == "ZSTD"
    ((table,),) = lake.tables().values()
    decoded = [pa.string() if pa.types.is_dictionary(kind) else kind for kind in schemas.BUSINESS.types]
    assert [pa.string() if pa.types.is_dictionary(kind) else kind for kind in table.schema.types] == decoded
    (row,) = table.to_pylist()
    assert [
        row[name] for name in ("date_str", "iso_year", "week_of_year", "day_of_month", "year", "hour", "minute")
    ] == [
        "20131230",
        2014,
        1,
        30,
        2013,
        13,
        30,
    ]


def test_a_file_has_row_groups_that_know_their_meters(lake: Lake) -> None:
    times = [f"2013-01-{day:02} {hour:02}:00:00" for day in range(1, 31) for hour in range(24)]
    with patch.object(business_partitions, "ROWS_A_GROUP", len(times)):
        lake.load(
            MeterFile("a.csv", FIRST, [Reading(meter, time, 1.0) for time in times for meter in ("M3", "M1", "M2")])
        )
    (found,) = lake.store.parquet_files("s3://business/")
    groups = meter_row_groups.of_files(lake.store, [found])
    assert [(group.rows, group.first_meter, group.last_meter) for group in groups] == [
        (len(times), meter, meter) for meter in ("M1", "M2", "M3")
    ]


def test_a_large_partition_is_cut_by_meter_into_files_in_the_order_of_meters(lake: Lake) -> None:
    rows = [Reading(f"M{meter:02}", f"2013-01-01 0{hour}:00:00", 1.0) for hour in range(3) for meter in range(20)]
    with patch.object(business_partitions, "MOST_ROWS", 24):
        summary = lake.load(MeterFile("a.csv", FIRST, rows))
        lake.load(MeterFile("b.csv", SECOND, rows[:1]))
    assert [part["rows"] for part in summary["partitions"]] == [60]
    (tables,) = lake.tables().values()
    assert len(tables) >= 3
    assert all(0 < table.num_rows <= 24 for table in tables)
    order = [(row["meter_id"], row["reading_date_time"]) for table in tables for row in table.to_pylist()]
    assert order == sorted(order)
    assert len(order) == 60


def test_a_range_of_meters_reads_the_row_groups_that_hold_it(lake: Lake) -> None:
    rows = [Reading(f"M{meter}", f"2013-01-01 0{hour}:00:00", 1.0) for meter in range(4) for hour in range(5)]
    batch = lake.clean([MeterFile("a.csv", FIRST, rows)], rows_a_group=5)
    groups = clean_row_groups.read(lake.store, summaries.row_groups_uri("clean", batch))
    wanted = business_partitions.touched(lake.store, groups, "month")
    folders = business_partitions.Folders("s3://business/daily/run=1/", "s3://clean/tallies/batch=b1/")

    items = business_partitions.plan(lake.store, wanted, {}, "month", folders, most_rows=10)

    assert [(item.meters, [part.row_groups for part in item.came]) for item in items] == [
        (MeterRange(None, "M2"), [(0, 1)]),
        (MeterRange("M2", None), [(2, 3)]),
    ]


def test_a_batch_of_an_earlier_version_is_refused_with_what_to_do(lake: Lake) -> None:
    batch = lake.clean([MeterFile("a.csv", FIRST, [Reading("M1", ONE, 1.0)])])
    lake.store.delete([summaries.row_groups_uri("clean", batch)])

    with pytest.raises(clean_to_business.OutdatedBatchError, match=r"^The batch b1 has no list .* Clear raw_to_clean"):
        lake.run(batch)

    assert lake.store.listed("s3://business/daily/") == []


def test_items_can_be_sent_to_another_process(lake: Lake) -> None:
    batch = lake.clean([MeterFile("a.csv", FIRST, [Reading("M1", ONE, 1.0), Reading("M2", ONE, None, "ERR")])])
    groups = clean_row_groups.read(lake.store, summaries.row_groups_uri("clean", batch))
    wanted = business_partitions.touched(lake.store, groups, "month")
    folders = business_partitions.Folders("s3://business/daily/run=1/", "s3://clean/tallies/batch=b1/")
    items = business_partitions.plan(lake.store, wanted, {}, "month", folders, most_rows=10)
    assert len(items) == 2

    sent_work, sent_items = pickle.loads(pickle.dumps((business_partitions.write, items)))  # noqa: S301 (our own)

    here = [business_partitions.write(lake.store, item) for item in items]
    assert [sent_work(lake.store, item) for item in sent_items] == here


def test_at_grain_day_a_partition_is_a_day(lake: Lake) -> None:
    days = ("20130101", "20130102", "20130105")
    rows = [Reading("M1", f"{day[:4]}-{day[4:6]}-{day[6:]} 23:30:00", 1.0) for day in days]
    summary = lake.load(MeterFile("a.csv", FIRST, rows), grain="day")
    assert [(part["values"], part["location"], part["rows"]) for part in summary["partitions"]] == [
        (["INT", day], f"s3://business/daily/run=b1-1/reading_type=INT/day={day}/", 1) for day in days
    ]


def test_at_grain_day_the_days_between_touched_ones_are_not_read(lake: Lake) -> None:
    lake.catalog.locations = {("INT", "20130102"): "s3://gone/"}
    rows = [Reading("M1", f"2013-01-0{day} 00:00:00", 1.0) for day in (1, 3)]
    summary = lake.load(MeterFile("a.csv", FIRST, rows), grain="day")
    assert [part["values"] for part in summary["partitions"]] == [["INT", "20130101"], ["INT", "20130103"]]


def test_a_grain_that_is_unknown_is_refused(lake: Lake) -> None:
    with pytest.raises(GrainError, match="month or day, not 'week'"):
        lake.load(MeterFile("a.csv", FIRST, [Reading("M1", ONE, 1.0)]), grain="week")


def test_a_grain_that_would_show_readings_twice_is_refused() -> None:
    refuse = business_partitions.require_one_grain
    refuse([("INT", "201301")], [("INT", "201301"), ("INT", "20130201"), ("ERR", "20130101")], "month")
    refuse([("INT", "20130101")], [("INT", "20130102"), ("INT", "201302")], "day")
    with pytest.raises(GrainError, match="INT readings of 20130105 .* with grain day"):
        refuse([("INT", "201301")], [("INT", "20130105")], "month")
    with pytest.raises(GrainError, match="INT readings of 201301 .* with grain month"):
        refuse([("INT", "20130101")], [("INT", "201301")], "day")


# Any batches, cut in any way, against the merge in plain Python.

METERS = ("M1", "M10", "M2", "Zähler", "\U0001f50c", "￮")
TIMES = ("2013-01-31 23:30:00", "2013-02-01 00:00:00", "2013-02-03 12:07:27", "2014-12-31 00:00:00")


@some.composite
def readings(draw: some.DrawFn) -> Reading:
    kind = draw(some.sampled_from(["INT", "INT", "INT", "AGG", "ERR"]))
    value = None if kind == "ERR" else draw(some.sampled_from([0.0, 1.5, 2.0]))
    codes = some.sampled_from([None, "A", "B"])
    return Reading(
        draw(some.sampled_from(METERS)), draw(some.sampled_from(TIMES)), value, kind, draw(codes), draw(codes)
    )


FILES = some.builds(
    MeterFile,
    some.sampled_from(["a.csv", "b.csv", "a-2.csv", "B.csv"]),
    some.sampled_from([FIRST, SECOND, THIRD]),
    some.lists(readings(), max_size=8),
)
BATCHES = some.lists(some.lists(FILES, max_size=4, unique_by=lambda file: file.name), min_size=1, max_size=3)


@settings(max_examples=40, deadline=None)
@given(
    BATCHES,
    some.sampled_from(["month", "day"]),
    some.sampled_from([1, 2, 5, 1000]),
    some.sampled_from([1, 3, 100]),
)
def test_any_batches_cut_in_any_way_end_in_the_readings_of_a_merge_by_hand(
    tmp_path_factory: pytest.TempPathFactory,
    batches: Sequence[Sequence[MeterFile]],
    grain: str,
    most_rows: int,
    rows_a_group: int,
) -> None:
    lake = Lake(tmp_path_factory.mktemp("lake"))
    expected: Readings = {}
    for files in batches:
        expected, counted = merge(expected, files, grain)
        with (
            patch.object(business_partitions, "MOST_ROWS", most_rows),
            patch.object(business_partitions, "ROWS_A_GROUP", rows_a_group),
            patch.object(merging, "_READINGS_AT_ONCE", rows_a_group),
        ):
            batch = lake.clean(files, rows_a_group)
            summary = lake.run(batch, grain)
        lake.catalog.publish(summary)

        assert lake.readings() == expected
        assert {name: summary[name] for name in COUNTS} == counted
        assert sum(part["rows"] for part in summary["partitions"]) == counted["readings_written"]
        assert {key: count for key, (count, _) in lake.tallies(batch).items()} == tallied(files)
        for tables in lake.tables().values():
            order = [(row["meter_id"], row["reading_date_time"]) for table in tables for row in table.to_pylist()]
            assert order == sorted(order)


def tallied(files: Iterable[MeterFile]) -> dict[tuple[str, str, str], int]:
    """How many interval readings each file has of a meter and day."""
    counted: dict[tuple[str, str, str], int] = {}
    for file in files:
        for row in file.readings:
            if row.kind == "INT":
                key = (file.name, row.meter, row.time[:10].replace("-", ""))
                counted[key] = counted.get(key, 0) + 1
    return counted


def test_a_few_wide_row_groups_are_cut_at_meters_between_their_ends(lake: Lake) -> None:
    rows = [Reading(f"M{meter:03}", ONE, 1.0) for meter in range(100)]
    files = [MeterFile(f"{number}.csv", FIRST, rows) for number in range(4)]
    with patch.object(business_partitions, "MOST_ROWS", 100):
        lake.load(*files)
    (tables,) = lake.tables().values()
    assert len(tables) >= 4
    assert max(table.num_rows for table in tables) <= 25


def test_ranges_hold_each_meter_once() -> None:
    groups = [MeterRowGroup("s3://b/x", number, 12, f"M{number}", f"M{number + 2}") for number in range(6)]
    # Each group has 4 rows at each of its three meters. So M0 to M7 have 4, 8, 12, 12, 12, 12, 8 and 4 rows.
    assert meter_ranges.cut(groups, most_rows=24) == [
        MeterRange(None, "M3"),
        MeterRange("M3", "M5"),
        MeterRange("M5", None),
    ]
