"""Cleans the meter files of a delivery: which items of work there are, and what is done for each.

An item is a meter file, or a part of a large one. Its readings go into one file of the clean zone, its rejects into one
of the quarantine. A file that cannot be read at all is set aside with the reason; nothing is written of it.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from meter_data import readers
from meter_data.cleaning import clean_zone, quarantine, undecided
from meter_data.cleaning.clean_zone import CleanFile, Readings, Source
from meter_data.cleaning.quarantine import QuarantineFile
from meter_data.lake import clean_row_groups
from meter_data.lake.clean_row_groups import CleanRowGroup
from meter_data.lake.store import Store
from meter_data.lake.summaries import row_groups_uri
from meter_data.meter_files import stored_files
from meter_data.meter_files.lines import UnreadableFileError
from meter_data.meter_files.manifest import Manifest, MeterFile
from meter_data.readers import rules
from meter_data.readers.judged import AmbiguousTimes, JudgedRows, Reader

DEFAULT = "default"
# What a file _transformer.json may say besides its description: which transformer reads the files.
TRANSFORMER = "transformer"
# A larger file of plain text is read in parts, so that all processors have work when a delivery is one large file. Each
# part costs a few requests more, and holds a block of rows in memory, as a file does.
PART_BYTES = 256 * 1024 * 1024
# A description has less than a thousandth of this.
_MOST_BYTES_OF_A_DESCRIPTION = 1024 * 1024
# Rows of meter files have about so many bytes, plain and packed: for estimates of how much work there is.
_BYTES_A_ROW, _PACKED_BYTES_A_ROW = 60, 6


@dataclass(frozen=True)
class FileItem:
    """A meter file to clean, or a part of one. `number` is that of the file in the delivery, from 0."""

    file: MeterFile
    reader: Reader
    number: int
    name: str  # of what is written
    clean_bucket: str
    batch: str

    @property
    def rows(self) -> int:
        """About how many rows it has."""
        if self.file.end_byte is not None:
            return (self.file.end_byte - self.file.first_byte) // _BYTES_A_ROW
        return self.file.size // (_BYTES_A_ROW if self.reader.can_be_cut(self.file) else _PACKED_BYTES_A_ROW)


@dataclass(frozen=True)
class UndecidedItem:
    """All rows of a delivery whose time is still to be decided, in the order of the files."""

    uris: tuple[str, ...]
    rows: int
    clean_bucket: str
    batch: str


@dataclass(frozen=True)
class Times:
    """The first and the last time of readings, milliseconds since 1970 UTC; None if there are no readings."""

    first: int | None = None
    last: int | None = None

    def __or__(self, other: Times) -> Times:
        firsts = [time for time in (self.first, other.first) if time is not None]
        lasts = [time for time in (self.last, other.last) if time is not None]
        return Times(min(firsts, default=None), max(lasts, default=None))


@dataclass(frozen=True)
class Cleaned:
    """What became of a file, or of a part of one.

    `good` counts the undecided rows too, `times` does not hold theirs. `undecided` are the objects with these rows, and
    their numbers of rows. `written` are all objects that were written. `set_aside` is why the file cannot be read, None
    if it was.
    """

    number: int
    good: int = 0
    rejected_by_reason: Counter[str] = field(default_factory=Counter)
    times: Times = Times()
    groups: tuple[CleanRowGroup, ...] = ()
    undecided: tuple[tuple[str, int], ...] = ()
    written: tuple[str, ...] = ()
    set_aside: str | None = None


@dataclass(frozen=True)
class Decided:
    """The row groups of the rows that were undecided, and the times of those of each file, by its URI."""

    groups: tuple[CleanRowGroup, ...]
    times: dict[str, Times]


@dataclass(frozen=True)
class Plan:
    """The items of a delivery, and the files that are set aside at once, because their description cannot be used."""

    items: tuple[FileItem, ...]
    set_aside: tuple[Cleaned, ...]


def plan(store: Store, manifest: Manifest, transformer: str, clean_bucket: str, batch: str) -> Plan:
    """Returns what is to be done, in the order of the files.

    The reader of a file is what the _transformer.json beside it says, else the run's `transformer`.
    """
    found: dict[str | None, Reader | UnreadableFileError] = {}
    items: list[FileItem] = []
    set_aside: list[Cleaned] = []
    for number, file in enumerate(manifest.files):
        if file.described_by not in found:
            found[file.described_by] = _reader(store, manifest, transformer, file.described_by)
        reader = found[file.described_by]
        if isinstance(reader, UnreadableFileError):
            set_aside.append(Cleaned(number, set_aside=str(reader)))
            continue
        parts = _parts(file) if reader.can_be_cut(file) else [file]
        for place, part in enumerate(parts):
            name = f"{number:05d}" if len(parts) == 1 else f"{number:05d}-{place:02d}"
            items.append(FileItem(part, reader, number, name, clean_bucket, batch))
    return Plan(tuple(items), tuple(set_aside))


def clean(store: Store, item: FileItem) -> Cleaned:
    """Cleans the file of an item.

    Everything is read before anything is written. Raises MissingMeterFileError or ChangedMeterFileError if the file is
    no longer what the manifest says, whatever was found in it.
    """
    source = Source(item.file.uri, item.file.delivered_at)
    name = f"{item.name}.parquet"
    with (
        CleanFile(item.clean_bucket, item.batch, name) as clean_file,
        QuarantineFile(f"{quarantine.folder(item.clean_bucket, item.batch)}{name}", source) as rejects,
    ):
        try:
            read = _read(store, item, clean_file, rejects)
        except UnreadableFileError as error:
            stored_files.require_unchanged(store, item.file)
            return Cleaned(item.number, set_aside=str(error))
        except Exception as error:
            # Whatever it is: a file that is replaced while it is read can fail in any way. If it was replaced, that is
            # what the message says, else the error itself, and which of many files it was.
            stored_files.require_unchanged(store, item.file)
            error.add_note(
                f"It happened while {item.file.uri} was read. If it happens again, take this file out of the landing "
                "zone, trigger ingest_meter_readings, so that the other files load, and report the fault with the log."
            )
            raise
        stored_files.require_unchanged(store, item.file)
        return read.write(store)


def decide(store: Store, item: UndecidedItem) -> Decided:
    """Decides the times of all undecided rows of a delivery, and writes them into the clean zone."""
    from meter_data.readers import repeated_hour

    readings = undecided.readings_of(repeated_hour.decided(undecided.read(store, item.uris)))
    with CleanFile(item.clean_bucket, item.batch, "decided.parquet") as file:
        file.add(readings)
        file.write(store)
    instants = readings.times[readings.time]
    times = {source.uri: _times(instants[readings.source == place]) for place, source in enumerate(readings.sources)}
    return Decided(tuple(file.groups), times)


def undecided_item(cleaned: Iterable[Cleaned], clean_bucket: str, batch: str) -> UndecidedItem | None:
    """Returns the second step of a delivery; None if no row needs it. `cleaned` are in the order of the files."""
    waiting = [pair for each in cleaned for pair in each.undecided]
    if not waiting:
        return None
    uris, rows = zip(*waiting, strict=True)
    return UndecidedItem(uris, sum(rows), clean_bucket, batch)


def by_file(store: Store, manifest: Manifest, cleaned: Iterable[Cleaned]) -> list[Cleaned]:
    """Returns what became of each file, its parts put together, in the order of the manifest.

    A file of which one part cannot be read is set aside as a whole: what was written of the others is deleted.
    """
    found = [Cleaned(number) for number in range(len(manifest.files))]
    for part in cleaned:
        whole = found[part.number]
        found[part.number] = Cleaned(
            part.number,
            whole.good + part.good,
            whole.rejected_by_reason + part.rejected_by_reason,
            whole.times | part.times,
            whole.groups + part.groups,
            whole.undecided + part.undecided,
            whole.written + part.written,
            whole.set_aside or part.set_aside,
        )
    for number, whole in enumerate(found):
        if whole.set_aside is not None:
            store.delete(whole.written)
            found[number] = Cleaned(number, set_aside=whole.set_aside)
    return found


def delete_leftovers(
    store: Store, files: Iterable[Cleaned], decided: Decided | None, clean_bucket: str, batch: str
) -> None:
    """Deletes what a former try has written for the batch, and this one has not.

    It comes last, because a try may fail, for example on a file that has changed: until then a batch that is published
    keeps its rows, which load_redshift reads.
    """
    written = {uri for file in files for uri in file.written}
    written |= {group.uri for group in decided.groups} if decided else set()
    for room in (clean_zone, quarantine):
        found = store.listed(room.folder(clean_bucket, batch))
        store.delete(each.uri for each in found if each.uri not in written)


def write_row_groups(
    store: Store, files: Iterable[Cleaned], decided: Decided | None, clean_bucket: str, batch: str
) -> None:
    """Writes the list of the batch's row groups, those of the decided rows last."""
    groups = [group for file in files for group in file.groups]
    clean_row_groups.write(store, row_groups_uri(clean_bucket, batch), groups + list(decided.groups if decided else ()))


def summary(batch: str, manifest: Manifest, files: Sequence[Cleaned], decided: Decided | None) -> dict[str, Any]:
    """Returns the counts of the files and of all together: rows, good and rejected ones, by reason; files set aside."""
    counts: list[dict[str, Any]] = []
    by_reason: Counter[str] = Counter()
    for file, found in zip(manifest.files, files, strict=True):
        times = found.times | (decided.times.get(file.uri, Times()) if decided else Times())
        rejected = found.rejected_by_reason.total()
        by_reason += found.rejected_by_reason
        counts.append(
            {
                "uri": file.uri,
                "rows": found.good + rejected,
                "good": found.good,
                "rejected": rejected,
                "rejected_by_reason": dict(sorted(found.rejected_by_reason.items())),
                "first": _iso(times.first),
                "last": _iso(times.last),
                "set_aside": None if found.set_aside is None else {"reason": found.set_aside},
            }
        )
    totals = {name: sum(count[name] for count in counts) for name in ("rows", "good", "rejected")}
    set_aside = sum(1 for count in counts if count["set_aside"])
    by_reason_sorted = dict(sorted(by_reason.items()))
    return {"batch": batch, **totals, "rejected_by_reason": by_reason_sorted, "set_aside": set_aside, "files": counts}


@dataclass(frozen=True)
class _Read:
    """A file that was read, and of which nothing is written yet."""

    item: FileItem
    clean: CleanFile
    rejects: QuarantineFile
    waiting: list[pa.Table]
    good: int
    times: Times

    def write(self, store: Store) -> Cleaned:
        self.clean.write(store)
        self.rejects.write(store)
        written = [self.clean.uri]
        undecided_rows: list[tuple[str, int]] = []
        if self.rejects.by_reason:
            written.append(self.rejects.uri)
        if self.waiting:
            uri = f"{undecided.folder(self.item.clean_bucket, self.item.batch)}{self.item.name}.parquet"
            undecided.write(store, uri, self.waiting)
            undecided_rows.append((uri, sum(table.num_rows for table in self.waiting)))
            written.append(uri)
        return Cleaned(
            self.item.number,
            self.good,
            self.rejects.by_reason,
            self.times,
            tuple(self.clean.groups),
            tuple(undecided_rows),
            tuple(written),
        )


def _read(store: Store, item: FileItem, clean_file: CleanFile, rejects: QuarantineFile) -> _Read:
    source = Source(item.file.uri, item.file.delivered_at)
    waiting: list[pa.Table] = []
    good, times = 0, Times()
    opened = item.reader.open(store, item.file)
    for rows in opened.judged() if opened else ():
        is_good = rows.reason == rules.NO_REASON
        good += int(is_good.sum())
        if opened and (len(rows.misshapen) or not is_good.all()):
            rejects.add(opened.rejects(rows))
        if rows.ambiguous is not None and len(rows.ambiguous.rows):
            is_good[rows.ambiguous.rows] = False
            waiting.append(_undecided(rows, rows.ambiguous, source, item.number))
        decided = _readings(rows, is_good, source)
        times |= _times(decided.times[decided.time])
        clean_file.add(decided)
    return _Read(item, clean_file, rejects, waiting, good, times)


def _undecided(rows: JudgedRows, ambiguous: AmbiguousTimes, source: Source, number: int) -> pa.Table:
    readings = _readings(rows, ambiguous.rows, source)
    return undecided.table(readings, ambiguous.wall_clock, ambiguous.later, ambiguous.is_register, number)


def _readings(rows: JudgedRows, chosen: npt.NDArray[Any], source: Source) -> Readings:
    """Returns the chosen rows (a mask, or places) as readings. If all are chosen, nothing is copied."""
    names = ("meter", "time", "kwh", "reading_type", "obis", "error", "row")
    is_all = chosen.dtype == np.bool_ and bool(chosen.all())
    of_row = {name: getattr(rows, name) if is_all else getattr(rows, name)[chosen] for name in names}
    return Readings(
        meter_ids=rows.meter_ids,
        times=rows.times,
        obis_codes=rows.obis_codes,
        error_codes=rows.error_codes,
        sources=(source,),
        source=np.zeros(len(of_row["row"]), np.int32),
        **of_row,
    )


def _times(instants: npt.NDArray[np.int64]) -> Times:
    return Times(int(instants.min()), int(instants.max())) if len(instants) else Times()


def _parts(file: MeterFile) -> list[MeterFile]:
    """Returns the file in parts of equal size, none larger than PART_BYTES; a small file as a whole."""
    number = math.ceil(file.size / PART_BYTES)
    if number <= 1:
        return [file]
    cuts = [file.size * place // number for place in range(number + 1)]
    return [replace(file, first_byte=first, end_byte=end) for first, end in pairwise(cuts)]


def _reader(
    store: Store, manifest: Manifest, transformer: str, described_by: str | None
) -> Reader | UnreadableFileError:
    try:
        if described_by is None:
            return readers.named(transformer, manifest.description, "the trigger form")
        document = _document(store, described_by)
        description = {name: value for name, value in document.items() if name != TRANSFORMER}
        return readers.named(document.get(TRANSFORMER, DEFAULT), description, described_by)
    except UnreadableFileError as error:
        return error


def _document(store: Store, uri: str) -> dict[str, Any]:
    advice = "Correct it, and trigger ingest_meter_readings again."
    try:
        with store.open_stream(uri) as stream:
            text = stream.read(_MOST_BYTES_OF_A_DESCRIPTION + 1)
        if len(text) > _MOST_BYTES_OF_A_DESCRIPTION:
            raise ValueError(f"it is larger than {_MOST_BYTES_OF_A_DESCRIPTION:,} bytes")
        document = json.loads(text)
        # JSON can write halves of surrogate pairs as escapes. They are no text: nothing can be compared with them.
        json.dumps(document, ensure_ascii=False).encode()
    except (FileNotFoundError, ValueError, RecursionError) as error:
        raise UnreadableFileError(f"{uri} describes meter files, but cannot be read: {error}. {advice}") from error
    if not isinstance(document, dict) or not isinstance(document.get(TRANSFORMER, DEFAULT), str):
        raise UnreadableFileError(f"{uri} must hold a JSON object that describes meter files. {advice}")
    return document


def _iso(milliseconds: int | None) -> str | None:
    if milliseconds is None:
        return None
    seconds, rest = divmod(milliseconds, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:03d}Z"
