"""Columns of Arrow tables as numpy arrays to compute with.

A column of texts becomes each distinct text once, and a code a row: codes are compared, counted and sorted in bulk.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from meter_data.lake.calendar import number_of
from meter_data.lake.schemas import CODED, INSTANT

NO_TEXT = -1

Codes = npt.NDArray[np.int32]


@dataclass(frozen=True)
class CodedTexts:
    """A column of texts.

    texts   pa.StringArray, each text once, in no particular order; there may be some that no row has
    codes   int32, an entry a row: the place of its text in `texts`, or NO_TEXT
    """

    texts: pa.StringArray
    codes: Codes

    def in_order(self) -> CodedTexts:
        """Returns the same column with `texts` ascending by the bytes of UTF-8.

        Rows in the order of their codes are then in the order of their texts.
        """
        order = pc.sort_indices(self.texts)
        # rank[c] is the place that the text with code c gets among the sorted ones. The entry at the end is that of
        # NO_TEXT, because an index of -1 is the last entry.
        rank = np.empty(len(self.texts) + 1, np.int32)
        rank[order.to_numpy()] = np.arange(len(self.texts), dtype=np.int32)
        rank[-1] = NO_TEXT
        return CodedTexts(self.texts.take(order), rank[self.codes])

    def places_among(self, texts: pa.StringArray) -> npt.NDArray[np.int64]:
        """Returns for each row the place of its text in `texts`; -1 for one that is not there. Every row has a text."""
        # Looked up once for each distinct text, then taken for each row.
        return places(self.texts, texts)[self.codes]

    def rows(self, places: npt.NDArray[np.int64]) -> pa.DictionaryArray:
        """Returns the rows at these places as a column whose dictionary holds no more than the texts they span.

        Each row group of a Parquet file gets the whole dictionary of its column, so a small one makes a small file.
        """
        codes = self.codes[places]
        present = codes[codes != NO_TEXT]
        if not len(present):
            return pa.DictionaryArray.from_arrays(pa.nulls(len(codes), pa.int32()), pa.array([], pa.string()))
        first, last = int(present.min()), int(present.max())
        absent = None if len(present) == len(codes) else codes == NO_TEXT
        return pa.DictionaryArray.from_arrays(
            pa.array(codes - first, mask=absent), self.texts.slice(first, last - first + 1)
        )


def coded(column: pa.ChunkedArray, nullable: bool = False) -> CodedTexts:
    """Returns a column of texts, or of dictionaries of texts, as codes.

    Raises ValueError if a row is null and the column is not `nullable`: NO_TEXT would be taken for the last text.
    """
    if column.null_count and not nullable:
        raise ValueError("A row has no text, in a column in which every row must have one")
    # Each chunk may have a dictionary of its own. After this, equal codes mean equal texts throughout the column.
    column = column.cast(CODED).unify_dictionaries()
    if not column.num_chunks or not len(column.chunk(0).dictionary):
        # One number that is seen at every row.
        return CodedTexts(pa.array([], pa.string()), np.broadcast_to(np.int32(NO_TEXT), len(column)))
    codes = [chunk.indices.fill_null(NO_TEXT).to_numpy() for chunk in column.chunks]
    return CodedTexts(column.chunk(0).dictionary, codes[0] if len(codes) == 1 else np.concatenate(codes))


def distinct(column: pa.ChunkedArray) -> pa.StringArray:
    """Returns the texts that rows of a column have, each once. No row may be null."""
    found = coded(column)
    return found.texts.filter(pa.array(np.bincount(found.codes, minlength=len(found.texts)) > 0))


def column_of(texts: pa.StringArray, codes: npt.NDArray[Any]) -> pa.DictionaryArray:
    """Returns the column whose rows have these codes."""
    return pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32()), texts)


def in_order(parts: Iterable[pa.Array]) -> pa.StringArray:
    """Returns the distinct texts of some arrays, in the order of their characters."""
    distinct = pa.concat_arrays([part.cast(pa.string()) for part in (pa.array([], pa.string()), *parts)]).unique()
    return distinct.take(pc.array_sort_indices(distinct))


def places(texts: pa.StringArray, among: pa.StringArray) -> npt.NDArray[np.int64]:
    """Returns the place of each text in `among`; -1 for one that is not there."""
    found = pc.fill_null(pc.index_in(texts, value_set=among), -1)
    return found.to_numpy(zero_copy_only=False).astype(np.int64)


def days_and_codes(column: pa.ChunkedArray) -> tuple[Codes, Codes]:
    """Returns the distinct days of a column of dates written yyyyMMdd, and for each row the place of its day there.

    Days are numbers since 1970. There may be some that no row has. No row may be null.
    """
    dates = coded(column)
    return np.array([number_of(text) for text in dates.texts.to_pylist()], np.int32), dates.codes


def day_numbers(column: pa.ChunkedArray) -> Codes:
    """Returns the day of each row of a column of dates written yyyyMMdd: its number since 1970."""
    days, codes = days_and_codes(column)
    return days[codes]


def values(column: pa.ChunkedArray) -> npt.NDArray[Any]:
    """Returns the numbers of a column; instants as microseconds since 1970 UTC (int64).

    Instants and whole numbers have no null. A null among floating-point numbers becomes not-a-number.
    """
    if pa.types.is_timestamp(column.type):
        column = column.cast(INSTANT).cast(pa.int64())
    return column.to_numpy()


def sums(cells: npt.NDArray[Any], summands: npt.NDArray[Any], count: int) -> npt.NDArray[np.float64]:
    """Returns for each of `count` cells the sum of its summands, added one by one in their order."""
    # Without any summand bincount would return whole numbers.
    return np.bincount(cells, summands, count).astype(np.float64, copy=False)
