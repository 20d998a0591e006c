"""A clean batch into new versions of the business partitions that it touches.

    --batch   the delivery, cleaned by raw_to_clean
    --run     names the folder that is written: a new one for every try
    --grain   month or day: what a partition holds
    --clean_bucket, --business_bucket, --database, --spread_above_rows (runner.work)

Reads the list of the batch's row groups, the rows of clean/batch=<batch>/, its rows in quarantine, and the published
version of the touched partitions of the table `daily`. Writes daily/run=<run>/reading_type=…/month=… (day=… at grain
day), the batch's tallies by meter and day (merging.tallies) and, last, _summaries/<batch>/clean_to_business.json.
Nothing is published here, and nothing that is published is changed: run again under another run it gives the same.

A reading is known by its meter, type and time. Which of several rows wins, and what a conflict is: merging.winners.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import boto3
from meter_data.lake import clean_row_groups, date_ranges, published, store, summaries
from meter_data.lake.clean_row_groups import CleanRowGroup
from meter_data.lake.store import Store
from meter_data.merging import items as business_partitions
from meter_data.merging import tallies
from meter_data.merging.items import TABLE, Folders
from meter_data.merging.tallies import Rejects
from meter_data.runner import failures, work

JOB = "clean_to_business"
OPTIONS = ["batch", "run", "grain", "clean_bucket", "business_bucket", "database", "spread_above_rows"]
# About how many bytes of a file in quarantine hold a row.
BYTES_A_REJECT = 20


class OutdatedBatchError(LookupError):
    """A batch has no list of row groups."""


def main() -> None:
    from awsglue.utils import getResolvedOptions

    given = getResolvedOptions(sys.argv, OPTIONS)
    convert(store.connect, boto3.client("glue"), given)


def convert(connect: Callable[[], Store], glue: Any, given: dict[str, str]) -> None:
    """Does the work of the job. `given` has a value for each of OPTIONS. Raises GrainError and
    OutdatedBatchError."""
    zones = connect()
    clean_bucket, batch, run = given["clean_bucket"], given["batch"], given["run"]
    most_rows_here = int(given["spread_above_rows"])
    folders = Folders(f"s3://{given['business_bucket']}/{TABLE}/run={run}/", tallies.folder_of(clean_bucket, batch))
    # First of all: what is published now is what the new versions will say that they replace.
    known = published.partitions(glue, given["database"], TABLE)
    groups = row_groups_of(zones, clean_bucket, batch)
    wanted = business_partitions.touched(zones, groups, given["grain"])
    business_partitions.require_one_grain(wanted, known, given["grain"])
    zones.delete_folder(folders.partitions)
    items = business_partitions.plan(zones, wanted, known, given["grain"], folders, business_partitions.MOST_ROWS)
    written = work.run(business_partitions.write, items, most_rows_here, connect)
    in_quarantine = rejects_of(zones, clean_bucket, batch, folders.tallies)
    rejects = work.run(tallies.tally_rejects, in_quarantine, most_rows_here, connect)
    # Last, because a run may fail, for example when its batch was swept; the tallies of a published batch are in use.
    tallied = {item.tallies for item, done in zip(items, written, strict=True) if done.days}
    tallied |= {uri for found in rejects for uri in found.written}
    zones.delete(found.uri for found in zones.listed(folders.tallies) if found.uri not in tallied)
    told = business_partitions.summary(written, lambda values: folders.partition(values, given["grain"]))
    document = {
        "batch": batch,
        "run": run,
        **told,
        "partitions": published.replacing(told["partitions"], known),
        "dates": date_ranges.to_ranges(business_partitions.dates_of_intervals(written)),
        "rejected_attributed": sum(found.attributed for found in rejects),
        "rejected_unattributed": sum(found.unattributed for found in rejects),
    }
    zones.write_json(summaries.summary_uri(clean_bucket, batch, JOB), document)


def row_groups_of(zones: Store, clean_bucket: str, batch: str) -> list[CleanRowGroup]:
    """Returns the list of the batch's row groups. Raises OutdatedBatchError."""
    try:
        return clean_row_groups.read(zones, summaries.row_groups_uri(clean_bucket, batch))
    except FileNotFoundError:
        raise OutdatedBatchError(
            f"The batch {batch} has no list of row groups: an earlier version of raw_to_clean has cleaned it. Clear "
            "raw_to_clean of this run of ingest_meter_readings, with all tasks after it."
        ) from None


def rejects_of(zones: Store, clean_bucket: str, batch: str, folder: str) -> list[Rejects]:
    """Returns the batch's rows in quarantine as one item; none if it has none."""
    found = [
        file for file in zones.listed(f"s3://{clean_bucket}/quarantine/batch={batch}/") if file.uri.endswith(".parquet")
    ]
    files = tuple(file.uri for file in found)
    return [Rejects(files, folder, sum(file.size for file in found) // BYTES_A_REJECT)] if files else []


if __name__ == "__main__":
    failures.run(main)
