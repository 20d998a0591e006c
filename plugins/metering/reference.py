"""The steps of load_reference_data that are no operator of the provider.

    landing   reference/weather/*, reference/geodata/*, reference/cisdata/*    as delivered
    business  weather/weather.tsv, geodata/geodata.tsv                         as their tables read them

All files below a folder are the data together; where two say something of the same hour or meter, the newest counts. A
file that is taken away is gone from the table after the next run. Customer data (CIS) is copied to Redshift from where
it was delivered: no task of Airflow reads it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Any

from metering import clients, reference_tables, storage
from metering.reference_tables import Rows

REFERENCE = "reference/"
WEATHER, GEODATA, CISDATA = "weather", "geodata", "cisdata"
# Which tasks begin the way of each kind of data.
FIRST_TASKS = {
    WEATHER: ["publish_weather"],
    GEODATA: ["publish_geodata"],
    CISDATA: ["crawl_cisdata", "replace_cis_data"],
}

log = logging.getLogger(__name__)


class NoReferenceFilesError(LookupError):
    """A run was asked for data of which no file was delivered."""


def find_reference_files(landing_bucket: str, params: dict[str, Any]) -> list[str]:
    """The tasks that have something to load: of the kinds asked for, of all that were delivered when none is.

    Raises NoReferenceFilesError when one that was asked for was not delivered.
    """
    s3 = clients.s3()
    wanted = params["kinds"] or list(FIRST_TASKS)
    found = {kind: len(_files(s3, landing_bucket, kind)) for kind in wanted}
    log.info("Files: %s", ", ".join(f"{kind} {files}" for kind, files in found.items()))
    if params["kinds"] and (missing := [kind for kind, files in found.items() if not files]):
        folders = ", ".join(f"s3://{landing_bucket}/{REFERENCE}{kind}/" for kind in missing)
        raise NoReferenceFilesError(f"There is no file in {folders}. Upload one, or leave that kind of data out.")
    return [task_id for kind, files in found.items() if files for task_id in FIRST_TASKS[kind]]


def publish_weather(landing_bucket: str, business_bucket: str) -> dict[str, Any]:
    """Write the table weather anew; how many files and hours it has, the first and the last hour (UTC)."""
    files, rows = _publish(WEATHER, reference_tables.weather, landing_bucket, business_bucket)
    return {"files": files, "hours": len(rows), "first": min(rows, default=None), "last": max(rows, default=None)}


def publish_geodata(landing_bucket: str, business_bucket: str) -> dict[str, Any]:
    """Write the table geodata anew; how many files and meters it has."""
    files, rows = _publish(GEODATA, reference_tables.positions, landing_bucket, business_bucket)
    return {"files": files, "meters": len(rows)}


def _publish(
    kind: str, rows_of: Callable[[str, bytes], Rows], landing_bucket: str, business_bucket: str
) -> tuple[int, Rows]:
    """One object is written, so that readers see the old table or the new one. Raises ReferenceFileError."""
    s3 = clients.s3()
    files = _files(s3, landing_bucket, kind)
    rows: Rows = {}
    for item in sorted(files, key=lambda item: (item["LastModified"], item["Key"])):
        content = s3.get_object(Bucket=landing_bucket, Key=item["Key"])["Body"].read()
        rows |= rows_of(f"s3://{landing_bucket}/{item['Key']}", content)
    s3.put_object(
        Bucket=business_bucket,
        Key=f"{kind}/{kind}.tsv",
        Body=reference_tables.text_of(rows).encode(),
        ContentType="text/tab-separated-values",
    )
    return len(files), rows


def _files(s3: Any, landing_bucket: str, kind: str) -> list[dict[str, Any]]:
    """What was delivered; empty and hidden objects are none."""
    return [
        item
        for item in storage.objects(s3, landing_bucket, f"{REFERENCE}{kind}/")
        if item["Size"] and PurePosixPath(item["Key"]).name[0] not in "._"
    ]
