"""Completeness: which meter and day has a row, and what is counted in it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
from meter_data.consumption import completeness
from meter_data.lake.calendar import days_of, number_of
from meter_data.lake.schemas import CODED, COMPLETENESS, INT

from tests.glue.consumption_lake import Row, coded_table

TALLIED = pa.schema([("meter_id", CODED), ("date_str", CODED), ("readings", INT), ("rejected", INT)])


def day(meter: str, date: str, received: int = 48, estimated: int = 0) -> Row:
    midnight = datetime.strptime(date, "%Y%m%d").replace(tzinfo=UTC)
    return (meter, number_of(date), received, estimated, midnight, midnight.replace(hour=23, minute=30))


def rows(
    month: str,
    *counted: Row,
    before: tuple[str, ...] = (),
    tallied: tuple[Row, ...] = (),
    loaded: tuple[str, ...] | None = None,
) -> list[dict[str, Any]]:
    """The rows of a month; its loaded days are those that have readings, if no others are given."""
    days = {row[1] for row in counted} if loaded is None else {number_of(date) for date in loaded}
    found = completeness.rows(
        days_of(month),
        coded_table(completeness.COUNTED, *counted),
        pa.array(before, pa.string()),
        coded_table(TALLIED, *tallied),
        days,
        48,
    )
    assert found.schema.equals(COMPLETENESS)
    return found.to_pylist()


def chosen(found: list[dict[str, Any]], *names: str) -> list[Row]:
    return [tuple(row[name] for name in names) for row in found]


def test_a_row_has_what_was_expected_and_what_arrived() -> None:
    found = rows("201301", day("M1", "20130131", 47, 2), tallied=(("M1", "20130131", 50, 4),))
    assert [tuple(row.values()) for row in found] == [
        (
            "M1",
            "20130131",
            48,
            47,
            2,
            4,
            3,
            datetime(2013, 1, 31, tzinfo=UTC),
            datetime(2013, 1, 31, 23, 30, tzinfo=UTC),
        )
    ]


def test_a_meter_that_falls_silent_is_expected_to_the_end_of_its_month() -> None:
    found = rows("201301", day("M1", "20130130"), day("M1", "20130131"), day("M2", "20130130"))
    assert chosen(found[2:], "meter_id", "date_str", "expected", "received", "first_reading") == [
        ("M2", "20130130", 48, 48, datetime(2013, 1, 30, tzinfo=UTC)),
        ("M2", "20130131", 48, 0, None),
    ]


def test_and_on_the_loaded_days_of_the_month_after() -> None:
    found = rows("201302", day("M1", "20130201"), day("M1", "20130228"), before=("M1", "M2"))
    assert chosen(found[2:], "meter_id", "date_str", "expected", "received", "last_reading") == [
        ("M2", "20130201", 48, 0, None),
        ("M2", "20130228", 48, 0, None),
    ]


def test_a_new_meter_is_expected_from_its_first_reading_on() -> None:
    dates = ("20130101", "20130102", "20130103")
    found = rows("201301", *(day("M1", date) for date in dates), day("M2", "20130102"), before=("M1",))
    assert chosen(found[3:], "meter_id", "date_str", "received") == [("M2", "20130102", 48), ("M2", "20130103", 0)]


def test_a_meter_of_the_month_before_is_expected_from_the_first_loaded_day_on() -> None:
    found = rows("201301", day("M1", "20130102"), day("M1", "20130103"), day("M2", "20130103", 1), before=("M2",))
    assert chosen(found[2:], "meter_id", "date_str", "received") == [("M2", "20130102", 0), ("M2", "20130103", 1)]


def test_a_day_may_be_loaded_by_meters_of_another_range() -> None:
    found = rows("201301", day("M1", "20130102"), loaded=("20130101", "20130102", "20130103"))
    assert chosen(found, "date_str", "received") == [("20130102", 48), ("20130103", 0)]


def test_rejected_rows_have_a_day_of_their_own_where_nothing_else_came() -> None:
    tallied = (
        ("M1", "20130104", 0, 2),  # no meter has readings of that day
        ("M2", "20130102", 0, 40),  # no reading of that meter came
        ("M2", "20130102", 0, 8),  # in another file
        ("M3", "20130103", 5, 0),  # a batch whose readings are not published yet
    )
    found = rows("201301", day("M1", "20130102"), day("M1", "20130103"), tallied=tallied)
    assert chosen(found, "meter_id", "date_str", "expected", "received", "rejected", "duplicates") == [
        ("M1", "20130102", 48, 48, 0, 0),
        ("M1", "20130103", 48, 48, 0, 0),
        ("M1", "20130104", 48, 0, 2, 0),
        ("M2", "20130102", 48, 0, 48, 0),
    ]


def test_days_with_readings_are_carried_over_unless_they_are_summed() -> None:
    midnight = datetime(2013, 1, 1, tzinfo=UTC)
    published = coded_table(
        completeness.CARRIED,
        ("M1", "20130101", 48, 1, midnight, midnight),
        ("M1", "20130102", 48, 1, midnight, midnight),  # summed
        ("M2", "20130101", 0, 0, None, None),  # missed
    )
    found = completeness.carried_over(published, {number_of("20130102")})
    assert [tuple(row.values()) for row in found.to_pylist()] == [
        ("M1", number_of("20130101"), 48, 1, midnight, midnight)
    ]
