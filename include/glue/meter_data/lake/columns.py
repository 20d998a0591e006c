"""Columns of Arrow tables as numpy arrays to compute with."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from meter_data.lake.calendar import number_of
from meter_data.lake.schemas import INSTANT

Codes = npt.NDArray[np.int32]


def texts_and_codes(column: pa.ChunkedArray) -> tuple[pa.StringArray, Codes]:
    """Returns distinct texts of a column, and for each row the place of its text among them. No row may be null.

    The texts are in no particular order, and may hold some that no row has.
    """
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    if column.num_chunks == 0:
        return pa.array([], pa.string()), np.zeros(0, np.int32)
    # Each chunk may have a dictionary of its own. After this, equal codes mean equal texts throughout the column.
    array = column.unify_dictionaries().combine_chunks()
    return array.dictionary.cast(pa.string()), array.indices.to_numpy().astype(np.int32, copy=False)


def distinct(column: pa.ChunkedArray) -> pa.StringArray:
    """Returns the texts that rows of a column have, each once."""
    texts, codes = texts_and_codes(column)
    return texts.filter(pa.array(np.bincount(codes, minlength=len(texts)) > 0))


def values(column: pa.ChunkedArray) -> npt.NDArray[Any]:
    """Returns the numbers of a column without nulls; instants as microseconds since 1970 UTC (int64)."""
    if pa.types.is_timestamp(column.type):
        column = column.cast(INSTANT).cast(pa.int64())
    return column.to_numpy()


def sums(cells: npt.NDArray[Any], summands: npt.NDArray[Any], count: int) -> npt.NDArray[np.float64]:
    """Returns for each of `count` cells the sum of its summands, added one by one in their order."""
    # Without any summand bincount would return whole numbers.
    return np.bincount(cells, summands, count).astype(np.float64, copy=False)


def days_and_codes(column: pa.ChunkedArray) -> tuple[Codes, Codes]:
    """Returns the distinct days of a column of dates written yyyyMMdd, and for each row the place of its day there.

    Days are numbers since 1970. There may be some that no row has.
    """
    texts, codes = texts_and_codes(column)
    return np.array([number_of(text) for text in texts.to_pylist()], np.int32), codes


def day_numbers(column: pa.ChunkedArray) -> Codes:
    """Returns the day of each row of a column of dates written yyyyMMdd: its number since 1970."""
    days, codes = days_and_codes(column)
    return days[codes]


def coded(texts: pa.StringArray, codes: npt.NDArray[Any]) -> pa.DictionaryArray:
    """Returns the column whose rows have these codes."""
    return pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32()), texts)


def in_order(parts: Iterable[pa.Array]) -> pa.StringArray:
    """Returns the distinct texts of some arrays, in the order of their characters."""
    distinct = pa.concat_arrays([part.cast(pa.string()) for part in (pa.array([], pa.string()), *parts)]).unique()
    return distinct.take(pc.array_sort_indices(distinct))


def places(texts: pa.StringArray, among: pa.StringArray) -> npt.NDArray[np.int64]:
    """Returns the place of each text in `among`, which holds all of them."""
    return pc.index_in(texts, value_set=among).to_numpy(zero_copy_only=False).astype(np.int64)
