"""Which folders are superseded, and since when: decided from the catalog, summaries and notes alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from metering import sweeping
from metering.catalog import Published
from metering.sweeping import Folder

RUN = "20260102T090000-3fa2c1-1"
URI = f"s3://business/daily/run={RUN}/reading_type=INT/month=201301/"
NEWER = "s3://business/daily/run=20260103T090000-aaaaaa-1/reading_type=INT/month=201301/"
VALUES = ("INT", "201301")
SUMMARY = "_summaries/20260102T090000-3fa2c1/clean_to_business.json"
DAY = timedelta(days=1)
WRITTEN = datetime(2026, 1, 2, 9, 30, tzinfo=UTC)
NOW = datetime(2026, 1, 9, 3, tzinfo=UTC)


def since(
    location: str = NEWER,
    published_at: datetime | None = WRITTEN + DAY,
    *,
    values: tuple[str, ...] = VALUES,
    summaries: dict[str, datetime] | None = None,
    noted: dict[str, str] | None = None,
) -> datetime | None:
    folder = Folder(URI, RUN, VALUES, ["key"], 1, WRITTEN)
    published = {values: Published(location, published_at)}
    return sweeping.superseded_since("daily", [folder], published, summaries or {}, noted or {}, NOW).get(URI)


def test_a_folder_is_superseded_when_a_newer_one_has_been_published() -> None:
    assert since() == WRITTEN + DAY


def test_a_folder_that_the_catalog_points_at_is_not() -> None:
    assert since(URI) is None
    assert since(URI, values=("INT", "201302")) is None


def test_a_folder_of_values_that_were_never_published_is_not() -> None:
    assert since(values=("INT", "201302")) is None


def test_a_folder_that_was_written_after_the_published_one_may_still_be_published() -> None:
    assert since(published_at=WRITTEN) is None
    assert since(published_at=WRITTEN - DAY) is None
    assert since(published_at=None) is None


def test_publishing_goes_by_the_summary_so_that_its_time_counts_too() -> None:
    assert since(summaries={SUMMARY: WRITTEN + DAY}) is None
    assert since(summaries={SUMMARY: WRITTEN + DAY / 2}) == WRITTEN + DAY
    assert since(summaries={f"_summaries/{RUN}/clean_to_business.json": NOW}) == WRITTEN + DAY


def test_a_note_tells_of_earlier_versions_than_the_published_one() -> None:
    noted = {URI: (WRITTEN + 3 * DAY).isoformat()}

    assert since(published_at=WRITTEN + 6 * DAY, noted=noted) == WRITTEN + 3 * DAY
    assert since(published_at=WRITTEN + 2 * DAY, noted=noted) == WRITTEN + 2 * DAY


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ("daily", SUMMARY),
        ("aggregated_weekly", f"_summaries/{RUN}/aggregate_consumption.json"),
        ("completeness", f"_summaries/{RUN}/aggregate_consumption.json"),
        ("anomaly", f"_summaries/{RUN}/detect_anomalies.json"),
    ],
)
def test_a_summary_is_found_where_its_job_writes_it(table: str, key: str) -> None:
    assert sweeping.summary_key(table, RUN) == key
