"""The steps of forecast_consumption, from summaries of its jobs to what is said of them."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from metering import clients, forecasting
from metering.forecasting import FailedBatchesError, ForecastParameterError, NoResultError

from tests.plugins.object_store import ObjectStore

BATCH = "20260102T090000-3fa2c1"
PREPARED: dict[str, Any] = {
    "meters": 60,
    "batches": [{"number": number, "uri": f"s3://w/{number:04d}.jsonl", "meters": 20} for number in (1, 2, 3)],
    "notes": ["meter_end 100 is beyond the last meter, which is number 60."],
    "weather": None,
}
STORED = {"rows": 6720, "meters": 40, "first": "a", "last": "b", "batches_stored": [1, 3]}
PARAMS = {"meter_start": 1, "meter_end": None, "data_start": None, "data_end": None, "ml_endpoint_name": None}


@pytest.fixture(autouse=True)
def store(s3: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
    monkeypatch.setattr(clients, "s3", lambda: s3)
    put(s3, "prepare_forecast_batches", PREPARED)
    put(s3, "store_forecasts", STORED)
    return s3


def put(s3: ObjectStore, job: str, summary: dict[str, Any]) -> None:
    s3.put_json("clean", f"_summaries/{BATCH}/{job}.json", summary)


def test_the_notes_of_the_batches_come_into_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    assert forecasting.list_batches(BATCH, "clean") == PREPARED["batches"]

    assert caplog.messages == [PREPARED["notes"][0], "60 meters in 3 batches"]


def test_a_forecast_beyond_the_known_weather_says_so(store: ObjectStore, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    weather = {"features": [], "last_known": "2014-01-01 23:00:00", "hours_filled": 144}
    put(store, "prepare_forecast_batches", {**PREPARED, "notes": [], "weather": weather})

    forecasting.list_batches(BATCH, "clean")

    assert caplog.messages[0] == (
        "Weather is known until 2014-01-01 23:00:00; 144 hours without it have the mean of their hour of the year"
    )


def test_results_are_found_whichever_batch_failed(store: ObjectStore) -> None:
    for name in ("0001.jsonl.out", "0003.jsonl.out", "0003.jsonl.tmp"):
        store.put_object("working", f"forecast/{BATCH}/transformed/{name}", b"{}")
    store.put_object("working", "forecast/another/transformed/0002.jsonl.out", b"{}")

    assert forecasting.find_results(BATCH, "working") == ["0001.jsonl.out", "0003.jsonl.out"]


def test_a_run_without_any_result_says_where_to_look() -> None:
    with pytest.raises(NoResultError, match="log of the first task that failed says why"):
        forecasting.find_results(BATCH, "working")


def test_the_event_says_what_was_stored() -> None:
    assert forecasting.announce_forecasts(BATCH, "clean") == {
        "batch": BATCH,
        "batches": [1, 3],
        "rows": 6720,
        "meters": 40,
        "first": "a",
        "last": "b",
    }


def test_a_batch_without_a_forecast_is_named() -> None:
    with pytest.raises(FailedBatchesError, match=r"1 of 3 batches have no forecast: 0002 \(20 meters\)"):
        forecasting.check_batches(BATCH, "clean")


def test_when_all_batches_are_stored_it_says_how_much(store: ObjectStore) -> None:
    put(store, "store_forecasts", {**STORED, "batches_stored": [1, 2, 3], "meters": 60, "rows": 10_080})

    assert forecasting.check_batches(BATCH, "clean") == "10080 forecast hours of 60 meters are stored"


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"meter_start": 5, "meter_end": 4}, "meter_end 4 is less than meter_start 5. Swap them."),
        ({"data_start": "2013-06-01", "data_end": "2013-06-01"}, "is not before data_end 2013-06-01"),
    ],
)
def test_parameters_that_contradict_each_other_are_refused(params: dict[str, Any], message: str) -> None:
    with pytest.raises(ForecastParameterError, match=message):
        forecasting.choose_model("/metering", {**PARAMS, **params})
