"""Columns of texts as numbers: each distinct text once, and a code a row. Numbers are compared and sorted in bulk."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from meter_data.lake.schemas import CODED

NO_TEXT = -1


@dataclass(frozen=True)
class CodedTexts:
    """A column of texts.

    texts   pa.StringArray, ascending by the bytes of UTF-8, each text once
    codes   int32, an entry a row: the place of its text in `texts`, or NO_TEXT. Rows in the order of
            their codes are in the order of their texts
    """

    texts: pa.StringArray
    codes: npt.NDArray[np.int32]

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


def coded(column: pa.ChunkedArray) -> CodedTexts:
    """Returns a column of texts, or of dictionaries of texts, as codes."""
    column = column.cast(CODED).unify_dictionaries()
    if not column.num_chunks or not len(column.chunk(0).dictionary):
        # One number that is seen at every row.
        return CodedTexts(pa.array([], pa.string()), np.broadcast_to(np.int32(NO_TEXT), len(column)))
    texts = column.chunk(0).dictionary
    codes = np.concatenate([chunk.indices.fill_null(NO_TEXT).to_numpy() for chunk in column.chunks])
    order = pc.sort_indices(texts)
    # rank[c] is the place that the text with code c gets among the sorted ones. The entry at the end is that of
    # NO_TEXT, because an index of -1 is the last entry.
    rank = np.empty(len(texts) + 1, np.int32)
    rank[order.to_numpy()] = np.arange(len(texts), dtype=np.int32)
    rank[-1] = NO_TEXT
    return CodedTexts(texts.take(order), rank[codes])
