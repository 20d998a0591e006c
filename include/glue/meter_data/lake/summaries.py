"""Where each job says what it did."""

from __future__ import annotations


def summary_uri(clean_bucket: str, name: str, job: str) -> str:
    """Returns the place of a job's summary. `name` is its batch; for aggregate_consumption it is its run."""
    return f"s3://{clean_bucket}/_summaries/{name}/{job}.json"


def row_groups_uri(clean_bucket: str, batch: str) -> str:
    """Returns the place of the list of a batch's row groups in the clean zone; see clean_row_groups."""
    return f"s3://{clean_bucket}/_summaries/{batch}/clean_row_groups.parquet"
