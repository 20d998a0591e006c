"""What a load of the warehouse copies: one manifest of Parquet files a table, for COPY … MANIFEST.

Batches go in as they lie in the clean zone. Aggregates go in as the catalog publishes them at this moment, whole
partitions of the dates concerned: so a late or repeated load never brings an older version back. For that the task that
merges them plans them anew in each try: it may be cleared alone, long after newer loads.
A manifest is data, not SQL: names of files never become part of a statement.

    <business>/_manifests/<batch>/<table>.json    where <batch> names the run of load_redshift
    <business>/_manifests/<batch>/batches.csv     the batches to be copied, and when each was merged into the lake

The second orders rows of one upload time that came in different batches: the batch that was merged later wins, in the
warehouse as in the lake, in whichever order they are loaded.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import PurePosixPath
from typing import Any

from metering import batches, catalog, clients, dates, deployment, ledger, storage
from metering.glue import SUMMARIES
from metering.settings import SETTINGS

MANIFESTS = "_manifests/"
READINGS_TABLE = "daily"
BATCHES_TABLE = "batches"  # lives no longer than a load
ROW_GROUPS = "clean_row_groups.parquet"
# The partitions of each aggregate that hold a set of dates.
AGGREGATES: dict[str, Callable[[Iterable[str]], set[str]]] = {
    "aggregated_daily": dates.months,
    "aggregated_weekly": dates.iso_years,
    "aggregated_monthly": dates.years,
}

CUSTOMERS_TABLE, PLACES_TABLE = "cis_data", "geo_data"
CREATE_TABLES = [
    *(
        f"redshift/create_{table}.sql"
        for table in ("load_turn", READINGS_TABLE, *AGGREGATES, PLACES_TABLE, CUSTOMERS_TABLE)
    ),
    f"redshift/revoke_{CUSTOMERS_TABLE}.sql",
]
# The lock comes first: a transaction sees what was committed before its first statement that reads data.
MERGES: dict[str, list[str]] = {
    "merge_readings": [
        "redshift/lock_load_turn.sql",
        *(f"redshift/{step}_{READINGS_TABLE}.sql" for step in ("stage", "copy")),
        *(f"redshift/{step}_{BATCHES_TABLE}.sql" for step in ("stage", "copy")),
        *(f"redshift/{step}_{READINGS_TABLE}.sql" for step in ("rank", "discard", "merge")),
    ],
    "merge_consumption": [
        "redshift/lock_load_turn.sql",
        *(f"redshift/{step}_{table}.sql" for table in AGGREGATES for step in ("stage", "copy", "discard", "merge")),
    ],
}
# Reference data is small: all of it, anew.
REPLACEMENTS: dict[str, list[str]] = {
    "replace_geo_data": [
        "redshift/lock_load_turn.sql",
        *(f"redshift/{step}_{PLACES_TABLE}.sql" for step in ("clear", "copy")),
    ],
    "replace_cis_data": [
        "redshift/lock_load_turn.sql",
        *(f"redshift/{step}_{CUSTOMERS_TABLE}.sql" for step in ("stage", "copy", "discard", "clear", "insert")),
    ],
}

# All statements of a list are one transaction. Cancelled when the task is killed or times out; a statement outlives a
# task that is cleared while deferred, and the next one waits for it at the lock.
TRANSACTION: dict[str, Any] = {
    "cluster_identifier": deployment.REDSHIFT_CLUSTER,
    "database": deployment.REDSHIFT_DATABASE,
    "secret_arn": deployment.REDSHIFT_SECRET_ARN,
    "deferrable": True,
    "poll_interval": SETTINGS.query_poll_seconds,
    "execution_timeout": timedelta(hours=SETTINGS.max_wait_hours),  # the operator bounds its deferral by it
}


log = logging.getLogger(__name__)


class IncompleteSumsError(LookupError):
    """Some grains of the sums are published for the dates of a load, others are not."""


class SweptBatchError(LookupError):
    """A load is about a batch whose clean rows were swept."""


class OutdatedBatchError(LookupError):
    """A load is about a batch whose clean rows lack columns."""


@dataclass(frozen=True)
class Load:
    """What a run loads: `batches` of readings, and the aggregates of `dates` (closed ranges)."""

    batches: list[str] = field(default_factory=list)
    dates: list[str] = field(default_factory=list)


def plan_load(
    announced: list[dict[str, Any]],
    params: dict[str, Any],
    batch: str,
    clean_bucket: str,
    business_bucket: str,
    database: str,
) -> list[str]:
    """Write the manifests of what the CONSUMPTION events (none: the operator) ask for; the ids of the tasks that have
    something to do.
    """
    s3, glue = clients.s3(), clients.glue()
    if announced:
        load = union(announced)
    else:
        load = requested(
            params,
            all_batches=ledger.published_batches(s3, clean_bucket),
            all_dates=catalog.published_dates(glue, database),
        )
    load = without_swept(
        load, ledger.swept_batches(s3, clean_bucket), everything=not announced and not params["batches"]
    )
    log.info("Batches: %s. Dates: %s", ", ".join(load.batches) or "none", ", ".join(load.dates) or "none")
    folders = [f"s3://{clean_bucket}/clean/batch={batches.checked(name)}/" for name in load.batches]
    require_all_columns(s3, clean_bucket, load.batches)
    merged = [f"{name},{ledger.merged_at(s3, clean_bucket, name):%Y-%m-%d %H:%M:%S}\n" for name in load.batches]
    storage.write_text(s3, business_bucket, f"{MANIFESTS}{batch}/{BATCHES_TABLE}.csv", "".join(merged))
    wanted = {READINGS_TABLE: folders}
    wanted |= locations_of_sums(glue, database, load.dates)
    return merges(write_manifests(s3, wanted, batch=batch, business_bucket=business_bucket))


def plan_sums(
    announced: list[dict[str, Any]], params: dict[str, Any], batch: str, business_bucket: str, database: str
) -> None:
    """Write the manifests of the sums once more, as they are published now."""
    s3, glue = clients.s3(), clients.glue()
    if announced:
        dates_of_sums = union(announced).dates
    else:
        dates_of_sums = requested_dates(params, catalog.published_dates(glue, database))
    wanted = locations_of_sums(glue, database, dates_of_sums)
    merges(write_manifests(s3, wanted, batch=batch, business_bucket=business_bucket))


def without_swept(load: Load, swept: set[str], *, everything: bool) -> Load:
    """The load without batches whose clean rows were swept. SweptBatchError when it is about such a batch by name."""
    gone = [batch for batch in load.batches if batch in swept]
    if not gone:
        return load
    told = f"{len(gone)} batches were swept from the clean zone, the newest of them {gone[-1]}"
    again = "To load their readings into Redshift, load their files anew: parameter reprocess of ingest_meter_readings"
    if not everything:
        raise SweptBatchError(f"{told}. {again}. To load the rest, trigger this DAG with the other batches and dates.")
    log.warning("%s: their readings are not loaded; the sums are complete. %s.", told, again)
    return Load([batch for batch in load.batches if batch not in swept], load.dates)


def require_all_columns(s3: Any, clean_bucket: str, loaded: list[str]) -> None:
    """Raises OutdatedBatchError for batches that an earlier version of raw_to_clean wrote, without source_row and
    source_batch: COPY takes columns by their places. That version wrote no list of row groups.
    """
    outdated = [name for name in loaded if not storage.exists(s3, clean_bucket, f"{SUMMARIES}{name}/{ROW_GROUPS}")]
    if outdated:
        raise OutdatedBatchError(
            f"Cleaned by an earlier version of raw_to_clean, whose rows lack columns: {', '.join(outdated)}. In "
            "ingest_meter_readings, clear raw_to_clean of the run of each of them, with all tasks after it (a batch "
            "begins with the time of its run, in UTC); then clear plan_load. To load the rest, trigger this DAG with "
            "the other batches and dates."
        )


def merges(tables: set[str]) -> list[str]:
    """The tasks that merge `tables`, those that have a manifest. Sums come in three grains or not at all."""
    sums = tables & set(AGGREGATES)
    if sums and (missing := set(AGGREGATES) - sums):
        raise IncompleteSumsError(
            f"The catalog publishes no {', '.join(sorted(missing))} for these dates, but {', '.join(sorted(sums))}. "
            "Trigger aggregate_consumption with these dates; it starts this DAG again."
        )
    return ["merge_readings"] * (READINGS_TABLE in tables) + ["merge_consumption"] * bool(sums)


def union(announced: list[dict[str, Any]]) -> Load:
    """What all CONSUMPTION events say together."""
    batches_of_all = {batch for extra in announced for batch in extra["batches"]}
    return Load(sorted(batches_of_all), dates.merge(text for extra in announced for text in extra["dates"]))


def requested(params: dict[str, Any], *, all_batches: list[str], all_dates: list[str]) -> Load:
    """What a run by hand asks for: batches, dates or both; with nothing given, everything."""
    wanted = all_batches if is_everything(params) else sorted(params["batches"])
    if missing := set(wanted) - set(all_batches):
        names = ", ".join(sorted(missing))
        raise batches.BatchNameError(f"Never published: {names}. The clean bucket lists what was, below _batches/.")
    return Load(wanted, requested_dates(params, all_dates))


def requested_dates(params: dict[str, Any], all_dates: list[str]) -> list[str]:
    """The dates whose sums a run by hand asks for."""
    first, last = params["first_date"], params["last_date"]
    return dates.between(first, last, all_dates) if is_everything(params) or first or last else []


def is_everything(params: dict[str, Any]) -> bool:
    """Whether a run by hand asks for nothing in particular."""
    return not (params["batches"] or params["first_date"] or params["last_date"])


def locations_of_sums(glue: Any, database: str, dates_of_sums: list[str]) -> dict[str, list[str]]:
    """Where the sums of these dates are published, by table."""
    wanted = {}
    for table, partitions_of in AGGREGATES.items():
        touched = partitions_of(dates_of_sums)
        published = catalog.locations(glue, database, table).items() if touched else ()
        wanted[table] = [location for values, location in published if values[0] in touched]
    return wanted


def write_manifests(s3: Any, wanted: dict[str, list[str]], *, batch: str, business_bucket: str) -> set[str]:
    """Write a manifest for each table that has something to copy at its locations; the names of these tables."""
    written = set()
    for table, locations in wanted.items():
        entries = [entry for location in locations for entry in _parquet_files(s3, location)]
        if entries:
            storage.write_json(s3, business_bucket, f"{MANIFESTS}{batch}/{table}.json", {"entries": entries})
            written.add(table)
    return written


def _parquet_files(s3: Any, location: str) -> list[dict[str, Any]]:
    """Entries of a manifest; COPY demands the length of Parquet files. What a job that was killed amid a write has left
    lies in folders named with an underscore.
    """
    bucket, prefix = storage.split_uri(location)
    folder = f"{prefix.rstrip('/')}/"
    return [
        {"url": f"s3://{bucket}/{item['Key']}", "mandatory": True, "meta": {"content_length": item["Size"]}}
        for item in storage.objects(s3, bucket, folder)
        if item["Key"].endswith(".parquet")
        and not any(part[0] in "._" for part in PurePosixPath(item["Key"].removeprefix(folder)).parts)
    ]
