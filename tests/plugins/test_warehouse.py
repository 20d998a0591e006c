"""What a load of the warehouse copies, and which merges have something to do."""

from __future__ import annotations

from typing import Any

import pytest
from metering import batches, catalog, clients, warehouse

from tests.plugins.object_store import ObjectStore

OLD, NEW, RUN = "20260101T090000-aaaaaa", "20260102T090000-bbbbbb", "20260102T093000-cccccc"
EVERYTHING = {"batches": [], "first_date": None, "last_date": None}
PUBLISHED = {
    "aggregated_daily": {("201312",): "s3://business/aggregated_daily/run=r-1/month=201312/"},
    "aggregated_weekly": {
        ("2013",): "s3://business/aggregated_weekly/run=r-1/iso_year=2013/",
        ("2014",): "s3://business/aggregated_weekly/run=r-1/iso_year=2014/",
    },
    "aggregated_monthly": {("2013",): "s3://business/aggregated_monthly/run=r-1/year=2013/"},
    "daily": {("INT", "201312"): "s3://business/daily/run=r-1/reading_type=INT/month=201312/"},
}


@pytest.fixture
def zones(s3: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
    """Two batches in the clean zone, and sums that the catalog publishes."""
    for batch, merged_at in ((OLD, "2026-01-03T09:10:00Z"), (NEW, "2026-01-02T09:10:00Z")):
        about = {"merged_at": merged_at, "recorded_at": "2026-01-04T09:00:00Z"}
        s3.put_json("clean", f"_batches/{batch}.json", about)
        s3.put_object("clean", f"_summaries/{batch}/clean_row_groups.parquet", "list")
        s3.put_object("clean", f"clean/batch={batch}/part-0.parquet", "readings")
        s3.put_object("clean", f"clean/batch={batch}/_SUCCESS", "")
    for table, partitions in PUBLISHED.items():
        for location in partitions.values():
            s3.put_object("business", location.removeprefix("s3://business/") + "part-0.parquet", table)
    s3.put_object("business", "aggregated_daily/run=old-1/month=201312/part-0.parquet", "superseded")
    monkeypatch.setattr(catalog, "locations", lambda glue, database, table: PUBLISHED[table])
    monkeypatch.setattr(clients, "s3", lambda: s3)
    monkeypatch.setattr(clients, "glue", lambda: None)
    return s3


def plan(announced: list[dict[str, Any]], params: dict[str, Any] = EVERYTHING) -> list[str]:
    return warehouse.plan_load(announced, params, RUN, "clean", "business", "metering")


def copied(s3: ObjectStore, table: str) -> list[str]:
    return [entry["url"] for entry in s3.json("business", f"_manifests/{RUN}/{table}.json")["entries"]]


def test_the_batches_of_all_events_and_the_sums_of_their_dates_are_copied(zones: ObjectStore) -> None:
    merges = plan(
        [
            {"batches": [NEW], "run": "b-1", "dates": ["20131230-20131231"]},
            {"batches": [OLD, NEW], "run": "a-1", "dates": ["20131228-20131229"]},
        ]
    )

    assert merges == ["merge_readings", "merge_consumption"]
    assert copied(zones, "daily") == [
        f"s3://clean/clean/batch={OLD}/part-0.parquet",
        f"s3://clean/clean/batch={NEW}/part-0.parquet",
    ]
    assert copied(zones, "aggregated_daily") == ["s3://business/aggregated_daily/run=r-1/month=201312/part-0.parquet"]
    assert copied(zones, "aggregated_weekly") == [
        "s3://business/aggregated_weekly/run=r-1/iso_year=2013/part-0.parquet",
        "s3://business/aggregated_weekly/run=r-1/iso_year=2014/part-0.parquet",
    ]
    assert copied(zones, "aggregated_monthly") == ["s3://business/aggregated_monthly/run=r-1/year=2013/part-0.parquet"]


def test_the_load_is_told_when_each_batch_was_merged(zones: ObjectStore) -> None:
    plan([{"batches": [OLD, NEW], "run": "a-1", "dates": []}])

    found = zones.get_object("business", f"_manifests/{RUN}/batches.csv")["Body"].read().decode()
    assert found == f"{OLD},2026-01-03 09:10:00\n{NEW},2026-01-02 09:10:00\n"


def test_of_a_batch_recorded_by_an_earlier_version_the_load_is_told_when_it_was_recorded(zones: ObjectStore) -> None:
    zones.put_json("clean", f"_batches/{OLD}.json", {"recorded_at": "2026-01-01T09:20:00Z"})

    plan([{"batches": [OLD], "run": "a-1", "dates": []}])

    found = zones.get_object("business", f"_manifests/{RUN}/batches.csv")["Body"].read().decode()
    assert found == f"{OLD},2026-01-01 09:20:00\n"


@pytest.mark.parametrize("announced", [[], [{"batches": [OLD, NEW], "run": "a-1", "dates": []}]])
def test_a_batch_cleaned_by_an_earlier_version_is_refused_with_what_to_do(
    zones: ObjectStore, announced: list[dict[str, Any]]
) -> None:
    del zones.objects["clean", f"_summaries/{OLD}/clean_row_groups.parquet"]

    with pytest.raises(warehouse.OutdatedBatchError, match=rf"lack columns: {OLD}\. .* clear raw_to_clean"):
        plan(announced)

    assert zones.keys("business", "_manifests/") == []
    assert plan([], {**EVERYTHING, "batches": [NEW]}) == ["merge_readings"]


def test_what_a_killed_job_left_half_written_is_not_copied(zones: ObjectStore) -> None:
    leftover = f"clean/batch={NEW}/_temporary/0/_temporary/attempt_1_m_000000_1/part-0.parquet"
    zones.put_object("clean", leftover, "half a file")

    plan([{"batches": [NEW], "run": "b-1", "dates": []}])

    assert copied(zones, "daily") == [f"s3://clean/clean/batch={NEW}/part-0.parquet"]


def test_an_entry_is_mandatory_and_says_its_length(zones: ObjectStore) -> None:
    plan([{"batches": [NEW], "run": None, "dates": []}])

    assert zones.json("business", f"_manifests/{RUN}/daily.json") == {
        "entries": [
            {
                "url": f"s3://clean/clean/batch={NEW}/part-0.parquet",
                "mandatory": True,
                "meta": {"content_length": len("readings")},
            }
        ]
    }


def test_a_batch_of_errors_only_loads_readings_only(zones: ObjectStore) -> None:
    assert plan([{"batches": [NEW], "run": None, "dates": []}]) == ["merge_readings"]


def test_sums_without_a_batch_load_sums_only(zones: ObjectStore) -> None:
    assert plan([{"batches": [], "run": "a-1", "dates": ["20131201-20131201"]}]) == ["merge_consumption"]


def test_a_run_by_hand_without_parameters_loads_everything(zones: ObjectStore) -> None:
    assert plan([]) == ["merge_readings", "merge_consumption"]
    assert len(copied(zones, "daily")) == 2
    assert len(copied(zones, "aggregated_weekly")) == 2


def test_a_run_by_hand_loads_what_it_is_asked_for_and_no_more(zones: ObjectStore) -> None:
    assert plan([], {**EVERYTHING, "batches": [OLD]}) == ["merge_readings"]
    assert copied(zones, "daily") == [f"s3://clean/clean/batch={OLD}/part-0.parquet"]
    assert plan([], {**EVERYTHING, "first_date": "2013-12-01", "last_date": "2013-12-29"}) == ["merge_consumption"]
    assert copied(zones, "aggregated_weekly") == [
        "s3://business/aggregated_weekly/run=r-1/iso_year=2013/part-0.parquet"
    ]


def test_a_merge_of_sums_that_is_tried_again_late_copies_what_is_published_then(
    zones: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    announced = [{"batches": [NEW], "run": "a-1", "dates": ["20131201-20131201"]}]
    plan(announced)
    readings = copied(zones, "daily")
    newer = {**PUBLISHED, "aggregated_daily": {("201312",): "s3://business/aggregated_daily/run=r-2/month=201312/"}}
    monkeypatch.setattr(catalog, "locations", lambda glue, database, table: newer[table])
    zones.put_object("business", "aggregated_daily/run=r-2/month=201312/part-0.parquet", "newer")

    warehouse.plan_sums(announced, EVERYTHING, RUN, "business", "metering")

    assert copied(zones, "aggregated_daily") == ["s3://business/aggregated_daily/run=r-2/month=201312/part-0.parquet"]
    assert copied(zones, "daily") == readings


def test_the_sums_of_a_run_by_hand_are_planned_for_its_dates(zones: ObjectStore) -> None:
    warehouse.plan_sums([], {**EVERYTHING, "last_date": "2013-12-29"}, RUN, "business", "metering")

    assert copied(zones, "aggregated_weekly") == [
        "s3://business/aggregated_weekly/run=r-1/iso_year=2013/part-0.parquet"
    ]


def test_a_batch_that_was_never_published_is_refused(zones: ObjectStore) -> None:
    zones.put_object("clean", "clean/batch=20260103T090000-dddddd/part-0.parquet", "stopped at the gate")

    with pytest.raises(batches.BatchNameError, match="Never published: 20260103T090000-dddddd"):
        plan([], {**EVERYTHING, "batches": ["20260103T090000-dddddd"]})


def test_a_batch_name_of_an_event_is_checked(zones: ObjectStore) -> None:
    with pytest.raises(batches.BatchNameError):
        plan([{"batches": ["../quarantine"], "run": None, "dates": []}])


def test_sums_that_are_published_in_part_are_refused(zones: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    partly = {**PUBLISHED, "aggregated_monthly": {}}
    monkeypatch.setattr(catalog, "locations", lambda glue, database, table: partly[table])

    with pytest.raises(warehouse.IncompleteSumsError, match="publishes no aggregated_monthly"):
        plan([{"batches": [NEW], "run": "a-1", "dates": ["20131201-20131201"]}])


def test_nothing_to_load_merges_nothing(zones: ObjectStore) -> None:
    assert plan([{"batches": [], "run": None, "dates": []}]) == []


def test_everything_leaves_out_what_was_swept_and_says_so(zones: ObjectStore, caplog: pytest.LogCaptureFixture) -> None:
    zones.put_json("clean", f"_swept/{OLD}.json", {})

    with caplog.at_level("WARNING"):
        assert plan([]) == ["merge_readings", "merge_consumption"]

    assert copied(zones, "daily") == [f"s3://clean/clean/batch={NEW}/part-0.parquet"]
    assert f"1 batches were swept from the clean zone, the newest of them {OLD}" in caplog.text


def test_a_batch_that_was_swept_is_refused_by_name_and_by_event(zones: ObjectStore) -> None:
    zones.put_json("clean", f"_swept/{OLD}.json", {})

    with pytest.raises(warehouse.SweptBatchError, match="parameter reprocess of ingest_meter_readings"):
        plan([], {**EVERYTHING, "batches": [OLD]})
    with pytest.raises(warehouse.SweptBatchError, match=OLD):
        plan([{"batches": [OLD, NEW], "run": None, "dates": []}])
    assert plan([], {**EVERYTHING, "batches": [NEW]}) == ["merge_readings"]
