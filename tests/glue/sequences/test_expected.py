"""The tables that sequences are compared with, against rows written by hand."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tests.glue.sequences.deliveries import BadRow, MeterFile, Row
from tests.glue.sequences.expected import Expected, Version

SUNDAY, MONDAY, NEW_YEAR, LATER = (
    datetime(2012, 12, 30),  # noqa: DTZ001 (all are UTC)
    datetime(2012, 12, 31, 23, 30),  # noqa: DTZ001
    datetime(2013, 1, 1),  # noqa: DTZ001
    datetime(2013, 2, 1),  # noqa: DTZ001
)
FIRST, SECOND = datetime(2013, 3, 1, 9), datetime(2013, 3, 2, 9)  # noqa: DTZ001


def of(*versions: tuple[datetime, list[Any]]) -> dict[str, list[tuple[Any, ...]]]:
    made = [version(f"{at}", at, rows) for at, rows in versions]
    return Expected([made], made).tables()


def version(name: str, at: datetime, rows: list[Any]) -> Version:
    return Version(f"s3://landing/{name}", at, MeterFile(tuple(rows)))


def test_the_newest_delivery_wins_whatever_its_order_and_in_one_file_the_later_row() -> None:
    tables = of(
        (SECOND, [Row("M1", MONDAY, 8), Row("M1", NEW_YEAR, 6), Row("M1", NEW_YEAR, 4)]),
        (FIRST, [Row("M1", MONDAY, 16), Row("M1", MONDAY, None)]),
    )

    assert tables["daily"] == [
        ("M1", "ERR", MONDAY, None, "NULL", FIRST),
        ("M1", "INT", MONDAY, 1.0, None, SECOND),
        ("M1", "INT", NEW_YEAR, 0.5, None, SECOND),
    ]


def test_of_files_of_one_second_the_later_name_wins_and_a_published_reading_loses() -> None:
    a, b = version("a", FIRST, [Row("M1", NEW_YEAR, 8)]), version("b", FIRST, [Row("M1", NEW_YEAR, 4)])

    assert Expected([{a, b}], {a, b}).tables()["daily"] == [("M1", "INT", NEW_YEAR, 0.5, None, FIRST)]
    assert Expected([{b}, {a}], {a, b}).tables()["daily"] == [("M1", "INT", NEW_YEAR, 1.0, None, FIRST)]


def test_the_week_of_a_year_end_belongs_to_the_new_year_and_the_months_do_not() -> None:
    tables = of((FIRST, [Row("M1", SUNDAY, 8), Row("M1", MONDAY, 16), Row("M1", NEW_YEAR, 4)]))

    assert tables["aggregated_weekly"] == [("M1", "20121224", 1.0, 1), ("M1", "20121231", 2.5, 2)]
    assert tables["aggregated_monthly"] == [("M1", "20121201", 3.0, 2), ("M1", "20130101", 0.5, 1)]


def test_a_meter_is_missed_from_its_first_reading_to_the_end_of_the_month_after_its_last() -> None:
    tables = of(
        (FIRST, [Row("M1", MONDAY, 8), Row("M1", MONDAY, 8), BadRow("M2", NEW_YEAR, is_attributed=True)]),
        (SECOND, [Row("M2", SUNDAY, 8), Row("M2", NEW_YEAR, 8), Row("M2", LATER, 8), Row("M1", MONDAY, None)]),
    )

    assert tables["completeness"] == [
        ("M1", "20121231", 48, 1, 0, 0, MONDAY, MONDAY, 1),
        ("M1", "20130101", 48, 0, 0, 0, None, None, 0),
        ("M2", "20121230", 48, 1, 0, 0, SUNDAY, SUNDAY, 0),
        ("M2", "20121231", 48, 0, 0, 0, None, None, 0),
        ("M2", "20130101", 48, 1, 0, 1, NEW_YEAR, NEW_YEAR, 0),
        ("M2", "20130201", 48, 1, 0, 0, LATER, LATER, 0),
    ]
