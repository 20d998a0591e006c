"""From meter files to an answer of the REST API, on this machine, with the platform's own DAGs.

    python -m demo [--data FOLDER [--weather FILE] [--geodata FILE] [--cisdata FILE]]

Starts the platform, puts meter files into the landing zone, triggers `ingest_meter_readings` as the Airflow UI does,
follows the cascade to a deployed model, stored forecasts and judged days, and asks the REST API about a meter. Without
--data a fleet of 60 meters over a year is generated, with its weather, geography and invented customers. The platform
stays up; `make down` ends it.
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

from demo import reference_files
from demo.airflow_api import AirflowApi, RunFailedError, TaskChange
from demo.cascade import CASCADE, FirstRunsError, wait_for_first_runs
from demo.landing_zone import NoMeterFilesError, first_meter, meter_files, upload
from demo.reference_files import KINDS, NoReferenceFileError
from demo.rest_api import AnswerError, RestApi, print_answers
from local_aws.settings import Settings, SettingsError

FLEET = {"meters": 60, "days": 365, "seed": 7}
# No task changes while a training job works, which may take long on a busy machine.
CASCADE_STALL_SECONDS = 3600


class DemoError(Exception):
    """The demo cannot go on; the message says why and what to do."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="demo", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with London meter files (.csv or .csv.gz)")
    for kind in KINDS:
        parser.add_argument(f"--{kind}", type=Path, help=f"file for reference/{kind}/ of the landing zone")
    arguments = parser.parse_args()
    try:
        settings = Settings.from_environment()
        if arguments.data:
            files = meter_files(arguments.data)
            reference = reference_files.named_files({kind: getattr(arguments, kind) for kind in KINDS})
        else:
            files, reference = generated_fleet(settings.home / "sample_data")
        start_platform()
        run_demo(settings, files, reference)
    except (
        AnswerError, DemoError, FirstRunsError, NoMeterFilesError, NoReferenceFileError, RunFailedError, SettingsError,
        TimeoutError,
    ) as error:  # fmt: skip
        print(f"\nThe demo stopped: {error}", file=sys.stderr)
        return 1
    return 0


def generated_fleet(folder: Path) -> tuple[list[Path], dict[str, Path]]:
    """The meter files of the generated fleet and its reference files by kind, made once and kept."""
    if not (folder / ".complete").exists():
        say(f"generating a fleet of {FLEET['meters']} meters over {FLEET['days']} days")
        options = [word for name, value in FLEET.items() for word in (f"--{name}", str(value))]
        for module, out in (("sample_data", folder), ("sample_data.reference", folder / "reference")):
            if subprocess.run([sys.executable, "-m", module, *options, "--out", str(out)]).returncode:
                raise DemoError("the fleet could not be generated; the reason stands above.")
        (folder / ".complete").touch()
    return meter_files(folder), reference_files.generated_files(folder / "reference")


def start_platform() -> None:
    if subprocess.run([sys.executable, "-m", "local_aws", "up"]).returncode:
        raise DemoError("the platform did not start; the reason stands above. Logs: make logs")


def run_demo(settings: Settings, files: list[Path], reference: dict[str, Path]) -> None:
    begun = time.monotonic()
    aws = aws_clients(settings)
    deployment = json.loads(aws("ssm").get_parameter(Name="/airflow/variables/metering")["Parameter"]["Value"])
    airflow = AirflowApi(settings.airflow_url)
    wait_for_first_runs(airflow, say)

    say(f"{len(files)} meter files → s3://{deployment['landing_bucket']}/{deployment['landing_prefix']}")
    upload(aws("s3"), files, deployment["landing_bucket"], deployment["landing_prefix"])
    reference_files.upload(aws("s3"), reference, deployment["landing_bucket"])
    started = [airflow.trigger("load_reference_data")] if reference else []
    started.append(airflow.trigger("ingest_meter_readings"))
    runs = airflow.cascade(started, CASCADE, CASCADE_STALL_SECONDS, progress(begun))
    if len(runs) == len(started):
        say("nothing new in these files: no job was started")

    key = json.loads(aws("secretsmanager").get_secret_value(SecretId="metering/api-key")["SecretString"])["api_key"]
    print_answers(RestApi(settings.api_url, key), first_meter(files[0]))
    print(f"\nAirflow UI   {settings.airflow_url}")
    print(f"REST API     {settings.api_url}   (header x-api-key: make api-key; docs/openapi.json)")
    print("`make status` says what runs; `make down` stops it, data stays.")


def progress(begun: float) -> Callable[[TaskChange], None]:
    def report(change: TaskChange) -> None:
        if change.state in ("success", "failed", "skipped", "up_for_retry"):
            task = change.task_id if change.map_index < 0 else f"{change.task_id}[{change.map_index}]"
            say(f"{change.run.dag_id:<24}{task:<28}{change.state}", begun)

    return report


def aws_clients(settings: Settings) -> Callable[..., Any]:
    """A factory of boto3 clients that speak to the local platform; options are those of boto3's `client`."""
    session = boto3.Session(settings.access_key, settings.secret_key, region_name=settings.region)

    def client(service: str, **options: Any) -> Any:
        url = settings.s3_url if service == "s3" else settings.control_url
        return session.client(service, endpoint_url=url, **options)

    return client


def say(text: str, begun: float | None = None) -> None:
    stamp = "" if begun is None else f"{time.monotonic() - begun:5.0f} s  "
    print(f"{stamp}{text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
