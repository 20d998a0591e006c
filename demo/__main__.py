"""From meter files to an answer of the REST API, on this machine, with the platform's own DAGs.

    python -m demo [--data FOLDER]

Starts the platform, puts meter files into the landing zone, triggers `ingest_meter_readings` as the Airflow UI does,
follows the cascade, and asks the REST API about a meter. Without --data a fleet of 60 meters over a year is generated.
The platform stays up; `make down` ends it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import httpx

from demo.airflow_api import FINISHED, POLL_SECONDS, AirflowApi, RunFailedError, TaskChange
from demo.landing_zone import NoMeterFilesError, first_meter, meter_files, upload
from local_aws.settings import Settings

CASCADE = {
    "ingest_meter_readings": ["aggregate_consumption"],
    "aggregate_consumption": ["load_redshift"],
}
FLEET = {"meters": 60, "days": 365, "seed": 7}
CASCADE_TIMEOUT_SECONDS = 3600
FIRST_RUNS_TIMEOUT_SECONDS = 300


class DemoError(Exception):
    """The demo cannot go on; the message says why and what to do."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="demo", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with London meter files (.csv or .csv.gz)")
    arguments = parser.parse_args()
    settings = Settings.from_environment()
    try:
        files = meter_files(arguments.data) if arguments.data else generated_fleet(settings.home / "sample_data")
        start_platform()
        run_demo(settings, files)
    except (DemoError, NoMeterFilesError, RunFailedError, TimeoutError) as error:
        print(f"\nThe demo stopped: {error}", file=sys.stderr)
        return 1
    return 0


def generated_fleet(folder: Path) -> list[Path]:
    """The files of the generated fleet, made once and kept."""
    if not (folder / ".complete").exists():
        say(f"generating a fleet of {FLEET['meters']} meters over {FLEET['days']} days")
        options = [word for name, value in FLEET.items() for word in (f"--{name}", str(value))]
        if subprocess.run([sys.executable, "-m", "sample_data", *options, "--out", str(folder)]).returncode:
            raise DemoError("the fleet could not be generated; the reason stands above.")
        (folder / ".complete").touch()
    return meter_files(folder)


def start_platform() -> None:
    if subprocess.run([sys.executable, "-m", "local_aws", "up"]).returncode:
        raise DemoError("the platform did not start; the reason stands above. Logs: make logs")


def run_demo(settings: Settings, files: list[Path]) -> None:
    begun = time.monotonic()
    aws = aws_clients(settings)
    deployment = json.loads(aws("ssm").get_parameter(Name="/airflow/variables/metering")["Parameter"]["Value"])
    airflow = AirflowApi(settings.airflow_url)
    wait_for_first_runs(airflow)

    say(f"{len(files)} meter files → s3://{deployment['landing_bucket']}/{deployment['landing_prefix']}")
    upload(aws("s3"), files, deployment["landing_bucket"], deployment["landing_prefix"])
    run = airflow.trigger("ingest_meter_readings")
    runs = airflow.cascade(run, CASCADE, CASCADE_TIMEOUT_SECONDS, progress(begun))
    if len(runs) == 1:
        say("nothing new in these files: no job was started")

    meter_id, year = first_meter(files[0])
    key = json.loads(aws("secretsmanager").get_secret_value(SecretId="metering/api-key")["SecretString"])["api_key"]
    print_consumption(settings.api_url, key, meter_id, year)
    print(f"\nAirflow UI   {settings.airflow_url}")
    print(f"REST API     {settings.api_url}/consumption/daily/{year}/{meter_id}   (header x-api-key: make api-key)")
    print("`make status` says what runs; `make down` stops it, data stays.")


def wait_for_first_runs(airflow: AirflowApi) -> None:
    """Airflow runs `set_up_warehouse` and the last scheduled `ingest_meter_readings` by itself when it first starts.

    Waits for both, so that the files of the demo are not taken by the scheduled run before their own is triggered.
    """
    deadline = time.monotonic() + FIRST_RUNS_TIMEOUT_SECONDS
    for dag_id in ("set_up_warehouse", "ingest_meter_readings"):
        while not (states := run_states(airflow, dag_id)) or states - FINISHED:
            if time.monotonic() > deadline:
                raise DemoError(f"{dag_id} did not run within 5 minutes: {airflow.url}/dags/{dag_id}")
            time.sleep(POLL_SECONDS)
    if "success" not in run_states(airflow, "set_up_warehouse"):
        raise DemoError(f"set_up_warehouse failed: {airflow.url}/dags/set_up_warehouse")


def run_states(airflow: AirflowApi, dag_id: str) -> set[str]:
    return {run["state"] for run in airflow.runs(dag_id)} if dag_id in airflow.dag_ids() else set()


def print_consumption(api_url: str, key: str, meter_id: str, year: int) -> None:
    for grain in ("daily", "weekly", "monthly"):
        path = f"/consumption/{grain}/{year}/{meter_id}"
        answer = httpx.get(f"{api_url}{path}", headers={"x-api-key": key}, timeout=60, trust_env=False)
        if answer.status_code != httpx.codes.OK:
            raise DemoError(f"GET {path} answered {answer.status_code}: {answer.text}")
        rows = answer.json()
        shown = ", ".join(json.dumps(row) for row in rows[:3])
        print(f"\nGET {path}\n  [{shown}{', …' if len(rows) > 3 else ''}]   {len(rows)} rows")


def progress(begun: float) -> Callable[[TaskChange], None]:
    def report(change: TaskChange) -> None:
        if change.state in ("success", "failed", "skipped", "up_for_retry"):
            task = change.task_id if change.map_index < 0 else f"{change.task_id}[{change.map_index}]"
            say(f"{change.run.dag_id:<24}{task:<28}{change.state}", begun)

    return report


def aws_clients(settings: Settings) -> Callable[[str], Any]:
    """A factory of boto3 clients that speak to the local platform."""
    session = boto3.Session(settings.access_key, settings.secret_key, region_name=settings.region)

    def client(service: str) -> Any:
        url = settings.s3_url if service == "s3" else settings.control_url
        return session.client(service, endpoint_url=url)

    return client


def say(text: str, begun: float | None = None) -> None:
    stamp = "" if begun is None else f"{time.monotonic() - begun:5.0f} s  "
    print(f"{stamp}{text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
