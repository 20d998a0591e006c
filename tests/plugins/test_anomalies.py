"""The steps of detect_anomalies, from summaries of the job to what is published."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from metering import anomalies, catalog, clients

from tests.plugins.object_store import ObjectStore

REPOSITORY = Path(__file__).resolve().parents[2]
HOLIDAYS = REPOSITORY / "include" / "glue" / "meter_data" / "anomalies" / "public_holidays.json"
BATCH = "20260102T090000-3fa2c1"
PARTITIONS = [{"values": ["201301"], "location": "s3://business/anomaly/run=x/month=201301/", "rows": 3}]
SUMMARY = {
    "run": f"{BATCH}-1",
    "partitions": PARTITIONS,
    "judged": 3,
    "anomalies": {"high": 2, "low": 1},
    "days": ["20130101-20130103"],
}


@pytest.fixture
def published(s3: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What is published, in order."""
    calls: list[dict[str, Any]] = []
    monkeypatch.setattr(clients, "s3", lambda: s3)
    monkeypatch.setattr(clients, "glue", lambda: None)
    monkeypatch.setattr(catalog, "publish", lambda client, **arguments: calls.append(arguments))
    return calls


def put(s3: ObjectStore, run: str, **changed: Any) -> None:
    s3.put_json("clean", f"_summaries/{run}/detect_anomalies.json", {**SUMMARY, "run": run, **changed})


def test_the_dates_of_all_events_are_those_that_were_summed() -> None:
    events = [{"dates": ["20130103-20130104"]}, {"dates": ["20130105-20130105"]}, {"dates": []}]

    assert anomalies.find_summed_days(events, "metering") == ["20130103-20130105"]
    assert anomalies.find_summed_days([{"dates": []}], "metering") == []


@pytest.mark.usefixtures("published")
def test_a_run_by_hand_looks_at_all_that_was_ever_summed(monkeypatch: pytest.MonkeyPatch) -> None:
    tables = {"aggregated_daily": {("201301",): "s3://a/", ("201302",): "s3://b/"}}
    monkeypatch.setattr(catalog, "locations", lambda client, database, table: tables[table])
    assert anomalies.find_summed_days([], "metering") == ["20130101-20130228"]

    tables["aggregated_daily"] = {}
    assert anomalies.find_summed_days([], "metering") == []


@pytest.mark.usefixtures("published")
def test_the_judged_days_are_those_of_the_try_that_finished_last(s3: ObjectStore) -> None:
    put(s3, f"{BATCH}-10")
    assert anomalies.find_judged_days(BATCH, "clean") == ["20130101-20130103"]

    put(s3, f"{BATCH}-2", days=[], partitions=[])
    assert anomalies.find_judged_days(BATCH, "clean") == []


def test_the_months_are_published_as_the_run_that_wrote_them(s3: ObjectStore, published: list[dict[str, Any]]) -> None:
    put(s3, f"{BATCH}-1", partitions=[])
    put(s3, f"{BATCH}-3")

    event = anomalies.publish_anomalies(BATCH, "clean", "metering")

    assert event == {"run": f"{BATCH}-3", "days": ["20130101-20130103"], "high": 2, "low": 1}
    (call,) = published
    assert datetime.now(UTC) >= call.pop("published_at")
    assert call == {
        "database": "metering",
        "table": "anomaly",
        "partitions": PARTITIONS,
        "run": f"{BATCH}-3",
        "written_at": datetime(2026, 1, 1, 0, 2, tzinfo=UTC),
    }


def test_the_form_offers_the_countries_whose_holidays_the_job_knows() -> None:
    assert list(json.loads(HOLIDAYS.read_text(encoding="utf-8"))["dates"]) == anomalies.COUNTRIES
