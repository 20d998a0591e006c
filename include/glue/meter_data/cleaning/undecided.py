"""Rows whose time is still to be decided, because the clocks went back: kept beside the clean zone until all are known.

    _undecided/batch=<batch>/<number>.parquet   those of the delivery's file with this number; deleted by the same job

Which of two instants such a row means follows from the order of its meter's rows, in all files of the delivery.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from meter_data.cleaning import clean_zone
from meter_data.cleaning.clean_zone import Readings, Source
from meter_data.lake.calendar import MICROSECONDS
from meter_data.lake.schemas import TYPES
from meter_data.lake.store import Store

_CALENDAR = {"date_str", "iso_year", "week_of_year", "day_of_month", "month", "year", "hour", "minute"}
_OF_READINGS = pa.schema([field for field in clean_zone.OF_READINGS if field.name not in _CALENDAR])
# reading_date_time is the earlier instant.
SCHEMA = pa.schema(
    [
        *_OF_READINGS,
        ("wall_clock", pa.int64()),  # what the file says, in milliseconds since 1970 of a clock that shows UTC
        ("later", pa.int64()),  # the later instant, milliseconds since 1970 UTC
        ("is_register", pa.bool_()),
        ("file_order", pa.int64()),  # the number of the file in the delivery
    ]
)
_CODED = [field.name for field in SCHEMA if pa.types.is_dictionary(field.type)]


def folder(clean_bucket: str, batch: str) -> str:
    """Returns the folder of a batch."""
    return f"s3://{clean_bucket}/_undecided/batch={batch}/"


def table(
    readings: Readings,
    wall_clock: npt.NDArray[np.int64],
    later: npt.NDArray[np.int64],
    is_register: npt.NDArray[np.bool_],
    file_order: int,
) -> pa.Table:
    """Returns readings, each with its earlier instant, and what decides between that and the later one."""
    found = clean_zone.columns(readings, np.arange(len(readings)), _OF_READINGS)
    order = np.full(len(readings), file_order, np.int64)
    more = [pa.array(values) for values in (wall_clock, later, is_register, order)]
    return pa.table([*found.columns, *more], schema=SCHEMA)


def write(store: Store, uri: str, tables: Iterable[pa.Table]) -> None:
    """Writes the rows of a file."""
    store.write_parquet(uri, pa.concat_tables(tables).unify_dictionaries(), clean_zone.ROWS_A_GROUP)


def read(store: Store, uris: Iterable[str]) -> pa.Table:
    """Reads the rows of several files, in the order of the files."""
    return pa.concat_tables([store.read_parquet(uri, coded=_CODED).cast(SCHEMA) for uri in uris]).unify_dictionaries()


def readings_of(rows: pa.Table) -> Readings:
    """Returns rows with the columns of SCHEMA, or those of them that readings have, as readings, in their order."""
    meter_ids, meter = _sorted_texts(rows["meter_id"])
    obis_codes, obis = _sorted_texts(rows["obis_code"])
    error_codes, error = _sorted_texts(rows["error_code"])
    files, source = _sorted_texts(rows["source_file"])
    times, time = np.unique(_milliseconds(rows["reading_date_time"]), return_inverse=True)
    # All rows of a file have the same time of delivery: that of any of them.
    delivered_at = np.zeros(len(files), np.int64)
    delivered_at[source] = _milliseconds(rows["delivered_at"])
    return Readings(
        meter_ids=meter_ids,
        meter=meter,
        times=times,
        time=time.astype(np.int32),
        kwh=rows["reading_value"].to_numpy(),
        reading_type=pc.index_in(rows["reading_type"].cast(pa.string()), pa.array(TYPES)).to_numpy().astype(np.uint8),
        obis_codes=obis_codes,
        obis=obis,
        error_codes=error_codes,
        error=error,
        row=rows["source_row"].to_numpy(),
        sources=tuple(Source(*pair) for pair in zip(files.to_pylist(), delivered_at.tolist(), strict=True)),
        source=source,
    )


def _sorted_texts(column: pa.ChunkedArray) -> tuple[pa.StringArray, npt.NDArray[np.int32]]:
    """Returns the distinct texts of a column, ascending, and the place of each row's text there, -1 for null."""
    texts = column.cast(pa.string())
    distinct = pc.unique(texts).drop_null()
    distinct = distinct.take(pc.sort_indices(distinct))
    return distinct, pc.fill_null(pc.index_in(texts, value_set=distinct), -1).to_numpy().astype(np.int32)


def _milliseconds(column: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    return column.cast(pa.int64()).to_numpy() // MICROSECONDS
