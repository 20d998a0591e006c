"""What no reader may still use is deleted, after its retention.

**Superseded folders.** A job writes `<table>/run=<run>/<key>=<value>/…`, and the catalog is pointed at it. Such a
folder is swept when all of this holds:

- no partition of the catalog points at it,
- the partition of its values was published after the folder, and its job's summary, were written. So its turn is over:
  catalog.publish refuses it from then on, however late the task of its run is cleared,
- that has been so for the retention. A partition may be published anew every day, so its time of publishing does not
  say since when older folders have been superseded: each is noted when it is first seen so, in
  `_sweeping/superseded.json` of the business bucket. A lost note makes a folder stay longer, no more,
- no run that publishes the table is in progress.

A folder of values that were never published stays: the run that wrote it may still be cleared. What a killed job has
left in `_temporary/` goes after the retention.

**Clean batches** go with their rows in quarantine when both are older than their retention; their tallies, summaries
and ledger stay. `_swept/<batch>.json` says so to load_redshift. **Forecasts** go likewise, but for the newest.
Partitions that crawlers have made of them are withdrawn first.

Deleting is repeated safely: what is left of a folder is found by the next run.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from metering import catalog, clients, glue, ledger, storage

# Each table with the job that writes its folders.
WRITERS = {
    "daily": "clean_to_business",
    "aggregated_daily": "aggregate_consumption",
    "aggregated_weekly": "aggregate_consumption",
    "aggregated_monthly": "aggregate_consumption",
    "completeness": "aggregate_consumption",
    "anomaly": "detect_anomalies",
}
CLEAN, FORECAST = "clean batches", "forecast"
# The DAGs whose runs publish a table, or read its folders by their names, as manifests of load_redshift do.
USERS = {
    "daily": ["ingest_meter_readings"],
    "aggregated_daily": ["aggregate_consumption", "load_redshift"],
    "aggregated_weekly": ["aggregate_consumption", "load_redshift"],
    "aggregated_monthly": ["aggregate_consumption", "load_redshift"],
    "completeness": ["aggregate_consumption"],
    "anomaly": ["detect_anomalies"],
    CLEAN: ["ingest_meter_readings", "load_redshift"],
    FORECAST: ["forecast_consumption"],
}
IN_PROGRESS = ["queued", "running"]
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
NOTES = "_sweeping/superseded.json"

_PARTITION = re.compile(r"^((?:[^/=]+=[^/]+/)+)[^/=]+$")
_TEMPORARY = "_temporary/"

log = logging.getLogger(__name__)


@dataclass
class Folder:
    """Objects below one place, and when the last of them was written. `values` are those of its partition."""

    uri: str
    run: str
    values: catalog.Values = ()
    keys: list[str] = field(default_factory=list)
    bytes: int = 0
    written_at: datetime = LONG_AGO

    def add(self, item: dict[str, Any]) -> None:
        self.keys.append(item["Key"])
        self.bytes += item["Size"]
        self.written_at = max(self.written_at, item["LastModified"])


def sweep_superseded_folders(
    database: str, business_bucket: str, clean_bucket: str, params: dict[str, Any], ti: Any
) -> dict[str, Any]:
    """Sweep the business zone's superseded folders; per table what went, or what would go."""
    return superseded_folders(
        clients.s3(),
        clients.glue(),
        database=database,
        business_bucket=business_bucket,
        clean_bucket=clean_bucket,
        tables=[table for table in WRITERS if not _in_use(table, ti)],
        retention=timedelta(days=params["superseded_days"]),
        now=datetime.now(UTC),
        dry_run=params["dry_run"],
    )


def sweep_clean_batches(database: str, clean_bucket: str, params: dict[str, Any], ti: Any) -> dict[str, Any]:
    """Sweep old batches of the clean zone and their rows in quarantine; what went, or what would go."""
    if _in_use(CLEAN, ti):
        return {}
    return clean_batches(
        clients.s3(),
        clients.glue(),
        database=database,
        clean_bucket=clean_bucket,
        retention=timedelta(days=params["clean_days"]),
        now=datetime.now(UTC),
        dry_run=params["dry_run"],
    )


def sweep_forecasts(database: str, business_bucket: str, params: dict[str, Any], ti: Any) -> dict[str, Any]:
    """Sweep old forecasts; what went, or what would go."""
    if _in_use(FORECAST, ti):
        return {}
    return forecasts(
        clients.s3(),
        clients.glue(),
        database=database,
        business_bucket=business_bucket,
        retention=timedelta(days=params["forecast_days"]),
        now=datetime.now(UTC),
        dry_run=params["dry_run"],
    )


def superseded_folders(
    s3: Any,
    glue_client: Any,
    *,
    database: str,
    business_bucket: str,
    clean_bucket: str,
    tables: Iterable[str],
    retention: timedelta,
    now: datetime,
    dry_run: bool,
) -> dict[str, Any]:
    """See above; for each of `tables` how many folders, objects and bytes went, and how many folders wait."""
    summaries = {item["Key"]: item["LastModified"] for item in storage.objects(s3, clean_bucket, glue.SUMMARIES)}
    noted: dict[str, str] = _notes(s3, business_bucket)
    swept = {}
    for table in tables:
        published = catalog.published(glue_client, database, table)
        found = folders_of(s3, business_bucket, table)
        since = superseded_since(table, found, published, summaries, noted, now)
        of_table = f"s3://{business_bucket}/{table}/"
        noted = {uri: text for uri, text in noted.items() if not uri.startswith(of_table)}
        noted |= {uri: moment.isoformat() for uri, moment in since.items()}
        due = [folder for folder in found if folder.uri in since and now - since[folder.uri] >= retention]
        if not dry_run:
            # Noted before anything goes: what an interrupted deletion leaves is not noted anew, but goes next time.
            storage.write_json(s3, business_bucket, NOTES, noted)
        due += [folder for folder in leftovers(s3, business_bucket, table) if now - folder.written_at >= retention]
        swept[table] = _sweep(s3, table, due, dry_run) | {"waiting": len(since.keys() - {folder.uri for folder in due})}
    return swept


def superseded_since(
    table: str,
    found: Iterable[Folder],
    published: dict[catalog.Values, catalog.Published],
    summaries: dict[str, datetime],
    noted: dict[str, str],
    now: datetime,
) -> dict[str, datetime]:
    """The superseded ones of `found`, by URI, and since when at the latest that is so."""
    used = {partition.location for partition in published.values()}
    since = {}
    for folder in found:
        current = published.get(folder.values)
        if folder.uri in used or not current or not current.published_at:
            continue
        written_at = max(folder.written_at, summaries.get(summary_key(table, folder.run), folder.written_at))
        if written_at < current.published_at:
            first_seen = datetime.fromisoformat(noted[folder.uri]) if folder.uri in noted else now
            since[folder.uri] = min(first_seen, current.published_at)
    return since


def summary_key(table: str, run: str) -> str:
    """The summary by which publishing finds a folder of this run."""
    job = WRITERS[table]
    # That of clean_to_business is one a batch; a run is <batch>-<try>.
    name = run.rpartition("-")[0] if table == "daily" else run
    return f"{glue.SUMMARIES}{name}/{job}.json"


def folders_of(s3: Any, bucket: str, table: str) -> list[Folder]:
    """The folders of partitions that runs have written of a table."""
    found: dict[str, Folder] = {}
    for run, rest, item in _objects_of_runs(s3, bucket, table):
        if match := _PARTITION.match(rest):
            uri = f"s3://{bucket}/{table}/run={run}/{match[1]}"
            values = tuple(part.partition("=")[2] for part in match[1].rstrip("/").split("/"))
            found.setdefault(uri, Folder(uri, run, values)).add(item)
    return list(found.values())


def leftovers(s3: Any, bucket: str, table: str) -> list[Folder]:
    """What jobs that were killed have left of their work, below run=<run>/_temporary/."""
    found: dict[str, Folder] = {}
    for run, rest, item in _objects_of_runs(s3, bucket, table):
        if rest.startswith(_TEMPORARY):
            uri = f"s3://{bucket}/{table}/run={run}/{_TEMPORARY}"
            found.setdefault(uri, Folder(uri, run)).add(item)
    return list(found.values())


def clean_batches(
    s3: Any,
    glue_client: Any,
    *,
    database: str,
    clean_bucket: str,
    retention: timedelta,
    now: datetime,
    dry_run: bool,
) -> dict[str, Any]:
    """Sweep batches of which all of clean/, quarantine/ and the note of publishing is older than the retention."""
    by_batch: dict[str, list[Folder]] = {}
    for zone in ("clean", "quarantine"):
        for folder in _folders_by(s3, clean_bucket, f"{zone}/", "batch"):
            by_batch.setdefault(folder.run, []).append(folder)
    recorded = {item["Key"]: item["LastModified"] for item in storage.objects(s3, clean_bucket, ledger.BATCHES)}
    old = {
        batch: folders
        for batch, folders in by_batch.items()
        if now - max(folder.written_at for folder in folders) >= retention
        and now - recorded.get(f"{ledger.BATCHES}{batch}.json", LONG_AGO) >= retention
    }
    if not dry_run:
        catalog.withdraw(glue_client, database=database, table="readings_clean", values=[(batch,) for batch in old])
        for batch in sorted(old):
            ledger.record_sweep(s3, clean_bucket=clean_bucket, batch=batch, swept_at=now)
    return _sweep(s3, CLEAN, [folder for folders in old.values() for folder in folders], dry_run)


def forecasts(
    s3: Any,
    glue_client: Any,
    *,
    database: str,
    business_bucket: str,
    retention: timedelta,
    now: datetime,
    dry_run: bool,
) -> dict[str, Any]:
    """Sweep forecasts older than the retention, but for the newest run. Runs are named by their time."""
    found = sorted(_folders_by(s3, business_bucket, f"{FORECAST}/", "run"), key=lambda folder: folder.run)
    old = [folder for folder in found[:-1] if now - folder.written_at >= retention]
    if not dry_run:
        catalog.withdraw(glue_client, database=database, table=FORECAST, values=[(folder.run,) for folder in old])
    return _sweep(s3, FORECAST, old, dry_run)


def _in_use(name: str, ti: Any) -> bool:
    """Whether a DAG that publishes or reads it by name is at work."""
    at_work = [dag_id for dag_id in USERS[name] if ti.get_dr_count(dag_id=dag_id, states=IN_PROGRESS)]
    if at_work:
        log.info("%s: left alone, as %s is at work; the next run looks again", name, ", ".join(at_work))
    return bool(at_work)


def _sweep(s3: Any, name: str, due: list[Folder], dry_run: bool) -> dict[str, Any]:
    """Delete the folders, or say what would go."""
    for folder in due:
        verb = "Would go" if dry_run else "Goes"
        log.info("%s: %s (%d objects, %s bytes)", verb, folder.uri, len(folder.keys), f"{folder.bytes:,}")
        if not dry_run:
            bucket, _ = storage.split_uri(folder.uri)
            storage.delete(s3, bucket, folder.keys)
    counts = {
        "folders": len(due),
        "objects": sum(len(folder.keys) for folder in due),
        "bytes": sum(folder.bytes for folder in due),
    }
    log.info("%s: %s: %s", name, "would be swept" if dry_run else "swept", counts)
    return {"dry_run": dry_run, **counts}


def _objects_of_runs(s3: Any, bucket: str, table: str) -> Iterable[tuple[str, str, dict[str, Any]]]:
    """Run, the key below its folder, and the object, for all folders run=<run>/ of a table."""
    prefix = f"{table}/run="
    for item in storage.objects(s3, bucket, prefix):
        run, slash, rest = item["Key"].removeprefix(prefix).partition("/")
        if slash and rest:
            yield run, rest, item


def _folders_by(s3: Any, bucket: str, prefix: str, key: str) -> list[Folder]:
    """The folders <prefix><key>=<name>/, whatever lies in them; `run` is the name."""
    found: dict[str, Folder] = {}
    for item in storage.objects(s3, bucket, f"{prefix}{key}="):
        name, slash, _ = item["Key"].removeprefix(f"{prefix}{key}=").partition("/")
        if slash:
            uri = f"s3://{bucket}/{prefix}{key}={name}/"
            found.setdefault(uri, Folder(uri, name)).add(item)
    return list(found.values())


def _notes(s3: Any, bucket: str) -> dict[str, str]:
    """Since when which folders are known to be superseded."""
    notes: dict[str, str] = storage.read_json(s3, bucket, NOTES) if storage.exists(s3, bucket, NOTES) else {}
    return notes
