"""What each delivery brought of a meter and day: tallies/batch=<batch>/month=<yyyyMM>/ in the clean bucket.

clean_to_business writes them of its batch, aggregate_consumption adds up those of published batches. They are small,
and stay when the batch itself is swept, so that a day's duplicates and rejects are still known when it is summed again.

    source_file, delivered_at   the file's version that the rows came in
    meter_id, date_str          of a rejected row only if both can be read in it
    readings                    rows that are interval readings, each counted, also several of one time
    rejected                    rows in quarantine

A file, meter and day may have several rows here, for example one with its readings and one with its rejected rows: a
reader adds them up.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from meter_data.lake.calendar import DAY, MICROSECONDS, Days
from meter_data.lake.columns import CodedTexts
from meter_data.lake.schemas import INSTANT, TALLY
from meter_data.lake.store import Store

FOLDER = "tallies/"
ROWS_A_GROUP = 1_000_000
_FILE_AND_DAY = ("source_file", "delivered_at", "meter_id", "date_str")


def folder_of(clean_bucket: str, batch: str) -> str:
    """Returns the folder of a batch's tallies."""
    return f"s3://{clean_bucket}/{FOLDER}batch={batch}/"


def of_readings(
    files: CodedTexts, meters: CodedTexts, times: npt.NDArray[np.int64], delivered_at: npt.NDArray[np.int64]
) -> pa.Table:
    """Returns the tallies of rows that are interval readings. All arrays have an entry a row.

    `times` and `delivered_at` are microseconds since 1970 UTC. Rows of one file, meter and day that are neighbours are
    counted together. In a clean file they are: it is sorted by meter and time.
    """
    instants = times // MICROSECONDS
    day = instants // DAY
    is_first = np.ones(len(day), np.bool_)
    is_first[1:] = (
        (files.codes[1:] != files.codes[:-1]) | (meters.codes[1:] != meters.codes[:-1]) | (day[1:] != day[:-1])
    )
    starts = np.flatnonzero(is_first)
    counted = {
        "source_file": files.texts.take(pa.array(files.codes[starts])),
        "delivered_at": pa.array(delivered_at[starts]).cast(INSTANT),
        "meter_id": meters.texts.take(pa.array(meters.codes[starts])),
        "date_str": Days(instants).columns(instants[starts], ["date_str"])["date_str"].dictionary_decode()
        if len(starts)
        else pa.array([], pa.string()),
        "readings": pa.array(np.diff(starts, append=len(day)).astype(np.int32)),
        "rejected": pa.array(np.zeros(len(starts), np.int32)),
    }
    return pa.table([counted[name] for name in TALLY.names], schema=TALLY)


@dataclass(frozen=True)
class Rejects:
    """The rows of a batch in quarantine: the files that hold them, and the folder that their tallies are written to."""

    files: tuple[str, ...]
    folder: str
    rows: int


@dataclass(frozen=True)
class RejectsTallied:
    """How many rows in quarantine are tallied for their meter and day, and in how many one of these is unreadable.

    `written` are the objects with the tallies.
    """

    attributed: int
    unattributed: int
    written: tuple[str, ...] = ()


def tally_rejects(store: Store, rejects: Rejects) -> RejectsTallied:
    """Writes the tallies of rows in quarantine, a file a month."""
    tables, rows = [], 0
    for uri in rejects.files:
        found = store.read_parquet(uri, _FILE_AND_DAY)
        rows += found.num_rows
        known = found.filter(pc.and_(found["meter_id"].is_valid(), found["date_str"].is_valid()))
        tables.append(known.group_by(list(_FILE_AND_DAY), use_threads=False).aggregate([([], "count_all")]))
    if not tables:
        return RejectsTallied(0, 0)
    tallied = pa.concat_tables(tables)
    attributed = pc.sum(tallied["count_all"]).as_py() or 0
    tallied = pa.table(
        [
            *(tallied[name] for name in _FILE_AND_DAY),
            pa.array(np.zeros(tallied.num_rows, np.int32)),
            tallied["count_all"].cast(pa.int32()),
        ],
        schema=TALLY,
    )
    written = []
    for month, of_month in _by_month(tallied):
        written.append(f"{rejects.folder}month={month}/rejects.parquet")
        write(store, written[-1], of_month)
    return RejectsTallied(attributed, rows - attributed, tuple(written))


def write(store: Store, uri: str, tallied: pa.Table) -> None:
    """Writes tallies of a month, ordered by day and meter, in which order they compress well."""
    order = [(name, "ascending") for name in ("date_str", "meter_id", "delivered_at", "source_file")]
    store.write_parquet(uri, tallied.sort_by(order), ROWS_A_GROUP)


def _by_month(tallied: pa.Table) -> list[tuple[str, pa.Table]]:
    months = pc.utf8_slice_codeunits(tallied["date_str"], 0, len("yyyyMM"))
    return [(month, tallied.filter(pc.equal(months, month))) for month in sorted(pc.unique(months).to_pylist())]
