"""Sweeping on S3 and the catalog as infra/ declares it: what goes, what stays, and when."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from metering import catalog, ledger, storage, sweeping

from tests.api_lambdas.lake import Lake

if TYPE_CHECKING:
    from local_aws.settings import Settings

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
# Objects are written while the tests run, which may be long after this; everything else happens afterwards.
START = datetime.now(UTC).replace(microsecond=0) + DAY
OLD, NEW = "20260101T090000-aaaaaa", "20260102T090000-bbbbbb"


class Zones:
    """A deployment of one bucket, in which runs write and publish."""

    def __init__(self, aws: Callable[[str], Any], settings: Settings) -> None:
        self.s3, self.glue = aws("s3"), aws("glue")
        made = Lake(aws, settings)
        self.database, self.bucket = made.name, made.bucket

    def put(self, key: str, content: bytes = b"12345") -> None:
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=content)

    def keys(self, prefix: str = "") -> list[str]:
        return [item["Key"] for item in storage.objects(self.s3, self.bucket, prefix)]

    def write(self, table: str, run: str, values: str) -> dict[str, Any]:
        """A run's folder of two objects; its partition as a summary names it."""
        folder = f"{table}/run={run}/{values}/"
        for number in (0, 1):
            self.put(f"{folder}part-{number}.parquet")
        texts = tuple(part.partition("=")[2] for part in values.split("/"))
        read = catalog.locations(self.glue, self.database, table).get(texts)
        return {"values": list(texts), "location": f"s3://{self.bucket}/{folder}", "rows": 1, "replaces": read}

    def publish(
        self, table: str, run: str, partition: dict[str, Any], at: datetime, written_at: datetime = START
    ) -> None:
        catalog.publish(
            self.glue,
            database=self.database,
            table=table,
            partitions=[partition],
            run=run,
            written_at=written_at,
            published_at=at,
        )

    def sweep(self, now: datetime, *tables: str, dry_run: bool = False) -> dict[str, Any]:
        return sweeping.superseded_folders(
            self.s3,
            self.glue,
            database=self.database,
            business_bucket=self.bucket,
            clean_bucket=self.bucket,
            tables=tables or ["daily"],
            retention=3 * DAY,
            now=now,
            dry_run=dry_run,
        )

    def sweep_clean(self, now: datetime, **others: bool) -> dict[str, Any]:
        return sweeping.clean_batches(
            self.s3,
            self.glue,
            database=self.database,
            clean_bucket=self.bucket,
            retention=365 * DAY,
            now=now,
            dry_run=others.get("dry_run", False),
        )

    def point_at(self, table: str, value: str, key: str) -> None:
        """A partition as a crawler makes it."""
        descriptor = {"Columns": [], "Location": f"s3://{self.bucket}/{key}"}
        given = {"Values": [value], "StorageDescriptor": descriptor}
        self.glue.create_partition(DatabaseName=self.database, TableName=table, PartitionInput=given)

    def values(self, table: str) -> list[str]:
        return sorted(values[0] for values in catalog.locations(self.glue, self.database, table))


@pytest.fixture
def zones(aws: Callable[[str], Any], settings: Settings) -> Zones:
    return Zones(aws, settings)


def runs(zones: Zones, table: str = "daily") -> list[str]:
    """The runs of which objects are left."""
    return sorted({key.split("/")[1].removeprefix("run=") for key in zones.keys(f"{table}/")})


def test_a_superseded_folder_goes_when_its_retention_is_over(zones: Zones) -> None:
    month = "reading_type=INT/month=201301"
    first, untouched = zones.write("daily", "a-1", month), zones.write("daily", "a-1", "reading_type=INT/month=201302")
    for partition in (first, untouched):
        zones.publish("daily", "a-1", partition, START)
    second = zones.write("daily", "b-1", month)
    zones.publish("daily", "b-1", second, START + DAY, written_at=START + HOUR)

    early = zones.sweep(START + 4 * DAY - HOUR)
    assert early == {"daily": {"dry_run": False, "folders": 0, "objects": 0, "bytes": 0, "waiting": 1}}
    late = zones.sweep(START + 4 * DAY)

    assert late == {"daily": {"dry_run": False, "folders": 1, "objects": 2, "bytes": 10, "waiting": 0}}
    assert zones.keys("daily/") == [
        f"daily/run=a-1/reading_type=INT/month=201302/part-{number}.parquet" for number in (0, 1)
    ] + [f"daily/run=b-1/{month}/part-{number}.parquet" for number in (0, 1)]
    # Its turn is over: cleared however late, publishing it is refused.
    with pytest.raises(catalog.SupersededError):
        zones.publish("daily", "a-1", first, START + 5 * DAY)


def test_versions_of_a_partition_that_is_published_every_day_go_one_after_another(zones: Zones) -> None:
    left = []
    for number in range(8):
        partition = zones.write("completeness", f"{number}-1", "month=201301")
        at = START + number * DAY
        zones.publish("completeness", f"{number}-1", partition, at, written_at=at)
        zones.sweep(at + HOUR, "completeness")
        left.append(len(runs(zones, "completeness")))

    # A version is superseded a day after it was published, noted an hour later, and goes by the sweep 3 days after.
    assert left == [1, 2, 3, 4, 4, 4, 4, 4]
    assert runs(zones, "completeness") == ["4-1", "5-1", "6-1", "7-1"]


def test_a_folder_that_may_still_be_published_stays_however_old_it_is(zones: Zones) -> None:
    failed = zones.write("daily", "a-1", "reading_type=INT/month=201301")
    assert zones.sweep(START + 900 * DAY)["daily"]["folders"] == 0

    zones.publish("daily", "a-1", failed, START + 900 * DAY)  # cleared at last
    assert zones.sweep(START + 910 * DAY)["daily"]["folders"] == 0
    assert runs(zones) == ["a-1"]


def test_what_a_killed_try_has_left_goes_once_a_later_one_is_published(zones: Zones) -> None:
    zones.write("aggregated_weekly", "a-1", "iso_year=2013")
    zones.put("aggregated_weekly/run=a-1/_temporary/0/_temporary/attempt_1/iso_year=2014/part-0.parquet")
    done = zones.write("aggregated_weekly", "a-2", "iso_year=2013")
    assert zones.sweep(START + 2 * DAY, "aggregated_weekly")["aggregated_weekly"]["folders"] == 0

    zones.publish("aggregated_weekly", "a-2", done, START)
    swept = zones.sweep(START + 4 * DAY, "aggregated_weekly")["aggregated_weekly"]

    assert (swept["folders"], swept["objects"]) == (2, 3)
    assert runs(zones, "aggregated_weekly") == ["a-2"]


def test_a_dry_run_says_what_would_go_and_changes_nothing(zones: Zones, caplog: pytest.LogCaptureFixture) -> None:
    month = "month=201301"
    zones.write("anomaly", "a-1", month)
    zones.publish("anomaly", "b-1", zones.write("anomaly", "b-1", month), START)
    before = zones.keys()

    with caplog.at_level("INFO", logger="metering.sweeping"):
        would = zones.sweep(START + 3 * DAY, "anomaly", dry_run=True)

    assert zones.keys() == before
    assert f"Would go: s3://{zones.bucket}/anomaly/run=a-1/{month}/ (2 objects, 10 bytes)" in caplog.text
    does = zones.sweep(START + 3 * DAY, "anomaly")
    assert would["anomaly"] | {"dry_run": False} == does["anomaly"]
    assert zones.sweep(START + 3 * DAY, "anomaly")["anomaly"]["folders"] == 0


def test_a_sweep_that_was_interrupted_is_finished_by_the_next(zones: Zones, monkeypatch: pytest.MonkeyPatch) -> None:
    for day in ("20130101", "20130102"):
        values = f"reading_type=INT/day={day}"
        zones.write("daily", "a-1", values)
        zones.publish("daily", "b-1", zones.write("daily", "b-1", values), START)
    delete = storage.delete

    def interrupted(s3: Any, bucket: str, keys: list[str]) -> None:
        delete(s3, bucket, keys[:1])
        raise ConnectionError

    monkeypatch.setattr(storage, "delete", interrupted)
    with pytest.raises(ConnectionError):
        zones.sweep(START + 3 * DAY)
    assert len(zones.keys("daily/run=a-1/")) == 3
    monkeypatch.setattr(storage, "delete", delete)

    assert zones.sweep(START + 3 * DAY)["daily"]["objects"] == 3
    assert len(zones.keys("daily/run=b-1/")) == 4


def test_old_batches_go_with_their_quarantine_and_are_noted_and_withdrawn(zones: Zones) -> None:
    for batch in (OLD, NEW):
        zones.put(f"clean/batch={batch}/part-0.parquet")
        zones.point_at("readings_clean", batch, f"clean/batch={batch}/")
    zones.put(f"quarantine/batch={OLD}/part-0.parquet", b"123")
    zones.put("quarantine/batch=20251231T090000-cccccc/part-0.parquet", b"1")  # nothing in it was good
    for kept in (f"tallies/batch={OLD}/month=201301/part-0.parquet", f"_batches/{OLD}.json"):
        zones.put(kept)
    assert zones.sweep_clean(START + 364 * DAY)["folders"] == 0

    would = zones.sweep_clean(START + 366 * DAY, dry_run=True)
    assert (would["folders"], would["objects"], would["bytes"]) == (4, 4, 14)
    assert zones.values("readings_clean") == [OLD, NEW]
    assert zones.sweep_clean(START + 366 * DAY) == would | {"dry_run": False}

    assert zones.keys("clean/") == zones.keys("quarantine/") == zones.values("readings_clean") == []
    assert ledger.swept_batches(zones.s3, zones.bucket) == {OLD, NEW, "20251231T090000-cccccc"}
    assert len(zones.keys("tallies/") + zones.keys("_batches/")) == 2


def test_the_newest_forecast_stays_however_old_it_is(zones: Zones) -> None:
    for batch in (OLD, NEW):
        zones.put(f"forecast/run={batch}/part-0.parquet")
        zones.point_at("forecast", batch, f"forecast/run={batch}/")

    def sweep(now: datetime) -> int:
        swept = sweeping.forecasts(
            zones.s3,
            zones.glue,
            database=zones.database,
            business_bucket=zones.bucket,
            retention=90 * DAY,
            now=now,
            dry_run=False,
        )
        return swept["folders"]

    assert [sweep(START + days * DAY) for days in (89, 91, 900)] == [0, 1, 0]
    assert zones.keys("forecast/") == [f"forecast/run={NEW}/part-0.parquet"]
    assert zones.values("forecast") == [NEW]


def test_more_partitions_and_objects_than_one_request_takes_go_all(zones: Zones) -> None:
    batches = [f"20260101T0900{number:02}-aaaaaa" for number in range(30)]
    for batch in batches:
        zones.put(f"clean/batch={batch}/part-0.parquet")
        zones.point_at("readings_clean", batch, f"clean/batch={batch}/")

    assert zones.sweep_clean(START + 366 * DAY)["objects"] == 30
    assert zones.values("readings_clean") == []
