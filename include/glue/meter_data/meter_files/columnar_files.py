"""Meter files of Parquet and ORC."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from meter_data.lake.store import is_of_s3
from meter_data.meter_files import records, shown_rows
from meter_data.meter_files.lines import UnreadableFileError
from meter_data.meter_files.records import Integers, Records

# Rows that are in memory at once: a few columns of them to be judged, or all columns to be shown.
_ROWS_AT_ONCE, _WHOLE_ROWS_AT_ONCE = 1_000_000, 65_536
# Bytes of a Parquet file, as stored, that are in memory at once. Fewer are read of a column at once only if a file has
# so many columns that each would get less than the second number: a request for a few bytes takes as long as for many.
_HELD_BYTES, _LEAST_READ_BYTES = 64 * 1024 * 1024, 64 * 1024


class Columnar(Protocol):
    """A file of columns."""

    # Instants have a zone, times of a local clock have none.
    schema: pa.Schema

    def tables(self, places: Sequence[int], rows: int) -> Iterator[pa.Table]:
        """Yields the columns at these places of the schema, in this order, in parts of up to `rows` rows."""


class ParquetColumns:
    """A Parquet file; see Columnar. Texts come as dictionaries.

    Memory is bounded, however large the file or one of its row groups is. Small row groups are fetched together before
    they are read. A large one is read piece by piece, which takes more requests.
    """

    def __init__(self, source: pa.NativeFile) -> None:
        self._source, self._metadata = source, pq.read_metadata(source)
        self._file = self._opened(pre_buffer=True)
        self.schema = pa.schema([self._field(place) for place in range(len(self._file.schema_arrow))])

    def tables(self, places: Sequence[int], rows: int) -> Iterator[pa.Table]:
        names = [field.name for field in self.schema]
        wanted = list(dict.fromkeys(names[place] for place in sorted(places)))
        # By a name come all columns of that name, and of columns with fields those with such a path.
        # A column that several names bring comes once: x.y is a column of that name, and belongs to all of x.
        found = (place for name in wanted for place in range(len(names)) if name in self._names(place))
        come = list(dict.fromkeys(found))
        chosen = [come.index(place) for place in places]
        schema = pa.schema([self.schema.field(place) for place in places])
        leaves = [leaf for place in come for leaf in self._leaves_of(place)]
        piecewise = self._opened(buffer_size=max(_HELD_BYTES // len(leaves), _LEAST_READ_BYTES))
        for row_groups, is_small in self._runs(leaves):
            file = self._file if is_small else piecewise
            for batch in file.iter_batches(rows, row_groups=row_groups, columns=wanted, use_threads=False):
                for column in batch.columns:
                    _require_texts_of_codes(column)
                columns = [
                    _with_zone_of(batch.column(at), field.type) for at, field in zip(chosen, schema, strict=True)
                ]
                yield pa.table(columns, schema=schema)

    def _opened(self, **options: Any) -> pq.ParquetFile:
        arrow_schema = self._metadata.schema.to_arrow_schema()
        return pq.ParquetFile(
            self._source,
            metadata=self._metadata,
            read_dictionary=[field.name for field in arrow_schema if pa.types.is_string(field.type)],
            # INT96, in which old programs write instants, has more decimals than 64 bits can hold.
            coerce_int96_timestamp_unit="us",
            **options,
        )

    def _runs(self, leaves: Sequence[int]) -> Iterator[tuple[list[int], bool]]:
        """Yields row groups that follow one another, and whether their `leaves` have _HELD_BYTES together at most.

        More than that is a single row group.
        """
        run: list[int] = []
        held = 0
        for number in range(self._metadata.num_row_groups):
            row_group = self._metadata.row_group(number)
            size = sum(row_group.column(leaf).total_compressed_size for leaf in leaves)
            if run and held + size > _HELD_BYTES:
                yield run, held <= _HELD_BYTES
                run, held = [], 0
            run.append(number)
            held += size
        if run:
            yield run, held <= _HELD_BYTES

    def _field(self, place: int) -> pa.Field:
        """Returns a column of the schema. Arrow takes the instants of some files for times of a local clock."""
        field = self._file.schema_arrow.field(place)
        if not pa.types.is_timestamp(field.type):
            return field
        leaf = self._file.schema.column(self._leaves_of(place)[0])
        is_instant = leaf.physical_type == "INT96" or json.loads(leaf.logical_type.to_json()).get("isAdjustedToUTC")
        return field.with_type(pa.timestamp(field.type.unit, "UTC" if is_instant else None))

    def _leaves_of(self, place: int) -> range:
        """Returns the numbers of the columns of Parquet that make up a column."""
        first = sum(_leaves(self._file.schema_arrow.field(before).type) for before in range(place))
        return range(first, first + _leaves(self._file.schema_arrow.field(place).type))

    def _names(self, place: int) -> set[str]:
        """Returns the names by which pyarrow chooses a column: the paths of its fields, and the beginnings of these."""
        paths = [self._file.schema.column(leaf).path.split(".") for leaf in self._leaves_of(place)]
        return {".".join(path[:length]) for path in paths for length in range(1, len(path) + 1)}


class OrcColumns:
    """An ORC file; see Columnar. As ORC defines it, its timestamps are times of a local clock.

    pyarrow decodes a stripe as a whole, so memory grows with the largest stripe, though not with the file. Writers make
    stripes of 64 to 256 MB.
    """

    def __init__(self, source: pa.NativeFile) -> None:
        from pyarrow import orc

        self._file = orc.ORCFile(source)
        self.schema = self._file.schema

    def tables(self, places: Sequence[int], rows: int) -> Iterator[pa.Table]:
        names = [self.schema.field(place).name for place in places]
        for stripe in range(self._file.nstripes):
            batch = self._file.read_stripe(stripe, columns=sorted(set(names)))
            for first in range(0, batch.num_rows, rows):
                part = batch.slice(first, rows)
                yield pa.table([part.column(name) for name in names], names=names)


class ColumnarFile:
    """A file of columns; see records.RecordFile.

    `open_columns` opens it, `name` and `file_format` are what messages call it, `places` are the places of the columns
    by role.
    """

    misshapen = ""  # there are no such rows

    def __init__(
        self, name: str, file_format: str, open_columns: Callable[[], Columnar], places: Mapping[str, int]
    ) -> None:
        self._name, self._format, self._open, self._by_role = name, file_format, open_columns, dict(places)
        self._given = self._whole_rows()
        self._table: pa.Table | None = None
        self._first = 0

    def records(self) -> Iterator[Records]:
        places = sorted(set(self._by_role.values()))
        first = 0
        with damaged(self._name, self._format):
            for table in self._open().tables(places, _ROWS_AT_ONCE):
                columns = {place: records.column(table.column(at)) for at, place in enumerate(places)}
                numbers = np.arange(first, first + table.num_rows)
                by_role = {role: columns[place] for role, place in self._by_role.items()}
                yield Records(numbers, by_role, np.empty(0, np.int64))
                first += table.num_rows

    def as_given(self, places: Integers) -> Iterator[Sequence[bytes | str]]:
        """Yields rows as JSON."""
        return records.in_lists(self._shown(places))

    def _shown(self, places: Integers) -> Iterator[str]:
        at = 0
        while at < len(places):
            while self._table is None or places[at] >= self._first + self._table.num_rows:
                self._first += self._table.num_rows if self._table is not None else 0
                self._table = next(self._given)
            end = int(np.searchsorted(places, self._first + self._table.num_rows))
            yield from shown_rows.texts(self._table.take(pa.array(places[at:end] - self._first)))
            at = end

    def _whole_rows(self) -> Iterator[pa.Table]:
        with damaged(self._name, self._format):
            columns = self._open()
            yield from columns.tables(range(len(columns.schema)), _WHOLE_ROWS_AT_ONCE)


@contextmanager
def damaged(name: str, file_format: str) -> Iterator[None]:
    """Raises UnreadableFileError where pyarrow cannot read the file `name`, unless S3 has failed to give it."""
    try:
        yield
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:  # the last for a name that is no UTF-8
        if is_of_s3(error):
            raise
        said = str(error).splitlines()[0]
        raise UnreadableFileError(f"{name} is a damaged {file_format} file: {said}. Deliver it again.") from error


def _leaves(kind: pa.DataType) -> int:
    """Returns how many columns of Parquet a type has."""
    if pa.types.is_struct(kind) or pa.types.is_map(kind):
        return sum(_leaves(kind.field(at).type) for at in range(kind.num_fields))
    return _leaves(kind.value_type) if pa.types.is_nested(kind) else 1


def _require_texts_of_codes(column: pa.Array) -> None:
    """Raises pa.ArrowInvalid if a code of a dictionary stands for no text. Arrow reads codes without looking."""
    if not pa.types.is_dictionary(column.type):
        return
    codes = pc.min_max(column.indices)
    if codes["max"].is_valid and not 0 <= codes["min"].as_py() <= codes["max"].as_py() < len(column.dictionary):
        raise pa.ArrowInvalid("a code stands for no text")


def _with_zone_of(column: pa.Array, kind: pa.DataType) -> pa.Array:
    return column.cast(pa.int64()).cast(kind) if pa.types.is_timestamp(kind) else column
