"""The steps of ingest_meter_readings that are no operator of the provider. `params` are those of the run."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from metering import alerts, catalog, clients, conflicts, file_descriptions, glue, ledger, rejects, set_aside


def find_new_meter_files(
    batch: str,
    clean_bucket: str,
    landing_bucket: str,
    landing_prefix: str,
    transformer: str,
    params: dict[str, Any],
) -> dict[str, Any] | None:
    """Batch, number and bytes of the new files, whose manifest is written; None when there are none."""
    return ledger.find_new_meter_files(
        clients.s3(),
        landing_bucket=landing_bucket,
        landing_prefix=landing_prefix,
        clean_bucket=clean_bucket,
        batch=batch,
        reprocess=params["reprocess"],
        transformer=transformer,
        description=file_descriptions.described(params),
    )


def check_rejected_share(batch: str, clean_bucket: str, params: dict[str, Any]) -> str:
    """Sentences on the rejected rows and on the files that were set aside.

    rejects.RejectedShareError when there are too many rejected rows, set_aside.NothingReadError when no file could be
    read. Files that could not be read are told, and then noted: no later run tries them in the same way again.
    """
    s3 = clients.s3()
    summary, _ = glue.summary(s3, clean_bucket, batch, "raw_to_clean")
    set_aside.report(summary, alerts.tell)
    ledger.record_set_aside(s3, clean_bucket=clean_bucket, summary=summary, recorded_at=datetime.now(UTC))
    unread = set_aside.check(summary)
    verdict = rejects.check(summary, max_share=params["max_rejected_share"], clean_bucket=clean_bucket)
    return "\n".join(filter(None, [verdict, unread]))


def publish_readings(batch: str, clean_bucket: str, database: str, params: dict[str, Any]) -> int:
    """Points the catalog at the partitions that clean_to_business has written, and tells of conflicts (see conflicts).
    Returns the number of partitions.
    """
    summary, written_at = glue.summary(clients.s3(), clean_bucket, batch, "clean_to_business")
    published = catalog.publish(
        clients.glue(),
        database=database,
        table="daily",
        partitions=summary["partitions"],
        run=summary["run"],
        written_at=written_at,
        published_at=datetime.now(UTC),
    )
    conflicts.check(summary, max_share=params["max_conflict_share"], tell=alerts.tell)
    return published


def record_ledger(batch: str, clean_bucket: str) -> dict[str, Any]:
    """Note that the batch is loaded; what its READINGS event says."""
    s3 = clients.s3()
    summary, merged_at = glue.summary(s3, clean_bucket, batch, "clean_to_business")
    cleaned, _ = glue.summary(s3, clean_bucket, batch, "raw_to_clean")
    return ledger.record(
        s3,
        clean_bucket=clean_bucket,
        summary=summary,
        merged_at=merged_at,
        recorded_at=datetime.now(UTC),
        set_aside=set_aside.uris(cleaned),
    )
