"""From files in the landing zone to answers of the REST API, on every engine, told as one story in order."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.airflow_api import Run
from tests.end_to_end import expected_consumption as expected
from tests.end_to_end.conftest import CASCADE_SECONDS, LOAD, Platform

pytestmark = pytest.mark.slow

HEADER = "LCLid,stdorToU,DateTime,KWH/hh (per half hour) \r\n"
MALFORMED = [
    "MAC{meter},Std,2013-02-30 00:30:00.0000000, 0.1 ",  # no such day
    "MAC{meter},Std,2013-03-01 00:30:00.0000000, abc ",  # no number
    ",Std,2013-03-01 00:30:00.0000000, 0.1 ",  # no meter
    "MAC{meter},Std,2013-03-01 00:30:00.0000000",  # a field is missing
]


def run_cascade(platform: Platform) -> list[Run]:
    return platform.airflow.cascade([platform.airflow.trigger("ingest_meter_readings")], LOAD, CASCADE_SECONDS)


def batch_of(platform: Platform, run: Run) -> str:
    return platform.airflow.xcom(run, "find_new_meter_files")["batch"]


def assert_the_api_answers(platform: Platform, readings: expected.Readings) -> None:
    """For every meter, day, ISO week and month the API says what the raw files add up to, and nothing else."""
    for grain, sums in (
        ("daily", expected.daily(readings)),
        ("weekly", expected.weekly(readings)),
        ("monthly", expected.monthly(readings)),
    ):
        years = {(key[0], key[1][:4]) for key in sums}
        answered = {}
        for meter, year in sorted(years):
            answer = platform.api.get(f"/consumption/{grain}/{year}/{meter}")
            assert answer.status_code == 200, answer.text
            rows = answer.json()
            keys = [tuple(row[:-1]) for row in rows]
            assert keys == sorted(keys), f"{grain} {meter} {year} is not in the order of time"
            answered.update({tuple(str(part) for part in row[:-1]): row[-1] for row in rows})
        assert answered.keys() == sums.keys()
        worst = max(answered, key=lambda key: abs(answered[key] - sums[key]))
        assert abs(answered[worst] - sums[worst]) < 1e-6, f"{grain} {worst}: {answered[worst]} is not {sums[worst]}"


class Story:
    """What the steps hand to the next."""

    delivered: list[Path]
    corrected: list[Path]
    corrections: list[Path]
    meter: str


@pytest.fixture(scope="module")
def story() -> Story:
    return Story()


@pytest.fixture(scope="module", autouse=True)
def without_machine_learning(platform: Platform, first_runs: list[Run]) -> Iterator[None]:
    """What follows a load is another story: after the first cascade it stays paused here."""
    for dag_id in ("detect_anomalies", "forecast_consumption"):
        platform.airflow.pause(dag_id)
    yield
    for dag_id in ("detect_anomalies", "forecast_consumption"):
        platform.airflow.pause(dag_id, paused=False)


def test_every_sum_of_the_delivered_files_comes_out_of_the_api(
    platform: Platform, meter_files: list[Path], first_runs: list[Run], story: Story
) -> None:
    story.delivered = meter_files

    readings, nulls, bad = expected.read(meter_files)
    assert_the_api_answers(platform, readings)

    ingestion = next(run for run in first_runs if run.dag_id == "ingest_meter_readings")
    batch = batch_of(platform, ingestion)
    cleaned, published = platform.summary(batch, "raw_to_clean"), platform.summary(batch, "clean_to_business")
    assert cleaned["rows"] == expected.count_rows(meter_files)
    assert cleaned["rejected"] == bad
    assert published["rows_in"] - published["duplicates"] == len(readings) + len(nulls)
    assert cleaned["rows"] == len(readings) + len(nulls) + published["duplicates"] + cleaned["rejected"]


def test_a_second_run_with_nothing_new_starts_no_glue_job(platform: Platform) -> None:
    before = platform.job_runs()

    runs = run_cascade(platform)

    assert [run.dag_id for run in runs] == ["ingest_meter_readings"]
    assert platform.job_runs() == before


def test_the_same_bytes_under_another_name_change_nothing(platform: Platform, story: Story, tmp_path: Path) -> None:
    copy = tmp_path / f"again-{story.delivered[0].name}"
    copy.write_bytes(story.delivered[0].read_bytes())
    platform.deliver(copy)
    before = platform.job_runs(), platform.objects("business")

    runs = run_cascade(platform)

    assert [run.dag_id for run in runs] == ["ingest_meter_readings"]
    assert (platform.job_runs(), platform.objects("business")) == before


def test_corrections_replace_touched_partitions_only_and_bad_lines_are_quarantined(
    platform: Platform, story: Story, tmp_path: Path
) -> None:
    readings, _, _ = expected.read(story.delivered)
    story.meter = min(meter for meter, _ in readings)
    days = sorted({moment.date() for meter, moment in readings if meter == story.meter})[30:75]
    corrected = [
        (moment, kwh + 1)
        for (meter, moment), kwh in sorted(readings.items())
        if meter == story.meter and days[0] <= moment.date() <= days[-1]
    ]
    lines = [f"{story.meter},Std,{moment:%Y-%m-%d %H:%M:%S}.0000000, {kwh} " for moment, kwh in corrected]
    lines += [MALFORMED[number % len(MALFORMED)].format(meter="000002") for number in range(20)]
    file = tmp_path / "corrections.csv"
    file.write_bytes((HEADER + "".join(f"{line}\r\n" for line in lines)).encode())
    story.corrections = [file]
    platform.deliver(file)
    before = set(platform.objects("business", "daily/"))

    runs = run_cascade(platform)

    readings, _, _ = expected.read([*story.delivered, file])
    assert_the_api_answers(platform, {key: kwh for key, kwh in readings.items() if key[0] == story.meter})

    batch = batch_of(platform, runs[0])
    new_folders = {
        key.split("reading_type=")[1].rsplit("/", 1)[0] for key in set(platform.objects("business", "daily/")) - before
    }
    assert new_folders == {f"INT/month={day:%Y%m}" for day in days}
    assert platform.summary(batch, "raw_to_clean")["rejected"] == 20
    assert platform.objects("clean", f"quarantine/batch={batch}/")


def test_a_killed_job_fails_the_task_and_clearing_it_finishes_the_run(
    platform: Platform, story: Story, tmp_path: Path
) -> None:
    before, _, _ = expected.read([*story.delivered, *story.corrections])
    moment = max(moment for meter, moment in before if meter == story.meter)
    file = tmp_path / "late.csv"
    file.write_bytes(f"{HEADER}{story.meter},Std,{moment:%Y-%m-%d %H:%M:%S}.0000000, 9.5 \r\n".encode())
    platform.deliver(file)

    run = platform.airflow.trigger("ingest_meter_readings")
    kill_job_while_it_writes(platform, run)
    assert platform.airflow.finish(run, CASCADE_SECONDS) == "failed"

    task = next(task for task in platform.airflow.task_instances(run) if task["task_id"] == "clean_to_business")
    assert task["state"] == "failed"
    log = platform.airflow.log(run, "clean_to_business", task["try_number"])
    assert "SIGKILL" in log, log
    meter_before = {key: kwh for key, kwh in before.items() if key[0] == story.meter}
    assert_the_api_answers(platform, meter_before)

    platform.airflow.clear(run, ["clean_to_business"])
    platform.airflow.cascade([run], LOAD, CASCADE_SECONDS)
    assert_the_api_answers(platform, {**meter_before, (story.meter, moment): 9.5})


def kill_job_while_it_writes(platform: Platform, run: Run) -> None:
    """Kill the process of clean_to_business when something of its result lies in the business zone.

    It is over in a moment: it works in slow motion, a few milliseconds between two looks at the zone.
    """
    deadline = time.monotonic() + 300
    while not has_found_its_files(platform, run):
        assert time.monotonic() < deadline, "find_new_meter_files does not end"
        time.sleep(0.1)
    name = f"{batch_of(platform, run)}-1"
    while not (process := platform.job_process(name)):
        assert time.monotonic() < deadline, "clean_to_business does not begin"
        time.sleep(0.01)
    process.suspend()
    while not platform.objects("business", f"daily/run={name}/"):
        assert time.monotonic() < deadline, "clean_to_business has written nothing to the business zone"
        process.resume()
        time.sleep(0.005)
        process.suspend()
    process.kill()


def has_found_its_files(platform: Platform, run: Run) -> bool:
    tasks = platform.airflow.task_instances(run)
    return any(task["task_id"] == "find_new_meter_files" and task["state"] == "success" for task in tasks)
