"""aggregate_consumption: sums of touched days, weeks and months; all else is carried over."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from meter_data.consumption.partitions import KEYS
from meter_data.consumption.shares import Limits

from tests.glue.consumption_lake import SCHEMAS, SUMS, ConsumptionLake, Row, sums
from tests.glue.folder_store import FolderStore


@pytest.fixture
def lake(tmp_path: Path) -> ConsumptionLake:
    return ConsumptionLake(tmp_path)


def reading(meter: str, day: str, value: float, time: str = "00:00") -> Row:
    return (meter, f"{day[:4]}-{day[4:6]}-{day[6:]} {time}", value)


def test_days_weeks_and_months_are_summed_of_interval_readings(lake: ConsumptionLake) -> None:
    lake.publish_readings(
        reading("M1", "20130130", 1.0),
        reading("M1", "20130130", 0.5, "00:30"),
        reading("M1", "20130201", 2.0),
        reading("M2", "20130201", 4.0),
    )
    lake.publish_partition(("AGG", "201301"), [reading("M1", "20130130", 1000.0)])

    lake.aggregate("20130130-20130201")

    assert lake.written("aggregated_daily", "meter_id", "date_str", "consumption", "interval_count") == [
        ("M1", "20130130", 1.5, 2),
        ("M1", "20130201", 2.0, 1),
        ("M2", "20130201", 4.0, 1),
    ]
    assert lake.written(
        "aggregated_weekly", "meter_id", "week_of_year", "week_start", "consumption", "interval_count"
    ) == [("M1", 5, "20130128", 3.5, 3), ("M2", 5, "20130128", 4.0, 1)]
    assert lake.written("aggregated_monthly", "meter_id", "month", "month_start", "consumption", "interval_count") == [
        ("M1", 1, "20130101", 1.5, 2),
        ("M1", 2, "20130201", 2.0, 1),
        ("M2", 2, "20130201", 4.0, 1),
    ]


def test_weeks_around_new_year_belong_to_their_iso_year(lake: ConsumptionLake) -> None:
    days = ["20121230", "20121231", "20130101", "20131229", "20131230", "20140105", "20160103", "20160104"]
    lake.publish_readings(*(reading("M1", day, float(place)) for place, day in enumerate(days, start=1)))

    summary = lake.aggregate(",".join(f"{day}-{day}" for day in days))

    assert [part["values"] for part in summary["tables"]["aggregated_weekly"]["partitions"]] == [
        ["2012"],
        ["2013"],
        ["2014"],
        ["2015"],
        ["2016"],
    ]
    assert lake.written("aggregated_weekly", "week_start", "week_of_year", "consumption") == [
        ("20121224", 52, 1.0),
        ("20121231", 1, 5.0),
        ("20131223", 52, 4.0),
        ("20131230", 1, 11.0),
        ("20151228", 53, 7.0),
        ("20160104", 1, 8.0),
    ]
    of_2015 = lake.files("aggregated_weekly", "2015")
    assert [pq.ParquetFile(file).read()["week_start"].to_pylist() for file in of_2015] == [["20151228"]]


def test_only_touched_dates_are_summed_and_the_rest_is_carried_over(lake: ConsumptionLake) -> None:
    # Thursday 2013-01-31 is touched; its week reaches into February.
    lake.publish_readings(reading("M1", "20130130", 99.0), reading("M1", "20130131", 5.0))
    lake.publish(
        "aggregated_daily",
        ("201301",),
        sums(
            "aggregated_daily",
            ("M1", "20130130", 1.0, 48),
            ("M1", "20130131", 1.0, 48),
            ("M2", "20130131", 1.0, 48),  # its readings are gone
        ),
    )
    lake.publish(
        "aggregated_daily",
        ("201302",),
        sums(
            "aggregated_daily",
            ("M1", "20130201", 1.0, 48),
            ("M1", "20130204", 1.0, 48),  # another week, another month
        ),
    )
    lake.publish(
        "aggregated_weekly",
        ("2013",),
        sums("aggregated_weekly", ("M1", "20130121", 4, 70.0, 336), ("M1", "20130128", 5, 70.0, 336)),
    )
    lake.publish("aggregated_weekly", ("2012",), sums("aggregated_weekly", ("M1", "20121224", 52, 70.0, 336)))
    lake.publish(
        "aggregated_monthly",
        ("2013",),
        sums("aggregated_monthly", ("M1", "20130101", 1, 31.0, 1488), ("M1", "20130301", 3, 33.0, 1488)),
    )

    summary = lake.aggregate("20130131-20130131")

    assert lake.written("aggregated_daily") == [("M1", "20130130", 1.0, 48), ("M1", "20130131", 5.0, 1)]
    assert lake.written("aggregated_weekly") == [("M1", "20130121", 4, 70.0, 336), ("M1", "20130128", 5, 7.0, 97)]
    assert lake.written("aggregated_monthly") == [("M1", "20130101", 1, 6.0, 49), ("M1", "20130301", 3, 33.0, 1488)]
    tables = summary["tables"]
    assert {table: [part["values"] for part in said["partitions"]] for table, said in tables.items()} == {
        "aggregated_daily": [["201301"]],
        "aggregated_weekly": [["2013"]],
        "aggregated_monthly": [["2013"]],
        "completeness": [["201301"]],
    }
    assert [part["replaces"] for part in tables["aggregated_weekly"]["partitions"]] == [
        lake.known["aggregated_weekly"][("2013",)].location
    ]
    assert [part["replaces"] for part in tables["completeness"]["partitions"]] == [None]


def test_readings_are_added_in_order_of_time(lake: ConsumptionLake) -> None:
    # In floating point the order shows: 1e16 + 1 is 1e16, so that 1e16 + 1 - 1e16 is 0, and 1e16 - 1e16 + 1 is 1.
    values = [1e16, 1.0, -1e16] * 8
    times = [f"{place // 2:02d}:{place % 2 * 3}0" for place in range(len(values))]
    lake.publish_readings(*(reading("M1", "20130102", value, time) for value, time in zip(values, times, strict=True)))
    expected = 0.0
    for value in values:
        expected += value

    lake.aggregate("20130102-20130102")

    assert lake.written("aggregated_daily", "consumption", "interval_count") == [(expected, 24)]


@pytest.mark.parametrize("limits", [Limits(), Limits(readings=20, days=4)])
def test_day_by_day_in_any_order_gives_the_same_as_all_at_once(lake: ConsumptionLake, limits: Limits) -> None:
    days = ["20121230", "20121231", "20130101", "20130131", "20130201"]
    # M2 begins late and falls silent; what is missed of it depends on the month before.
    of_m2 = [reading("M2", day, 0.25) for day in days[1:3]]
    lake.publish_readings(*(reading("M1", day, 0.25) for day in days), *of_m2)
    lake.aggregate(f"{days[0]}-{days[-1]}", "all")
    for number, day in enumerate(days[place] for place in (3, 0, 4, 2, 1)):
        lake.publish_sums(lake.aggregate(f"{day}-{day}", str(number), limits))

    for table in SUMS:
        assert lake.published(table) == lake.written(table, run="all"), table
    missed = [row[:2] for row in lake.published("completeness", "meter_id", "date_str", "received") if row[2] == 0]
    assert missed == [("M2", "20130131"), ("M2", "20130201")]


def test_each_partition_is_one_file_of_the_columns_of_its_table(lake: ConsumptionLake) -> None:
    days = [f"{date(2012, 12, 1) + timedelta(days=number):%Y%m%d}" for number in range(60)]
    lake.publish_readings(*(reading(meter, day, 0.25) for day in days for meter in ("M2", "M1")))

    summary = lake.aggregate("20121201-20130129")

    tables = summary["tables"]
    assert [(part["values"], part["rows"]) for part in tables["aggregated_daily"]["partitions"]] == [
        (["201212"], 62),
        (["201301"], 58),
    ]
    assert tables["aggregated_weekly"]["prefix"] == "s3://business/aggregated_weekly/run=1/"
    for table in SUMS:
        for part in tables[table]["partitions"]:
            value = part["values"][0]
            assert part["location"] == f"{tables[table]['prefix']}{KEYS[table]}={value}/"
            (file,) = lake.files(table, value)
            found = pq.ParquetFile(file)
            assert found.schema_arrow.equals(SCHEMAS[table])
            # COPY documents snappy. Completeness is not copied.
            codec = "ZSTD" if table == "completeness" else "SNAPPY"
            assert found.metadata.row_group(0).column(0).compression == codec
            rows = found.read()
            keys = list(zip(*(rows.column(place).to_pylist() for place in (0, 1)), strict=True))
            assert keys == sorted(keys)


def test_the_files_of_a_large_partition_hold_ranges_of_meters(lake: ConsumptionLake) -> None:
    meters = [f"M{number}" for number in range(10, 30)]
    rows = [reading(meter, "20130102", 0.25, f"{hour:02d}:00") for meter in meters for hour in range(24)]
    lake.publish_readings(*rows, rows_a_file=100, rows_a_group=50)

    summary = lake.aggregate("20130102-20130102", limits=Limits(readings=120, days=8))

    for table, value in (("aggregated_daily", "201301"), ("completeness", "201301"), ("aggregated_monthly", "2013")):
        files = [pq.ParquetFile(file).read()["meter_id"].to_pylist() for file in lake.files(table, value)]
        assert len(files) > 2, table
        assert [meter for file in files for meter in file] == meters, table
        assert [part["rows"] for part in summary["tables"][table]["partitions"]] == [20], table
    assert summary["completeness"]["meters"] == 20


def test_items_and_what_they_return_can_be_sent_to_another_machine(lake: ConsumptionLake) -> None:
    lake.publish_readings(*(reading(f"M{number}", "20130102", 0.25) for number in range(9)), rows_a_group=3)
    lake.deliver("20140101T090000-aaaaaa", ("a.csv", datetime(2014, 1, 1, tzinfo=UTC), "M1", "20130102", 3, 5))
    in_process = lake.aggregate("20130102-20130102", limits=Limits(readings=3, days=3))
    written = {table: lake.written(table) for table in SUMS}

    def send(work: Any, items: Sequence[Any]) -> list[Any]:
        work, items = pickle.loads(pickle.dumps((work, items)))  # noqa: S301
        return pickle.loads(pickle.dumps([work(FolderStore(lake.store.root), item) for item in items]))  # noqa: S301

    sent = lake.aggregate("20130102-20130102", limits=Limits(readings=3, days=3), run_work=send)

    assert sent == in_process
    assert {table: lake.written(table) for table in SUMS} == written


def test_what_a_killed_try_has_left_is_gone(lake: ConsumptionLake) -> None:
    lake.publish_readings(reading("M1", "20130102", 1.0))
    left = "s3://business/aggregated_daily/run=1/month=201301/00007.parquet"
    lake.store.write_parquet(left, sums("aggregated_daily", ("M9", "20130102", 9.0, 1)), 1000)
    lake.aggregate("20130102-20130102")
    assert lake.written("aggregated_daily") == [("M1", "20130102", 1.0, 1)]


def test_dates_without_readings_keep_what_is_published_of_their_month(lake: ConsumptionLake) -> None:
    days = sums("aggregated_daily", ("M1", "20130130", 1.0, 48))
    lake.publish("aggregated_daily", ("201301",), days)
    lake.aggregate("20130102-20130102")
    assert lake.written("aggregated_daily", "date_str", "consumption") == [("20130130", 1.0)]


def test_the_summary_names_the_completeness_on_which_what_is_written_depends(lake: ConsumptionLake) -> None:
    """December was read for January. February would have been written anew if it were published."""
    lake.publish_readings(reading("M1", "20121231", 1.0), reading("M1", "20130131", 1.0))
    lake.publish_sums(lake.aggregate("20121231-20121231", "december"))

    summary = lake.aggregate("20130131-20130131")

    december = "s3://business/completeness/run=december/month=201212/"
    assert summary["tables"]["completeness"]["read"] == [
        {"values": ["201212"], "location": december},
        {"values": ["201302"], "location": None},
    ]
    lake.publish_sums(summary)
    again = lake.aggregate("20121231-20121231", "again")
    assert again["tables"]["completeness"]["read"] == [{"values": ["201211"], "location": None}]


def test_where_nothing_is_published_nothing_is_written(lake: ConsumptionLake) -> None:
    summary = lake.aggregate("20130102-20130102")
    assert [table["partitions"] for table in summary["tables"].values()] == [[], [], [], []]
    assert summary["completeness"] is None
    assert list(lake.store.root.iterdir()) == []


def test_readings_at_grain_day_are_summed_alike(lake: ConsumptionLake) -> None:
    lake.publish_partition(("INT", "20130131"), [reading("M1", "20130131", 1.0)])
    lake.publish_partition(("INT", "20130130"), [reading("M1", "20130130", 2.0)])
    summary = lake.aggregate("20130131-20130131")
    assert [part["values"] for part in summary["tables"]["aggregated_daily"]["partitions"]] == [["201301"]]
    assert lake.written("aggregated_daily", "date_str", "consumption") == [("20130131", 1.0)]


def test_the_summary_tells_of_the_touched_dates_only(lake: ConsumptionLake) -> None:
    lake.publish_readings(
        *(reading("M1", day, 0.25) for day in ("20121231", "20130101", "20130102")), reading("M2", "20121231", 0.25)
    )
    lake.publish_sums(lake.aggregate("20121231-20130102"))
    lake.deliver("20140101T090000-aaaaaa", ("a.csv", datetime(2014, 1, 1, tzinfo=UTC), "M1", "20130101", 3, 5))

    summary = lake.aggregate("20130101-20130101", "2")

    assert summary["run"] == "2"
    assert summary["dates"] == ["20130101-20130101"]
    # Of M2 nothing came; it is expected, as it had readings in December.
    assert summary["completeness"] == {
        "expected": 96,
        "received": 1,
        "estimated": 0,
        "rejected": 5,
        "duplicates": 2,
        "meters": 2,
        "incomplete_meters": 2,
        "silent_meters": 1,
        "days": 1,
        "incomplete_days": 1,
        "worst_days": [{"date_str": "20130101", "expected": 96, "received": 1, "incomplete_meters": 2}],
    }
