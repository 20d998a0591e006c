"""What is reported of how complete the touched dates are."""

from __future__ import annotations

from typing import Any

from meter_data.consumption import completeness_report

from tests.glue.consumption_lake import Row, coded_table


def reported(*found: Row) -> dict[str, Any]:
    return completeness_report.report(coded_table(completeness_report.REPORTED, *found))


EXPECTED_SUMMARY = {
    "expected": 240,
    "received": 136,
    "estimated": 1,
    "rejected": 8,
    "duplicates": 2,
    "meters": 3,
    "incomplete_meters": 2,
    "silent_meters": 1,
    "days": 2,
    "incomplete_days": 2,
    "worst_days": [
        {"date_str": "20130102", "expected": 144, "received": 48, "incomplete_meters": 2},
        {"date_str": "20130101", "expected": 96, "received": 88, "incomplete_meters": 1},
    ],
}
OF_M1 = (("M1", "20130101", 48, 48, 0, 0, 0), ("M1", "20130102", 48, 50, 0, 0, 0))  # a surplus fills no other gap
OF_M2 = (("M2", "20130101", 48, 40, 1, 8, 2), ("M2", "20130102", 48, 0, 0, 0, 0))
OF_M3 = (("M3", "20130102", 48, 0, 0, 0, 0),)


def test_the_summary_names_days_and_counts_meters() -> None:
    assert completeness_report.summary([reported(*OF_M1, *OF_M2, *OF_M3)]) == EXPECTED_SUMMARY


def test_reports_of_ranges_of_meters_add_up() -> None:
    assert completeness_report.summary([reported(*OF_M1), reported(*OF_M2), reported(*OF_M3)]) == EXPECTED_SUMMARY


def test_the_worst_days_are_five_at_most_and_incomplete() -> None:
    days = [("M1", f"2013010{number}", 48, 48 - number, 0, 0, 0) for number in range(1, 8)]
    found = completeness_report.summary([reported(("M1", "20130120", 48, 48, 0, 0, 0), *days)])
    assert [found["days"], found["incomplete_days"]] == [8, 7]
    assert [worst["date_str"] for worst in found["worst_days"]] == [f"2013010{number}" for number in (7, 6, 5, 4, 3)]


def test_nothing_is_reported_of_no_rows() -> None:
    found = completeness_report.summary([reported()])
    assert found["worst_days"] == []
    assert {name: count for name, count in found.items() if name != "worst_days"} == dict.fromkeys(
        EXPECTED_SUMMARY.keys() - {"worst_days"}, 0
    )
