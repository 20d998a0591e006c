"""What follows the first load by itself: a deployed model, forecasts, judged days; and what leaves them as they are.

Runs before the story of the meter files, on what its first delivery brought.
"""

from __future__ import annotations

import csv
import io
import json
import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from demo.airflow_api import Run
from tests.end_to_end import expected_consumption as expected
from tests.end_to_end.conftest import CASCADE_SECONDS, Platform
from tests.end_to_end.expected_hours import Hours, known_hours, next_hour

pytestmark = pytest.mark.slow

HALF_HOURS_A_DAY = 48
HORIZON = 168


@pytest.fixture(scope="module")
def readings(meter_files: list[Path]) -> expected.Readings:
    return expected.read(meter_files)[0]


@pytest.fixture(scope="module")
def plan(platform: Platform, first_runs: list[Run]) -> dict[str, Any]:
    """What prepare_forecast_batches said of the first forecast."""
    return platform.summary(forecast_batches(platform)[-1], "prepare_forecast_batches")


@pytest.fixture(scope="module")
def hours(readings: expected.Readings, plan: dict[str, Any]) -> Hours:
    """Known hours of the range that is forecast from, of the meters that have any."""
    begin, end = (datetime.fromisoformat(plan[name]) for name in ("data_start", "data_end"))
    known = known_hours(readings, end)
    in_range = {meter: {hour: kwh for hour, kwh in of.items() if hour >= begin} for meter, of in known.items()}
    return {meter: of for meter, of in in_range.items() if of}


def forecast_batches(platform: Platform) -> list[str]:
    """The batches whose forecasts are stored, oldest first: a batch begins with its time."""
    keys = platform.objects("business", "forecast/run=")
    return sorted({key.split("run=")[1].partition("/")[0] for key in keys})


def stored_forecasts(platform: Platform, batch: str) -> pandas.DataFrame:
    s3, bucket = platform.aws("s3"), platform.deployment["business_bucket"]
    keys = [key for key in platform.objects("business", f"forecast/run={batch}/") if key.endswith(".parquet")]
    bodies = [s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys]
    return pandas.concat([pandas.read_parquet(io.BytesIO(body)) for body in bodies])


def current_model(platform: Platform) -> dict[str, Any]:
    return json.loads(platform.aws("ssm").get_parameter(Name="/metering/current-model")["Parameter"]["Value"])


def judged_until(platform: Platform) -> str:
    """The day before which the first run of detect_anomalies has judged, yyyy-MM-dd."""
    keys = [key for key in platform.objects("clean", "_summaries/") if key.endswith("/detect_anomalies.json")]
    summary = platform.summary(min(keys).split("/")[1], "detect_anomalies")
    return str(summary["data_end"])


def milliseconds(moment: datetime) -> int:
    return int(moment.replace(tzinfo=UTC).timestamp()) * 1000


def some(meters: Iterable[str]) -> list[str]:
    """The first, the last and one in the middle."""
    ordered = sorted(meters)
    return sorted({ordered[0], ordered[len(ordered) // 2], ordered[-1]})


def test_the_first_load_deploys_a_model_that_is_better_than_seasonal_naive(
    platform: Platform, first_runs: list[Run]
) -> None:
    assert [run.dag_id for run in first_runs].count("train_forecast_model") == 1

    model = current_model(platform)

    endpoint = platform.aws("sagemaker").describe_endpoint(EndpointName=model["endpoint_name"])
    assert endpoint["EndpointStatus"] == "InService"
    assert endpoint["EndpointConfigName"] == model["endpoint_config_name"]
    loss = model["metrics"]["test:mean_wQuantileLoss"]
    assert 0 < loss < model["baseline"]["seasonal_naive"]


def test_every_meter_has_a_forecast_of_a_week_that_begins_after_its_last_known_hour(
    platform: Platform, plan: dict[str, Any], hours: Hours
) -> None:
    rows = stored_forecasts(platform, forecast_batches(platform)[-1])

    assert set(rows["meter_id"]) == set(hours)
    for meter, of_meter in rows.groupby("meter_id"):
        begin = next_hour(hours[meter])
        wanted = [begin + timedelta(hours=number) for number in range(HORIZON)]
        assert sorted(moment.to_pydatetime().replace(tzinfo=None) for moment in of_meter["datetime"]) == wanted, meter
    assert ((rows["p10"] >= 0) & (rows["p10"] <= rows["p50"]) & (rows["p50"] <= rows["p90"])).all()
    of_batches = [batch["meters"] for batch in plan["batches"]]
    assert sum(of_batches) == len(hours)


def test_the_stored_forecast_is_of_the_size_of_what_the_meters_consume(
    platform: Platform, plan: dict[str, Any], hours: Hours
) -> None:
    """Watt-hours taken for kilowatt-hours, or half hours for hours, would show here."""
    rows = stored_forecasts(platform, forecast_batches(platform)[-1])
    last = {meter: max(of) for meter, of in hours.items()}
    recent = [kwh for meter, of in hours.items() for hour, kwh in of.items() if (last[meter] - hour).days < 28]

    assert rows["p50"].mean() == pytest.approx(sum(recent) / len(recent), rel=0.5)


def test_the_api_answers_what_the_batch_has_stored_from_the_hour_after_the_last_known_one(
    platform: Platform, plan: dict[str, Any], hours: Hours
) -> None:
    days = {name: plan[name][:10] for name in ("data_start", "data_end")}
    rows = stored_forecasts(platform, forecast_batches(platform)[-1])
    for meter in some(hours):
        answer = platform.api.get(f"/forecast/{meter}", quantiles="p10,p90", **days)
        assert answer.status_code == 200, answer.text
        forecast = answer.json()
        begin = milliseconds(next_hour(hours[meter]))
        keys = [str(begin + number * 3_600_000) for number in range(HORIZON)]
        assert list(forecast["consumption"]) == keys
        stored = rows[rows["meter_id"] == meter].sort_values("datetime")
        for quantile, name in (("p10", "p10"), ("p50", "consumption"), ("p90", "p90")):
            assert [forecast[name][key] for key in keys] == pytest.approx(list(stored[quantile])), (meter, quantile)


def test_every_complete_day_is_judged_with_its_consumption(platform: Platform, readings: expected.Readings) -> None:
    days: dict[str, dict[str, list[float]]] = {}
    for (meter, moment), kwh in readings.items():
        days.setdefault(meter, {}).setdefault(f"{moment:%Y-%m-%d}", []).append(kwh)
    after = judged_until(platform)
    oldest = f"{datetime.fromisoformat(after) - timedelta(days=365):%Y-%m-%d}"
    for meter in some(days):
        complete = {
            day: sum(values)
            for day, values in days[meter].items()
            if len(values) == HALF_HOURS_A_DAY and oldest <= day < after
        }
        answer = platform.api.get(f"/anomaly/{meter}", data_start=oldest, data_end=after)
        assert answer.status_code == 200, answer.text
        columns = answer.json()
        judged = {columns["ds"][row]: columns["consumption"][row] for row in columns["ds"]}
        assert judged.keys() == complete.keys()
        assert all(abs(judged[day] - complete[day]) < 1e-6 for day in complete)
        assert all(math.isfinite(importance) for importance in columns["importance"].values())


def test_outages_are_the_error_readings_of_the_files_and_nothing_else(
    platform: Platform, meter_files: list[Path], reference: dict[str, Path]
) -> None:
    _, nulls, _ = expected.read(meter_files)
    with reference["geodata"].open(encoding="utf-8") as lines:
        places = {meter: (float(north), float(east)) for meter, north, east in csv.reader(lines)}
    first, last = (edge(moment for _, moment in nulls) for edge in (min, max))
    after = datetime.fromisoformat(last) + timedelta(seconds=1)

    answer = platform.api.get("/outage", start_date_time=first, end_date_time=f"{after:%Y-%m-%d %H:%M:%S}")

    assert answer.status_code == 200, answer.text
    items = answer.json()["Items"]
    assert {(item["meter_id"], item["reading_date_time"][:19].replace("T", " ")) for item in items} == nulls
    assert {item["error_code"] for item in items} == {"NULL"}
    for item in items:
        assert (item["lat"], item["long"]) == places.get(item["meter_id"], (None, None)), item["meter_id"]


def test_judging_again_changes_no_judgement(platform: Platform) -> None:
    before = platform.objects("business", "anomaly/")
    run = platform.airflow.trigger("detect_anomalies")

    assert platform.airflow.finish(run, CASCADE_SECONDS) == "success"

    assert platform.objects("business", "anomaly/") == before


def test_a_model_that_fails_the_gate_changes_nothing_that_serves(platform: Platform, hours: Hours) -> None:
    before = current_model(platform)

    run = platform.airflow.trigger("train_forecast_model", {"epochs": 1, "training_samples": 5, "min_improvement": 0.9})
    assert platform.airflow.finish(run, CASCADE_SECONDS) == "failed"

    failed = [task["task_id"] for task in platform.airflow.task_instances(run) if task["state"] == "failed"]
    assert failed == ["check_model_quality"]
    assert "seasonal-naive" in platform.airflow.log(run, "check_model_quality", 1)
    assert current_model(platform) == before
    assert platform.api.get(f"/forecast/{some(hours)[0]}").status_code == 200


@pytest.fixture(scope="module")
def killed_training(platform: Platform, first_runs: list[Run]) -> Run:
    """A run whose training was at work when the control plane was killed; the control plane is back."""
    run = platform.airflow.trigger("train_forecast_model", {"epochs": 30, "training_samples": 5, "force": True})
    wait_for(lambda: states_of_training_jobs(platform).count("InProgress") == 1)
    platform.kill_control_plane()
    platform.local_aws("up")
    assert platform.airflow.finish(run, CASCADE_SECONDS) == "failed"
    return run


def test_a_training_that_dies_fails_its_run_and_the_old_model_goes_on_serving(
    platform: Platform, killed_training: Run, hours: Hours
) -> None:
    tasks = platform.airflow.task_instances(killed_training)
    assert [task["task_id"] for task in tasks if task["state"] == "failed"] == ["train_model"]
    assert "local_aws was stopped or died" in platform.airflow.log(killed_training, "train_model", 1)
    assert "InProgress" not in states_of_training_jobs(platform)
    assert platform.api.get(f"/forecast/{some(hours)[0]}").status_code == 200


def test_requests_go_on_being_answered_while_the_run_is_cleared_and_a_new_model_replaces_the_old(
    platform: Platform, killed_training: Run
) -> None:
    before = current_model(platform)

    with asking_every_100_ms(platform, before["endpoint_name"]) as answers:
        platform.airflow.clear(killed_training, ["train_model"])
        wait_for(lambda: states_of_training_jobs(platform).count("InProgress") == 1)
        assert platform.airflow.finish(killed_training, CASCADE_SECONDS) == "success"

    after = current_model(platform)
    assert after["model_name"] != before["model_name"]
    assert after["endpoint_name"] == before["endpoint_name"]
    assert len(answers) > 100
    assert [answer for answer in answers if answer != "answered"] == []
    sagemaker = platform.aws("sagemaker")
    assert before["model_name"] not in {model["ModelName"] for model in sagemaker.list_models()["Models"]}
    configs = {config["EndpointConfigName"] for config in sagemaker.list_endpoint_configs()["EndpointConfigs"]}
    assert before["endpoint_config_name"] not in configs


def states_of_training_jobs(platform: Platform) -> list[str]:
    jobs = platform.aws("sagemaker").list_training_jobs()["TrainingJobSummaries"]
    return [job["TrainingJobStatus"] for job in jobs]


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + CASCADE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.5)


@contextmanager
def asking_every_100_ms(platform: Platform, endpoint: str) -> Iterator[list[str]]:
    """Invoke the endpoint all the while; "answered" or the error of each request."""
    once = Config(retries={"total_max_attempts": 1, "mode": "standard"})  # a second try would hide an interruption
    runtime, ending, answers = platform.aws("sagemaker-runtime", config=once), threading.Event(), []
    instance = {"start": "2013-01-01 00:00:00", "target": [100] * HORIZON}
    body = json.dumps(
        {"instances": [instance], "configuration": {"num_samples": 10, "output_types": ["mean"], "quantiles": []}}
    )

    def ask() -> None:
        while not ending.wait(0.1):
            try:
                runtime.invoke_endpoint(EndpointName=endpoint, ContentType="application/json", Body=body)
                answers.append("answered")
            except (BotoCoreError, ClientError) as error:
                answers.append(str(error))

    thread = threading.Thread(target=ask)
    thread.start()
    yield answers
    ending.set()
    thread.join()
