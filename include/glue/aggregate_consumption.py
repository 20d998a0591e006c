"""Consumption of touched days, ISO weeks and months, and how complete the days are.

    --run                names the folders that are written: a new one for every try
    --dates              touched dates as closed ranges: 20130101-20131231,20140105-20140105
    --intervals_per_hour
    --clean_bucket, --business_bucket, --database
    --spread_above_rows  the work is spread over Spark's workers above so many rows

Interval readings (INT) only; kWh. The touched days are summed from their published readings; the weeks and months that
hold them are summed from the days. All else in a partition that is written is carried over from its published version.
Each row has interval_count, the number of readings summed.

Completeness (consumption.completeness) is that of whole months: of the touched dates from their readings, of others
from the published rows, and of all from the tallies of published batches. The months after touched ones are written
again where they are published: which meters are missed in them depends on the month before.

Writes aggregated_daily/run=<run>/month=…, aggregated_weekly/run=<run>/iso_year=…, aggregated_monthly/run=<run>/year=…,
completeness/run=<run>/month=… and, last, _summaries/<run>/aggregate_consumption.json. Nothing is published here.
"""

from __future__ import annotations

import sys
from functools import partial

import boto3
from meter_data.consumption.aggregation import aggregate
from meter_data.consumption.partitions import KEYS, READINGS
from meter_data.consumption.touched_dates import Touched
from meter_data.lake import date_ranges, published, store, summaries
from meter_data.runner import failures, work

JOB = "aggregate_consumption"


def main() -> None:
    from awsglue.utils import getResolvedOptions

    buckets = ["clean_bucket", "business_bucket"]
    given = getResolvedOptions(
        sys.argv, ["run", "dates", "intervals_per_hour", *buckets, "database", "spread_above_rows"]
    )
    touched = Touched(date_ranges.to_dates(given["dates"]))
    glue = boto3.client("glue")
    tables = [READINGS, *KEYS]
    # Asked for before anything is read: what a partition replaces is what the job has read.
    known = {table: published.partitions(glue, given["database"], table) for table in tables}
    lake = store.connect()
    summary = aggregate(
        lake,
        known,
        touched,
        run=given["run"],
        clean_bucket=given["clean_bucket"],
        business_bucket=given["business_bucket"],
        intervals_per_hour=int(given["intervals_per_hour"]),
        run_work=partial(work.run, spread_above_rows=int(given["spread_above_rows"]), connect=store.connect),
    )
    lake.write_json(summaries.summary_uri(given["clean_bucket"], given["run"], JOB), summary)


if __name__ == "__main__":
    failures.run(main)
