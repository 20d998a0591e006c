"""Reads what published deliveries brought of a meter and a day: tallies/batch=<batch>/month=<yyyyMM>/, see tallies.

A file's version that was loaded more than once counts as it was loaded last. Batches are named by time, so the last
one has the greatest name. What was loaded last is decided by what lies in a month, for each month by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from meter_data.lake.columns import coded, values
from meter_data.lake.meter_ranges import ALL_METERS, MeterRange
from meter_data.lake.schemas import TALLY
from meter_data.lake.store import Store, split_uri
from meter_data.lake.table_parts import Part, read

FOLDER = "tallies/"
# An object a batch that was published, as the ledger's task writes it.
BATCHES = "_batches/"

_LOADS = pa.schema([TALLY.field("source_file"), TALLY.field("delivered_at")])
_BY_DAY = pa.schema([TALLY.field(name) for name in ("meter_id", "date_str", "readings", "rejected")])
_PLACE = re.compile(rf"^{FOLDER}batch=([^/]+)/month=(\d{{6}})/[^/]+\.parquet$")


@dataclass(frozen=True)
class TalliesFile:
    """A file of the tallies of a published batch in a month (yyyyMM)."""

    uri: str
    batch: str
    month: str


@dataclass(frozen=True)
class Load:
    """A version of a file that a batch has loaded; `delivered_at` in microseconds since 1970 UTC."""

    batch: str
    source_file: str
    delivered_at: int


def find(store: Store, clean_bucket: str) -> list[TalliesFile]:
    """Returns the tallies of all published batches."""
    zone = f"s3://{clean_bucket}/"
    published = {_key(found.uri).removeprefix(BATCHES).removesuffix(".json") for found in store.listed(zone + BATCHES)}
    places = ((found.uri, _PLACE.match(_key(found.uri))) for found in store.listed(zone + FOLDER))
    return [TalliesFile(uri, place[1], place[2]) for uri, place in places if place and place[1] in published]


def superseded(store: Store, files: Iterable[TalliesFile]) -> frozenset[Load]:
    """Returns the loads that do not count, as a later batch has loaded the same version of the file.

    `files` are all files of a month.
    """
    loads: set[Load] = set()
    known = list(files)
    if len({file.batch for file in known}) == 1:
        return frozenset()  # a batch holds a version of a file once
    for file in known:
        table = read(store, [Part(file.uri)], _LOADS)
        loads.update(load for load, _ in _loads(table, file.batch))
    last: dict[tuple[str, int], str] = {}
    for load in loads:
        version = (load.source_file, load.delivered_at)
        last[version] = max(load.batch, last.get(version, ""))
    return frozenset(load for load in loads if load.batch < last[load.source_file, load.delivered_at])


def by_day(
    store: Store,
    parts: Iterable[tuple[TalliesFile, Part]],
    not_counted: frozenset[Load],
    meters: MeterRange = ALL_METERS,
) -> pa.Table:
    """Reads meter_id, date_str, readings and rejected of the loads that count: a row for each file, meter and day."""
    tables = [read(store, [], _BY_DAY)]
    batches_not_counted = {load.batch for load in not_counted}
    for file, part in parts:
        if file.batch not in batches_not_counted:
            tables.append(read(store, [part], _BY_DAY, meters))
            continue
        table = read(store, [part], TALLY, meters)
        counts = np.ones(table.num_rows, bool)
        for load, rows in _loads(table, file.batch):
            counts[rows] = load not in not_counted
        tables.append(table.filter(pa.array(counts)).select(_BY_DAY.names))
    return pa.concat_tables(tables).unify_dictionaries().combine_chunks()


def _loads(table: pa.Table, batch: str) -> list[tuple[Load, npt.NDArray[np.int64]]]:
    """The loads that rows of a batch came in, each with its rows."""
    file = coded(table["source_file"])
    times, time = np.unique(values(table["delivered_at"]), return_inverse=True)
    # A number for each pair of file and time. Rows in the order of their pair: those of a pair follow each other.
    pair = file.codes.astype(np.int64) * len(times) + time
    order = np.argsort(pair, kind="stable")
    pairs, starts = np.unique(pair[order], return_index=True)
    names = file.texts.to_pylist()
    return [
        (Load(batch, names[number // len(times)], int(times[number % len(times)])), rows)
        for number, rows in zip(pairs.tolist(), np.split(order, starts)[1:], strict=True)
    ]


def _key(uri: str) -> str:
    return split_uri(uri)[1]
