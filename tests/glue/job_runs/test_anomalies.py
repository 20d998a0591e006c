"""detect_anomalies as job runs on S3 and the catalog: the first judgements, nothing new, and one new day."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet as parquet
import pytest
from meter_data.lake.schemas import ANOMALY
from metering import catalog

from tests.glue.job_runs.job_platform import JobPlatform

pytestmark = pytest.mark.slow

FIRST = date(2013, 12, 1)
DAYS = 45
WEATHER = "time string, temperature double, apparenttemperature double, humidity double"
ARGUMENTS = {
    "data_end": "auto",
    "days": "365",
    "country": "GB",
    "intervals_per_hour": "2",
    "with_weather": "true",
    "level": "0.98",
}
Rows = dict[tuple[str, date], tuple[Any, ...]]


class Platform(JobPlatform):
    """Days come in; judgements go out."""

    def publish_days(self, run: str, rows: list[dict[str, Any]]) -> None:
        """Publish rows as the table aggregated_daily."""
        schema = pyarrow.schema(
            [
                ("meter_id", pyarrow.string()),
                ("date_str", pyarrow.string()),
                ("consumption", pyarrow.float64()),
                ("interval_count", pyarrow.int32()),
            ]
        )
        partitions, published = [], catalog.locations(self.glue, self.database, "aggregated_daily")
        for month in sorted({row["date_str"][:6] for row in rows}):
            of_month = [row for row in rows if row["date_str"].startswith(month)]
            file = io.BytesIO()
            parquet.write_table(pyarrow.Table.from_pylist(of_month, schema), file)
            folder = f"aggregated_daily/run={run}/month={month}/"
            self.put("business", f"{folder}part-0.parquet", file.getvalue())
            location = f"s3://{self.buckets['business']}/{folder}"
            replaces = published.get((month,))
            partitions.append({"values": [month], "location": location, "rows": len(of_month), "replaces": replaces})
        self.publish("aggregated_daily", partitions, run)

    def detect(self, run: str) -> dict[str, Any]:
        """Run the job and publish what it says; its summary."""
        assert self.run("detect_anomalies", run=run, **ARGUMENTS) is None
        summary = self.summary(run, "detect_anomalies")
        self.publish("anomaly", summary["partitions"], run)
        return summary

    def judgements(self) -> Rows:
        """The published judgements, by meter and day."""
        rows: Rows = {}
        for file in self.published_files("anomaly"):
            for row in parquet.read_table(io.BytesIO(file)).to_pylist():
                assert (row["meter_id"], row["ds"]) not in rows
                rows[row["meter_id"], row["ds"]] = tuple(row.values())
        return rows


@pytest.fixture(scope="module")
def platform(aws: Callable[[str], Any]) -> Platform:
    return Platform(aws)


def days_of(meter: str, count: int, seed: int, last_is_complete: bool = True) -> list[dict[str, Any]]:
    """Rows of aggregated_daily: about 10 kWh a day, 40 on day 20."""
    values = np.random.default_rng(seed).normal(10, 1, count)
    values[20] = 40
    rows = [
        {"meter_id": meter, "date_str": f"{FIRST + timedelta(days=number):%Y%m%d}", "consumption": float(value)}
        for number, value in enumerate(values)
    ]
    counts = [48] * (count - 1) + [48 if last_is_complete else 20]
    return [{**row, "interval_count": intervals} for row, intervals in zip(rows, counts, strict=True)]


def test_days_are_judged_once_and_one_new_day_adds_one_each(platform: Platform) -> None:
    hours = [datetime(2013, 12, 1) + timedelta(hours=number) for number in range(24 * DAYS)]  # noqa: DTZ001 (a text)
    platform.deliver_weather(WEATHER, [f"{hour},{hour.hour},{-hour.hour},0.5" for hour in hours])
    # The last day is not complete, but for the third meter.
    first = [*days_of("M1", DAYS, 1, False), *days_of("M2", DAYS, 2, False), *days_of("M3", 44, 3)]
    platform.publish_days("r1", first)

    said = platform.detect("a-1")

    assert [part["values"] for part in said["partitions"]] == [["201312"], ["201401"]]
    assert (said["judged"], said["kept"], said["incomplete"]) == (3 * 44, 0, 0)
    assert said["data_end"] == "2014-01-14"
    assert said["weather"]["last_known"] == "2014-01-14"
    judged = platform.judgements()
    assert len(judged) == 3 * 44
    spike = dict(zip(ANOMALY.names, judged["M1", date(2013, 12, 21)], strict=True))
    assert (spike["consumption"], spike["anomaly"]) == (40.0, 1)
    assert (spike["temperature"], spike["apparenttemperature"]) == (11.5, -11.5)
    assert spike["yhat_lower"] < 10 < spike["yhat_upper"]

    nothing = platform.detect("b-1")

    assert (nothing["judged"], nothing["kept"], nothing["partitions"]) == (0, 3 * 44, [])
    assert platform.judgements() == judged

    platform.publish_days("r2", [*days_of("M1", DAYS, 1), *days_of("M2", DAYS, 2), *days_of("M3", 44, 3)])
    added = platform.detect("c-1")

    assert [part["values"] for part in added["partitions"]] == [["201401"]]
    assert (added["judged"], added["days"]) == (2, ["20140114-20140114"])
    after = platform.judgements()
    assert {key: after[key] for key in judged} == judged
    assert sorted(after.keys() - judged.keys()) == [("M1", date(2014, 1, 14)), ("M2", date(2014, 1, 14))]
