"""The steps of aggregate_consumption that are no operator of the provider.

`announced` is what the READINGS events say that started the run; it is empty for a run by hand.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from metering import alerts, catalog, clients, completeness, dates, glue

Announced = list[dict[str, Any]]


def choose_dates(announced: Announced, params: dict[str, Any], database: str) -> list[str]:
    """The dates to sum anew, as closed ranges: those of all events, or those that the operator asks for."""
    if announced:
        return dates.merge(text for extra in announced for text in extra["dates"])
    return dates.between(params["first_date"], params["last_date"], catalog.published_dates(clients.glue(), database))


def check_completeness(batch: str, clean_bucket: str, params: dict[str, Any]) -> str:
    """A sentence on the touched days; see completeness.check."""
    summary, _ = glue.newest_summary(clients.s3(), clean_bucket, batch, "aggregate_consumption")
    return completeness.check(
        summary["completeness"],
        min_share=params["min_completeness"],
        on_incomplete=params["on_incomplete"],
        tell=alerts.tell,
    )


def publish_consumption(
    announced: Announced, batch: str, chosen_dates: str, clean_bucket: str, database: str
) -> dict[str, Any]:
    """Point the catalog at the new sums; what the CONSUMPTION event says of them.

    Without dates no job has run and nothing is published, but the batches are announced: they may hold error readings.
    """
    batches = sorted({extra["batch"] for extra in announced})
    if not chosen_dates:
        return {"batches": batches, "run": None, "dates": []}
    summary, written_at = glue.newest_summary(clients.s3(), clean_bucket, batch, "aggregate_consumption")
    sums: list[dict[str, Any]] = [
        {"database": database, "table": table, "partitions": aggregate["partitions"], "written_at": written_at}
        for table, aggregate in summary["tables"].items()
    ]
    # All of them or none: sums of two runs side by side would not agree.
    for of_table in sums:
        catalog.require_current(clients.glue(), **of_table)
    for table, aggregate in summary["tables"].items():
        # A summary of a job of a former version does not say what it has read.
        catalog.require_unchanged(clients.glue(), database=database, table=table, read=aggregate.get("read", []))
    for of_table in sums:
        catalog.publish(clients.glue(), **of_table, run=summary["run"], published_at=datetime.now(UTC))
    return {"batches": batches, "run": summary["run"], "dates": chosen_dates.split(",")}
