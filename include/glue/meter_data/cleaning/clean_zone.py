"""Writes readings into the clean zone: Parquet files, sorted, each row group of one reading type and month.

    clean/batch=<batch>/<number>.parquet         of the delivery's file with this number, from 00000
    clean/batch=<batch>/<number>-<part>.parquet  of a part of a large file
    clean/batch=<batch>/decided.parquet          rows whose time follows from other rows; see undecided

Redshift copies these files, and clean_to_business reads row groups of them; see clean_row_groups.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from meter_data.lake import calendar
from meter_data.lake.calendar import Days
from meter_data.lake.clean_row_groups import CleanRowGroup
from meter_data.lake.schemas import CLEAN, CODED, INSTANT, TYPES
from meter_data.lake.store import SNAPPY, Store, growing_file

BATCH = "source_batch"
OF_READINGS = pa.schema([field for field in CLEAN if field.name != BATCH])

# Few enough that a reader of one meter reads little, many enough that the columns pack well.
ROWS_A_GROUP = 131_072

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Source:
    """A meter file, and when it was delivered, in milliseconds since 1970 UTC."""

    uri: str
    delivered_at: int


@dataclass(frozen=True)
class Readings:
    """Readings in the order in which they came. Arrays named in the singular have an entry a reading.

    meter_ids     pa.StringArray, ascending, each id once;  meter: int32, the place there
    times         int64, milliseconds since 1970 UTC, ascending, each once;  time: int32, the place there
    kwh           float64: not-a-number for error readings
    reading_type  uint8: the place in TYPES
    obis_codes    pa.StringArray;  obis: int32, the place there or -1 for none
    error_codes   pa.StringArray;  error: int32, the place there or -1 for none
    row           int64: the place in its file
    sources       the files;  source: int32, the place there
    """

    meter_ids: pa.StringArray
    meter: npt.NDArray[np.int32]
    times: Integers
    time: npt.NDArray[np.int32]
    kwh: npt.NDArray[np.float64]
    reading_type: npt.NDArray[np.uint8]
    obis_codes: pa.StringArray
    obis: npt.NDArray[np.int32]
    error_codes: pa.StringArray
    error: npt.NDArray[np.int32]
    row: Integers
    sources: tuple[Source, ...]
    source: npt.NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.meter)


def folder(clean_bucket: str, batch: str) -> str:
    """Returns the folder of a batch."""
    return f"s3://{clean_bucket}/clean/batch={batch}/"


class CleanFile:
    """A file of the clean zone, which is written at once when all its readings are there; to be used in `with`.

    Readings are added block by block. Each block is sorted by itself, so a file of several blocks is several sorted
    runs, one behind the other.
    """

    def __init__(self, clean_bucket: str, batch: str, name: str) -> None:
        self.uri = f"{folder(clean_bucket, batch)}{name}"
        self.groups: list[CleanRowGroup] = []
        self._batch = batch
        self._sink = growing_file()
        self._writer = pq.ParquetWriter(self._sink, CLEAN, compression=SNAPPY)

    def __enter__(self) -> CleanFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.close()
        self._sink.close()

    def add(self, readings: Readings) -> None:
        """Adds readings, sorted by type, month, meter and time; of equal ones the later row comes later."""
        for reading_type, month, places in _sorted_groups(readings, ROWS_A_GROUP):
            batch = _few(np.zeros(len(places), np.int32), pa.array([self._batch]))
            table = columns(readings, places, OF_READINGS).append_column(CLEAN.field(BATCH), batch)
            self._writer.write_table(table, row_group_size=ROWS_A_GROUP)
            time = readings.time[places]
            self.groups.append(
                CleanRowGroup(
                    uri=self.uri,
                    row_group=len(self.groups),
                    reading_type=TYPES[reading_type],
                    month=calendar.month_text(month),
                    rows=len(places),
                    first_meter=readings.meter_ids[readings.meter[places[0]]].as_py(),
                    last_meter=readings.meter_ids[readings.meter[places[-1]]].as_py(),
                    first_day=_date_text(readings.times[time.min()]),
                    last_day=_date_text(readings.times[time.max()]),
                )
            )

    def write(self, store: Store) -> None:
        """Writes the file. A file without readings has no row group."""
        self._writer.close()
        store.write(self.uri, self._sink)


def columns(readings: Readings, places: Integers, schema: pa.Schema) -> pa.Table:
    """Returns these of the readings as a table. `schema` has columns of OF_READINGS only."""
    source = readings.source[places]
    instants = readings.times[readings.time[places]]
    delivered_at = np.array([each.delivered_at for each in readings.sources], np.int64)
    made = {
        "meter_id": _few(readings.meter[places], readings.meter_ids),
        "reading_value": pa.array(readings.kwh[places], from_pandas=True),  # not-a-number becomes null
        "reading_type": _few(readings.reading_type[places].astype(np.int32), pa.array(TYPES)),
        "reading_date_time": _instants(instants),
        "obis_code": _few(readings.obis[places], readings.obis_codes),
        "error_code": _few(readings.error[places], readings.error_codes),
        "source_file": _few(source, pa.array([each.uri for each in readings.sources], pa.string())),
        "delivered_at": _instants(delivered_at[source]),
        "source_row": pa.array(readings.row[places]),
    }
    made |= Days(instants).columns(instants, [name for name in schema.names if name not in made])
    return pa.table([made[name] for name in schema.names], schema=schema)


def _sorted_groups(readings: Readings, rows_a_group: int) -> Iterator[tuple[int, int, Integers]]:
    """Yields the type, the month (since January 1970) and the places of the readings of each row group, in order."""
    if not len(readings):
        return
    month_of_time = _months(readings.times)
    first_month = int(month_of_time[0])
    months = int(month_of_time[-1]) - first_month + 1
    # One number for type and month, and one for all that readings are sorted by: as the codes of meters and times
    # ascend with their texts and instants, so do these numbers. They have room in 64 bits: 3 types, some hundred
    # months, and a million meters and times of a block.
    group = readings.reading_type.astype(np.int64) * months
    group += month_of_time[readings.time] - first_month
    order_by = (group * len(readings.meter_ids) + readings.meter) * len(readings.times) + readings.time
    if (order_by[1:] >= order_by[:-1]).all():
        order = np.arange(len(readings))
    else:
        order = np.argsort(order_by, kind="stable")  # the later row stays the later one
    group = group[order]
    starts = np.flatnonzero(np.append(True, group[1:] != group[:-1]))
    for start, end in zip(starts, np.append(starts[1:], len(group)), strict=True):
        reading_type, month = divmod(int(group[start]), months)
        for first in range(start, end, rows_a_group):
            yield reading_type, first_month + month, order[first : min(first + rows_a_group, end)]


def _few(codes: npt.NDArray[np.int32], texts: pa.StringArray) -> pa.DictionaryArray:
    """Returns the texts with these codes, null for -1. Its dictionary has no text that no code names.

    Without that, each of many row groups would hold all texts of the block. To mark the used ones among a few texts is
    faster than to sort the codes; among more texts than there are codes it is slower.
    """
    if len(texts) <= len(codes):
        is_used = np.zeros(len(texts) + 1, bool)  # one more, so that the code -1 means the last
        is_used[codes] = True
        used = np.flatnonzero(is_used[:-1])
        places = (np.cumsum(is_used, dtype=np.int32) - 1)[codes]  # of each code's text among the used ones
    else:
        used, places = np.unique(codes, return_inverse=True)
        if len(used) and used[0] < 0:
            used, places = used[1:], places - 1
    is_null = codes < 0
    indices = pa.array(places.astype(np.int32), mask=is_null if is_null.any() else None)
    return pa.DictionaryArray.from_arrays(indices, texts.take(pa.array(used))).cast(CODED)


def _instants(milliseconds: Integers) -> pa.TimestampArray:
    return pa.array(milliseconds * calendar.MICROSECONDS).cast(INSTANT)


def _months(instants: Integers) -> Integers:
    """Returns the months since January 1970 of instants in milliseconds since 1970 UTC."""
    return instants.astype("datetime64[ms]").astype("datetime64[M]").astype(np.int64)


def _date_text(instant: int) -> str:
    return calendar.date_text(int(instant) // calendar.DAY)
