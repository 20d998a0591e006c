"""The days that a run looks at: as given, or up to the newest complete day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from meter_data.lake.meter_row_groups import of_files
from meter_data.series import data_range
from meter_data.series.data_range import DataRange, DataRangeError, NoCompleteDayError

from tests.glue.folder_store import FolderStore

DAYS = pa.schema([("meter_id", pa.string()), ("date_str", pa.string()), ("interval_count", pa.int32())])


def never() -> date:
    raise AssertionError("nobody has asked for the newest complete day")


def days_of(meter: str, first: date, *counts: int | None) -> list[tuple[str, str, int]]:
    """A row for each day from `first` on; none for None."""
    dated = [(first + timedelta(days=place), count) for place, count in enumerate(counts)]
    return [(meter, f"{day:%Y%m%d}", count) for day, count in dated if count is not None]


@pytest.fixture
def newest(tmp_path: Path) -> Callable[..., date]:
    """newest(rows of aggregated_daily): the newest complete day."""
    store = FolderStore(tmp_path)

    def find(*rows: tuple[str, str, int], intervals: int = 48) -> date:
        months = {row[1][:6] for row in rows}
        for month in months:
            of_month = [dict(zip(DAYS.names, row, strict=True)) for row in rows if row[1].startswith(month)]
            # Row groups of two rows, so that days lie in several.
            store.write_parquet(f"s3://days/{month}.parquet", pa.Table.from_pylist(of_month, DAYS), 2)

        def complete_of(month: str) -> dict[date, int]:
            groups = of_files(store, [f"s3://days/{month}.parquet"])
            return data_range.complete_meters(store, groups, intervals)

        return data_range.newest_complete_day(complete_of, months, intervals)

    return find


def test_days_are_taken_as_they_are_given_the_end_exclusive() -> None:
    days = data_range.resolve("2013-06-01", "2014-01-01", never)
    assert days == DataRange(date(2013, 6, 1), date(2014, 1, 1))
    assert len(days.hours) == 214 * 24
    assert (data_range.hour_text(days.hours[0]), data_range.hour_text(days.hours[-1])) == (
        "2013-06-01 00:00:00",
        "2013-12-31 23:00:00",
    )
    assert days.months == {"201306", "201307", "201308", "201309", "201310", "201311", "201312"}


def test_auto_is_the_214_days_up_to_the_newest_complete_one() -> None:
    days = data_range.resolve("auto", "auto", lambda: date(2013, 12, 31))
    assert days == DataRange(date(2013, 6, 1), date(2014, 1, 1))
    assert data_range.resolve("auto", "2014-01-01", never) == days
    assert data_range.resolve("2013-12-31", "auto", lambda: date(2013, 12, 31)).start == date(2013, 12, 31)


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        ("2013-06-01", "2013-06-01", "2013-06-01 does not lie before data_end 2013-06-01"),
        ("2014-06-01", "2013-06-01", "Give an earlier data_start"),
        ("01.06.2013", "2014-01-01", "data_start is '01.06.2013', which is no date"),
        ("2013-06-01", "", "data_end is '', which is no date"),
    ],
)
def test_days_that_cannot_be_are_refused(start: str, end: str, message: str) -> None:
    with pytest.raises(DataRangeError, match=message):
        data_range.resolve(start, end, never)


def test_an_incomplete_last_day_is_passed_over(newest: Callable[..., date]) -> None:
    first = date(2013, 12, 30)
    rows = [row for meter in ("M1", "M2", "M3") for row in days_of(meter, first, 48, 48, 48, 20)]
    assert newest(*rows) == date(2014, 1, 1)


def test_half_of_the_meters_are_enough(newest: Callable[..., date]) -> None:
    first = date(2013, 5, 1)
    whole, ends = days_of("M1", first, 48, 48, 48), days_of("M2", first, 48, 48, 47)
    assert newest(*whole, *ends) == date(2013, 5, 3)
    assert newest(*whole, *ends, *days_of("M3", first, 48, 48)) == date(2013, 5, 2)


def test_meters_that_go_on_when_the_others_ended_do_not_set_the_end(newest: Callable[..., date]) -> None:
    first = date(2013, 12, 1)
    ended = [row for number in range(5) for row in days_of(f"M{number}", first, *([48] * 31))]
    goes_on = [row for number in range(2) for row in days_of(f"N{number}", first, *([48] * 90))]
    assert newest(*ended, *goes_on) == date(2013, 12, 31)


def test_a_fleet_that_shrank_for_good_is_compared_with_the_last_ninety_days(newest: Callable[..., date]) -> None:
    first = date(2013, 1, 1)
    gone = [row for number in range(5) for row in days_of(f"M{number}", first, 48)]
    stays = [*days_of("N1", first, *([48] * 91)), *days_of("N2", first, *([48] * 91))]
    # 1 January is 90 days before 1 April, and the 91st before 2 April.
    assert newest(*gone, *stays) == date(2013, 1, 1)
    assert newest(*gone, *stays, *days_of("N1", date(2013, 4, 2), 48)) == date(2013, 4, 2)


def test_older_months_are_looked_at_when_the_newest_have_no_complete_day(newest: Callable[..., date]) -> None:
    assert newest(*days_of("M1", date(2013, 1, 30), 48, 48), *days_of("M1", date(2013, 4, 1), 5, 5)) == date(
        2013, 1, 31
    )


def test_a_day_is_compared_with_those_of_the_months_before(newest: Callable[..., date]) -> None:
    others = [row for number in range(2) for row in days_of(f"M{number}", date(2013, 12, 30), 48, 48)]
    assert newest(*others, *days_of("M9", date(2013, 12, 31), 48, 48)) == date(2013, 12, 31)


def test_a_day_is_complete_by_the_intervals_of_the_deployment(newest: Callable[..., date]) -> None:
    rows = days_of("M1", date(2013, 5, 1), 96, 96, 48)
    assert newest(*rows, intervals=48) == date(2013, 5, 3)
    assert newest(*rows, intervals=96) == date(2013, 5, 2)
    with pytest.raises(NoCompleteDayError, match="have all 192 readings.* correct IntervalsPerHour"):
        newest(*rows, intervals=192)


def test_months_are_read_once_each_and_only_as_many_as_are_needed() -> None:
    read: list[str] = []

    def complete_of(month: str) -> dict[date, int]:
        read.append(month)
        return {} if month == "201306" else {date(int(month[:4]), int(month[4:]), 1): 3}

    months = ["201212", *(f"2013{month:02d}" for month in range(1, 7))]
    assert data_range.newest_complete_day(complete_of, months, 48) == date(2013, 5, 1)
    # June and the months of the 90 days before 1 June; then those of the 90 days before 1 May.
    assert read == ["201306", "201305", "201304", "201303", "201302", "201301"]
