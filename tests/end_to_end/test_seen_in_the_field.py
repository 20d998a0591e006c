"""Meter files as they were seen in the field: deliveries one after the other to a platform that nobody starts again.

Each folder has its own _transformer.json, as a user would write it. What the readers make of such files is tested in
tests/glue/test_field_files.py; here, that no delivery hurts the next one, and what clients and operators get.
"""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from demo.airflow_api import Run
from demo.cascade import wait_for_first_runs
from tests.end_to_end.conftest import CASCADE_SECONDS, LOAD, Platform
from tests.glue import field_files
from tests.glue.field_files import DAY_KWH, ROWS

pytestmark = pytest.mark.slow

# The archive of the third variant has the same bytes as that of the second: to the ledger it is the same file.
BESIDE_GOOD_FILES = [f"15_archive_and_xml_beside_good_files/{variant}" for variant in ("xml", "zip")]
ODD_NAMES = "22_odd_file_names"
LOST_DIGITS = [f"05_ids_in_scientific_notation/{variant}" for variant in ("point", "comma")]
SIGNS = "20_ids_with_signs"
IMPORT_AND_EXPORT, ESTIMATE_AND_FINAL = "10_import_and_export_rows", "14_estimate_then_final/one"
REGISTERS = "26_registers_only"
READ = [
    *(f"19_encodings/{variant}" for variant in ("cp1252", "cp1252pos", "utf8bom")),
    *(f"21_quoted_header_with_empty_names/{variant}" for variant in ("head", "plain")),
]
DAY = "20240304"
WITHOUT = ("detect_anomalies", "forecast_consumption", "train_forecast_model")


@pytest.fixture(scope="module", autouse=True)
def without_machine_learning(platform: Platform) -> Iterator[None]:
    """What follows a load is another story."""
    wait_for_first_runs(platform.airflow)
    for dag_id in WITHOUT:
        platform.airflow.pause(dag_id)
    yield
    for dag_id in WITHOUT:
        platform.airflow.pause(dag_id, paused=False)


@pytest.fixture(scope="module")
def alerts(platform: Platform) -> Alerts:
    return Alerts(platform)


class Alerts:
    """What operators are told from now on: a queue gets it, as their mailboxes do."""

    def __init__(self, platform: Platform) -> None:
        self._sqs = platform.aws("sqs")
        self._queue = self._sqs.create_queue(QueueName="alerts")["QueueUrl"]
        arn = self._sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=["QueueArn"])["Attributes"][
            "QueueArn"
        ]
        topic = platform.deployment["alerts_topic_arn"]
        platform.aws("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)

    def taken(self) -> dict[str, str]:
        """The messages that came since the last call, by subject; waits for one, as a failed run tells of itself last.

        Raises TimeoutError.
        """
        found: dict[str, str] = {}
        deadline = time.monotonic() + 60
        while True:
            messages = self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10).get("Messages", [])
            for message in messages:
                said = json.loads(message["Body"])
                found[said["Subject"]] = said["Message"]
                self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
            if found and not messages:
                return found
            if time.monotonic() > deadline:
                raise TimeoutError("nobody was told anything")
            time.sleep(0.2)


def deliver(platform: Platform, *folders: str) -> None:
    for folder in folders:
        description, files = field_files.delivery(folder)
        for name, content in {**files, "_transformer.json": json.dumps(description).encode()}.items():
            key = f"{platform.deployment['landing_prefix']}{folder}/{name}"
            platform.aws("s3").upload_fileobj(io.BytesIO(content), platform.deployment["landing_bucket"], key)


def load(platform: Platform, **params: Any) -> Run:
    """Loads what is new; every run that this starts has to succeed."""
    run = platform.airflow.trigger("ingest_meter_readings", params)
    platform.airflow.cascade([run], LOAD, CASCADE_SECONDS)
    return run


def summary(platform: Platform, run: Run, step: str) -> dict[str, Any]:
    return platform.summary(platform.airflow.xcom(run, "find_new_meter_files")["batch"], step)


def by_folder(cleaned: dict[str, Any], folder: str) -> list[dict[str, Any]]:
    """What raw_to_clean says of the files of a folder."""
    return [file for file in cleaned["files"] if f"/{folder}/" in file["uri"]]


def answer_about(platform: Platform, meter: str) -> httpx.Response:
    return platform.api.get(f"/consumption/daily/2024/{quote(meter, safe='')}")


def asked(platform: Platform, meter: str) -> Any:
    return answer_about(platform, meter).json()


def a_day(meter: str, kwh: float = DAY_KWH) -> list[list[Any]]:
    return [[meter, DAY, kwh]]


def meters_of(folder: str) -> list[str]:
    """The meters of the files of a folder, which has one a file, in the first field of the second line."""
    _, files = field_files.delivery(folder)
    seconds = [content.decode("iso-8859-1").splitlines()[1] for content in files.values()]
    return [line.split(";")[0].split(",")[0].strip('"') for line in seconds]


def test_archives_and_odd_names_hurt_no_file_beside_them(platform: Platform, alerts: Alerts) -> None:
    deliver(platform, *BESIDE_GOOD_FILES, ODD_NAMES)

    run = load(platform)

    names = dict(enumerate(field_files.NAMES))
    hidden = [at for at, name in names.items() if name[0] in "._"]
    for at in names.keys() - set(hidden):
        assert asked(platform, f"BUG22N{at}") == a_day(f"BUG22N{at}")
    good_files = [field_files.delivery(folder)[1]["good.csv"] for folder in BESIDE_GOOD_FILES]
    for meter in {content.splitlines()[1].split(b",")[0].decode() for content in good_files}:
        assert asked(platform, meter) == a_day(meter)
    listed = platform.airflow.log(run, "find_new_meter_files", 1)
    for at in hidden:
        assert f"{ODD_NAMES}/{names[at]} is passed over: its name begins with" in listed
    assert f"{ODD_NAMES}/empty.csv is passed over: it is empty" in listed
    checked = platform.airflow.log(run, "check_rejected_share", 1)
    xml, packed = f"{BESIDE_GOOD_FILES[0]}/usage.xml", f"{BESIDE_GOOD_FILES[1]}/usage.zip"
    assert f"{xml} cannot be read: it is Green Button data in XML (ESPI)." in checked
    assert f"{packed} cannot be read: it is a ZIP archive." in checked
    told = alerts.taken()
    assert [*told] == ["Meter files could not be read"]
    assert xml in told["Meter files could not be read"]
    assert packed in told["Meter files could not be read"]


def test_two_meters_that_a_spreadsheet_made_one_are_refused(platform: Platform, alerts: Alerts) -> None:
    deliver(platform, *LOST_DIGITS)

    run = platform.airflow.trigger("ingest_meter_readings")

    assert platform.airflow.finish(run, CASCADE_SECONDS) == "failed"
    assert "meter_id_lost_digits" in platform.airflow.log(run, "check_rejected_share", 1)
    assert [*alerts.taken()] == ["ingest_meter_readings.check_rejected_share failed"]


def test_the_next_delivery_loads_and_what_cannot_be_asked_for_is_rejected(platform: Platform, alerts: Alerts) -> None:
    """The files that were refused are still there. So this run lets rejects pass."""
    deliver(platform, *READ, SIGNS, IMPORT_AND_EXPORT, ESTIMATE_AND_FINAL, REGISTERS)

    run = load(platform, max_rejected_share=1)

    cleaned = summary(platform, run, "raw_to_clean")
    for folder in READ:
        (meter,) = meters_of(folder)
        assert asked(platform, meter) == a_day(meter)
    legal = ["22 0000 4836 192", "1-0:1.8.0*255", "0000BUG20"]
    for meter in legal:
        assert asked(platform, meter) == a_day(meter)
    (of_signs,) = by_folder(cleaned, SIGNS)
    assert of_signs["rejected_by_reason"] == {"invalid_meter_id": (len(field_files.IDS) - len(legal)) * ROWS}
    for folder in LOST_DIGITS:
        (lost,) = by_folder(cleaned, folder)
        assert (lost["good"], [*lost["rejected_by_reason"]]) == (0, ["meter_id_lost_digits"])

    # The later row wins: in one file it is import behind export, in the other a final value behind an estimate.
    assert asked(platform, "BUG10") == a_day("BUG10", 9.93)
    assert asked(platform, "BUG14") == a_day("BUG14", 14.392)
    conflicts = contradictions(IMPORT_AND_EXPORT, "End", "Value") + contradictions(ESTIMATE_AND_FINAL, "Start", "kWh")
    assert summary(platform, run, "clean_to_business")["conflicts"] == conflicts > 0
    assert [*alerts.taken()] == ["Readings contradict one another"]

    registers = [["AGG", f"202403{day:02}", 0, 0] for day in range(4, 12)]
    assert platform.in_the_warehouse("BUG26") == registers
    assert answer_about(platform, "BUG26").status_code == 404, "registers are no consumption"
    assert in_the_lake(platform, "BUG26") == [("AGG", str(len(registers)))]
    assert in_the_lake(platform, "BUG14") == [("INT", str(ROWS))]


def contradictions(folder: str, time: str, value: str) -> int:
    """The number of times for which the rows of a file have several values."""
    _, files = field_files.delivery(folder)
    (content,) = files.values()
    values: dict[str, set[Decimal]] = {}
    for row in csv.DictReader(io.StringIO(content.decode())):
        values.setdefault(row[time], set()).add(Decimal(row[value]))
    return sum(1 for each in values.values() if len(each) > 1)


def in_the_lake(platform: Platform, meter: str) -> list[tuple[str, ...]]:
    """Type and number of the published readings of a meter, by Athena."""
    return platform.athena(f"SELECT reading_type, count(*) FROM daily WHERE meter_id = '{meter}' GROUP BY 1")
