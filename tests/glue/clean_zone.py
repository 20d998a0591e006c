"""A clean zone as raw_to_clean writes it, of rows written by hand, for tests of what comes after it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby

import pyarrow as pa
from meter_data.lake import clean_row_groups, schemas, summaries
from meter_data.lake.clean_row_groups import CleanRowGroup
from meter_data.lake.store import SNAPPY, Store

BUCKET = "clean"
FIRST, SECOND, THIRD = (f"2014-01-0{day} 09:00:00" for day in (1, 2, 3))


@dataclass(frozen=True)
class Reading:
    """A row of a meter file. Times are UTC, as texts."""

    meter: str
    time: str
    value: float | None
    kind: str = "INT"
    obis: str | None = None
    error: str | None = None

    def clean(self, source_file: str, delivered_at: str, source_row: int, batch: str) -> dict[str, object]:
        """Returns the row in the columns of the clean zone."""
        moment = moment_of(self.time)
        week = moment.isocalendar()
        return {
            "meter_id": self.meter,
            "reading_value": self.value,
            "reading_type": self.kind,
            "reading_date_time": moment,
            "date_str": f"{moment:%Y%m%d}",
            "obis_code": self.obis,
            "error_code": self.error,
            "iso_year": week.year,
            "week_of_year": week.week,
            "day_of_month": moment.day,
            "month": moment.month,
            "year": moment.year,
            "hour": moment.hour,
            "minute": moment.minute,
            "source_file": source_file,
            "delivered_at": moment_of(delivered_at),
            "source_row": source_row,
            "source_batch": batch,
        }


@dataclass(frozen=True)
class MeterFile:
    """Rows of a meter file, in their order; the first stands at line 1, behind a header."""

    name: str
    delivered_at: str
    readings: Sequence[Reading]

    @property
    def uri(self) -> str:
        return f"s3://landing/readings/{self.name}"

    def clean(self, batch: str = "b1") -> list[dict[str, object]]:
        """Returns the rows in the columns of the clean zone, in the order of the file."""
        return [
            reading.clean(self.uri, self.delivered_at, line, batch)
            for line, reading in enumerate(self.readings, start=1)
        ]


@dataclass(frozen=True)
class Rejected:
    """A row in quarantine; meter and day are None where they cannot be read."""

    name: str
    delivered_at: str
    meter: str | None
    date_str: str | None


def write(
    store: Store, batch: str, files: Iterable[MeterFile], rows_a_group: int = 100_000, bucket: str = BUCKET
) -> None:
    """Writes the readings of a batch and the list of their row groups."""
    listed: list[CleanRowGroup] = []
    in_order = sorted(files, key=lambda file: (file.delivered_at, file.uri))
    for number, file in enumerate(in_order):
        uri = f"s3://{bucket}/clean/batch={batch}/{number:05d}.parquet"
        # sorted() is stable: a later row of one time stays behind an earlier one.
        rows = sorted(file.clean(batch), key=lambda row: (*_partition(row), row["meter_id"], row["reading_date_time"]))
        groups = [
            of_partition[start : start + rows_a_group]
            for _, found in groupby(rows, key=_partition)
            for of_partition in [list(found)]
            for start in range(0, len(of_partition), rows_a_group)
        ]
        listed += [_listed(uri, place, group) for place, group in enumerate(groups)]
        if groups:
            tables = (pa.Table.from_pylist(group, schema=schemas.CLEAN) for group in groups)
            store.write_row_groups(uri, schemas.CLEAN, tables, SNAPPY)
    clean_row_groups.write(store, summaries.row_groups_uri(bucket, batch), listed)


def quarantine(store: Store, batch: str, rejects: Iterable[Rejected], bucket: str = BUCKET) -> None:
    """Writes the rejects of a batch, a file for each meter file."""
    by_file: dict[str, list[Rejected]] = {}
    for reject in rejects:
        by_file.setdefault(reject.name, []).append(reject)
    for number, found in enumerate(by_file.values()):
        rows = [
            {
                "source_file": f"s3://landing/readings/{reject.name}",
                "line": "…",
                "reason": "negative_value",
                "delivered_at": moment_of(reject.delivered_at),
                "meter_id": reject.meter,
                "date_str": reject.date_str,
            }
            for reject in found
        ]
        table = pa.Table.from_pylist(rows, schema=schemas.QUARANTINE)
        store.write_parquet(f"s3://{bucket}/quarantine/batch={batch}/{number:05d}.parquet", table, 1000)


def moment_of(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _partition(row: dict[str, object]) -> tuple[object, ...]:
    return (row["reading_type"], str(row["date_str"])[:6])


def _listed(uri: str, place: int, rows: list[dict[str, object]]) -> CleanRowGroup:
    meters, days = (sorted({str(row[name]) for row in rows}) for name in ("meter_id", "date_str"))
    kind, month = _partition(rows[0])
    return CleanRowGroup(uri, place, len(rows), meters[0], meters[-1], str(kind), str(month), days[0], days[-1])
