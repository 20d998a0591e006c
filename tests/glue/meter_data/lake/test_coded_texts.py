"""Columns of texts become codes whose order is the order of the texts."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as some
from meter_data.lake import coded_texts

TEXTS = some.lists(some.none() | some.sampled_from(["", "a", "B", "b", "aa", "ä", "\uffee", "\U0001f50c"]), max_size=6)


@settings(deadline=None)
@given(some.lists(TEXTS, min_size=1, max_size=4), some.booleans())
def test_any_column_is_coded_in_the_order_of_its_texts(chunks: list[list[str | None]], is_dictionary: bool) -> None:
    arrays = [pa.array(chunk, pa.string()) for chunk in chunks]
    column = pa.chunked_array([array.dictionary_encode() if is_dictionary else array for array in arrays])

    found = coded_texts.coded(column)

    rows = [text for chunk in chunks for text in chunk]
    texts = found.texts.to_pylist()
    # The bytes of UTF-8 are in the order of the code points, by which Python compares.
    assert texts == sorted({text for text in rows if text is not None})
    assert [texts[code] if code >= 0 else None for code in found.codes] == rows


def test_rows_come_with_the_texts_that_they_span_and_no_others() -> None:
    found = coded_texts.coded(pa.chunked_array([["a", "b", None, "c", "d"]]))

    some_rows = found.rows(np.array([3, 2, 1]))

    assert some_rows.to_pylist() == ["c", None, "b"]
    assert some_rows.dictionary.to_pylist() == ["b", "c"]
    assert found.rows(np.array([2])).to_pylist() == [None]
