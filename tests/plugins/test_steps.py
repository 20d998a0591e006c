"""The steps of ingest_meter_readings and aggregate_consumption, from summaries of jobs to what is published."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from metering import aggregation, alerts, catalog, clients, glue, ingestion, ledger, rejects, set_aside

from tests.plugins.object_store import ObjectStore

BATCH = "20260102T090000-3fa2c1"
PARTITIONS = [{"values": ["INT", "201301"], "location": "s3://business/daily/run=x/", "rows": 3}]
EVENT = {"batch": BATCH, "run": f"{BATCH}-1", "dates": ["20130101-20130102"]}
NO_DATES = {"first_date": None, "last_date": None}


@pytest.fixture
def published(s3: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What is published, in order."""
    calls: list[dict[str, Any]] = []

    def publish(client: object, **arguments: Any) -> int:
        del arguments["published_at"]
        calls.append(arguments)
        return len(arguments["partitions"])

    monkeypatch.setattr(clients, "s3", lambda: s3)
    monkeypatch.setattr(clients, "glue", lambda: None)
    monkeypatch.setattr(catalog, "publish", publish)
    monkeypatch.setattr(catalog, "require_current", lambda client, **arguments: {})
    monkeypatch.setattr(catalog, "require_unchanged", lambda client, **arguments: None)
    monkeypatch.setattr(catalog, "published_dates", lambda client, database: ["20130101-20131231"])
    return calls


def minute(number: int) -> datetime:
    """When the object store was written to for the given time."""
    return datetime(2026, 1, 1, 0, number, tzinfo=UTC)


def test_readings_are_published_as_the_run_that_wrote_the_summary(
    s3: ObjectStore, published: list[dict[str, Any]]
) -> None:
    counted = {"rows_in": 3, "duplicates": 0, "conflicts": 0}
    summary = {"batch": BATCH, "run": f"{BATCH}-3", "partitions": PARTITIONS, "dates": [], **counted}
    s3.put_json("clean", f"_summaries/{BATCH}/clean_to_business.json", summary)

    assert ingestion.publish_readings(BATCH, "clean", "metering", {"max_conflict_share": 0}) == 1
    assert published == [
        {
            "database": "metering",
            "table": "daily",
            "partitions": PARTITIONS,
            "run": f"{BATCH}-3",
            "written_at": minute(1),
        }
    ]


@pytest.mark.usefixtures("published")
def test_conflicts_are_told_to_the_operators_above_the_share_of_the_run(
    s3: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(alerts, "tell", lambda subject, message: told.append(subject))
    counted = {"rows_in": 12, "duplicates": 2, "conflicts": 1}
    summary = {"batch": BATCH, "run": f"{BATCH}-3", "partitions": PARTITIONS, "dates": [], **counted}
    s3.put_json("clean", f"_summaries/{BATCH}/clean_to_business.json", summary)

    ingestion.publish_readings(BATCH, "clean", "metering", {"max_conflict_share": 0.1})
    assert told == []

    ingestion.publish_readings(BATCH, "clean", "metering", {"max_conflict_share": 0.09})
    assert told == ["Readings contradict one another"]


@pytest.mark.usefixtures("published")
def test_the_gate_reads_what_raw_to_clean_says(s3: ObjectStore) -> None:
    summary = {"batch": BATCH, "rows": 10, "rejected": 1, "rejected_by_reason": {"no number": 1}, "files": []}
    s3.put_json("clean", f"_summaries/{BATCH}/raw_to_clean.json", summary)

    assert "1 of 10 rows" in ingestion.check_rejected_share(BATCH, "clean", {"max_rejected_share": 0.1})
    with pytest.raises(rejects.RejectedShareError):
        ingestion.check_rejected_share(BATCH, "clean", {"max_rejected_share": 0.09})


@pytest.mark.usefixtures("published")
def test_new_files_are_found_where_the_deployment_says(s3: ObjectStore) -> None:
    s3.put_object("landing", "in/a.csv", "a")

    found = ingestion.find_new_meter_files(BATCH, "clean", "landing", "in/", "london", {"reprocess": []})

    assert found == {"batch": BATCH, "files": 1, "bytes": 1}


@pytest.mark.usefixtures("published")
def test_what_is_recorded_is_what_the_event_says(s3: ObjectStore) -> None:
    s3.put_json("clean", f"_summaries/{BATCH}/clean_to_business.json", {**EVENT, "partitions": PARTITIONS})
    files = [{"uri": f"s3://landing/{name}", "key": name, "etag": name, "size": 1} for name in ("a.csv", "b.zip")]
    s3.put_json("clean", f"_manifests/{BATCH}.json", {"batch": BATCH, "files": files})
    told = [{"uri": file["uri"], "set_aside": {"reason": "bad"} if file["key"] == "b.zip" else None} for file in files]
    s3.put_json("clean", f"_summaries/{BATCH}/raw_to_clean.json", {"files": told})

    assert ingestion.record_ledger(BATCH, "clean") == EVENT
    assert s3.keys("clean", "_ledger/") == ["_ledger/a.csv-1.json"]
    merged_at = s3.objects["clean", f"_summaries/{BATCH}/clean_to_business.json"]["LastModified"]
    assert ledger.merged_at(s3, "clean", BATCH) == merged_at


@pytest.mark.usefixtures("published")
def test_the_gate_tells_and_notes_the_files_that_were_set_aside(
    s3: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(alerts, "_publish", lambda subject, message: told.append(subject))
    s3.put_object("landing", "in/a.zip", "a")
    s3.put_object("landing", "in/b.csv", "bb")
    ingestion.find_new_meter_files(BATCH, "clean", "landing", "in/", "london", {"reprocess": []})
    files = [
        {"uri": "s3://landing/in/a.zip", "rows": 0, "rejected": 0, "set_aside": {"reason": "a ZIP archive"}},
        {"uri": "s3://landing/in/b.csv", "rows": 2, "rejected": 0, "set_aside": None},
    ]
    summary = {"batch": BATCH, "rows": 2, "rejected": 0, "rejected_by_reason": {}, "files": files}
    s3.put_json("clean", f"_summaries/{BATCH}/raw_to_clean.json", summary)

    said = ingestion.check_rejected_share(BATCH, "clean", {"max_rejected_share": 0})

    assert said.endswith("1 of 2 files set aside, unreadable:\na ZIP archive")
    assert told == ["Meter files could not be read"]
    assert len(s3.keys("clean", "_set_aside/")) == 1

    s3.put_json("clean", f"_summaries/{BATCH}/raw_to_clean.json", {**summary, "files": files[:1]})
    with pytest.raises(set_aside.NothingReadError):
        ingestion.check_rejected_share(BATCH, "clean", {"max_rejected_share": 1})


@pytest.mark.usefixtures("published")
def test_a_run_by_hand_sums_the_dates_it_is_asked_for() -> None:
    asked = {"first_date": "2013-03-01", "last_date": None}

    assert aggregation.choose_dates([], asked, "metering") == ["20130301-20131231"]
    assert aggregation.choose_dates([], NO_DATES, "metering") == ["20130101-20131231"]


@pytest.mark.usefixtures("published")
def test_events_win_over_parameters_and_their_dates_are_united() -> None:
    second = {**EVENT, "dates": ["20130103-20130103"]}

    assert aggregation.choose_dates([EVENT, second], NO_DATES, "metering") == ["20130101-20130103"]
    assert aggregation.choose_dates([{**EVENT, "dates": []}], NO_DATES, "metering") == []


def summed(s3: ObjectStore, number: int) -> None:
    """A try of the job has ended."""
    run = f"{BATCH}-{number}"
    tables = {table: {"prefix": "", "partitions": PARTITIONS} for table in ("aggregated_daily", "aggregated_weekly")}
    s3.put_json("clean", f"_summaries/{run}/aggregate_consumption.json", {"run": run, "tables": tables})


def test_the_sums_of_the_try_that_finished_last_are_published(s3: ObjectStore, published: list[dict[str, Any]]) -> None:
    for number in (10, 2):
        summed(s3, number)
    s3.put_json("clean", f"_summaries/{BATCH}-2/another_job.json", {})

    event = aggregation.publish_consumption([EVENT], BATCH, "20130101-20130102", "clean", "metering")

    assert event == {"batches": [BATCH], "run": f"{BATCH}-2", "dates": ["20130101-20130102"]}
    assert [(call["table"], call["run"], call["written_at"]) for call in published] == [
        ("aggregated_daily", f"{BATCH}-2", minute(2)),
        ("aggregated_weekly", f"{BATCH}-2", minute(2)),
    ]


def test_of_sums_that_are_superseded_in_one_table_none_is_published(
    s3: ObjectStore, published: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def require_current(client: object, *, table: str, written_at: datetime, **others: Any) -> None:
        assert written_at == minute(1)
        if table == "aggregated_weekly":
            raise catalog.SupersededError

    summed(s3, 1)
    monkeypatch.setattr(catalog, "require_current", require_current)

    with pytest.raises(catalog.SupersededError):
        aggregation.publish_consumption([EVENT], BATCH, "20130101-20130102", "clean", "metering")
    assert published == []


def test_sums_that_do_not_know_what_was_published_beside_them_are_not_published(
    s3: ObjectStore, published: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    beside = [{"values": ["201212"], "location": None}]
    asked = []

    def require_unchanged(client: object, **arguments: Any) -> None:
        asked.append(arguments)
        if arguments["read"]:
            raise catalog.SupersededError

    tables = {"aggregated_daily": {"partitions": PARTITIONS}, "completeness": {"partitions": [], "read": beside}}
    summary = {"run": f"{BATCH}-1", "tables": tables}
    s3.put_json("clean", f"_summaries/{BATCH}-1/aggregate_consumption.json", summary)
    monkeypatch.setattr(catalog, "require_unchanged", require_unchanged)

    with pytest.raises(catalog.SupersededError):
        aggregation.publish_consumption([EVENT], BATCH, "20130101-20130102", "clean", "metering")
    assert published == []
    assert asked == [
        {"database": "metering", "table": "aggregated_daily", "read": []},
        {"database": "metering", "table": "completeness", "read": beside},
    ]


def test_without_dates_the_batches_are_announced_and_nothing_is_published(published: list[dict[str, Any]]) -> None:
    event = aggregation.publish_consumption([EVENT], BATCH, "", "clean", "metering")

    assert event == {"batches": [BATCH], "run": None, "dates": []}
    assert published == []


def test_a_job_that_never_succeeded_is_said_to_be_cleared(s3: ObjectStore) -> None:
    with pytest.raises(glue.NoSummaryError, match="Clear its task"):
        glue.newest_summary(s3, "clean", BATCH, "aggregate_consumption")
