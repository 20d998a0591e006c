"""Columns become arrays of numbers; texts become codes, whose order can be the order of the texts."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from meter_data.lake.columns import coded, day_numbers, distinct, values

TEXTS = some.lists(some.none() | some.sampled_from(["", "a", "B", "b", "aa", "ä", "\uffee", "\U0001f50c"]), max_size=6)


@settings(deadline=None)
@given(some.lists(TEXTS, min_size=1, max_size=4), some.booleans())
def test_any_column_is_coded_also_in_the_order_of_its_texts(
    chunks: list[list[str | None]], is_dictionary: bool
) -> None:
    arrays = [pa.array(chunk, pa.string()) for chunk in chunks]
    column = pa.chunked_array([array.dictionary_encode() if is_dictionary else array for array in arrays])

    found = coded(column, nullable=True)

    rows = [text for chunk in chunks for text in chunk]
    assert [found.texts[code].as_py() if code >= 0 else None for code in found.codes.tolist()] == rows
    assert len(set(found.texts.to_pylist())) == len(found.texts)
    found = found.in_order()
    texts = found.texts.to_pylist()
    # The bytes of UTF-8 are in the order of the code points, by which Python compares.
    assert texts == sorted({text for text in rows if text is not None})
    assert [texts[code] if code >= 0 else None for code in found.codes] == rows


def test_rows_come_with_the_texts_that_they_span_and_no_others() -> None:
    found = coded(pa.chunked_array([["a", "b", None, "c", "d"]]), nullable=True).in_order()

    some_rows = found.rows(np.array([3, 2, 1]))

    assert some_rows.to_pylist() == ["c", None, "b"]
    assert some_rows.dictionary.to_pylist() == ["b", "c"]
    assert found.rows(np.array([2])).to_pylist() == [None]


def test_a_null_is_refused_where_every_row_has_a_text() -> None:
    with pytest.raises(ValueError, match="A row has no text"):
        coded(pa.chunked_array([["a"], [None]]))


def test_the_places_of_rows_are_those_of_their_texts() -> None:
    column = pa.chunked_array([pa.array(["b", "a"]).dictionary_encode(), pa.array(["c", "b"]).dictionary_encode()])
    assert coded(column).places_among(pa.array(["a", "b", "d"])).tolist() == [1, 0, -1, 1]
    assert coded(column.slice(0, 0)).places_among(pa.array(["a"])).tolist() == []


def test_texts_that_no_row_has_are_not_distinct_texts_of_a_column() -> None:
    column = pa.chunked_array([pa.DictionaryArray.from_arrays(pa.array([2, 0, 2]), pa.array(["a", "b", "c"]))])
    assert sorted(distinct(column).to_pylist()) == ["a", "c"]


def test_dates_become_numbers_of_days() -> None:
    assert day_numbers(pa.chunked_array([["19700102", "19700101"], ["20000301"]])).tolist() == [1, 0, 11017]


def test_instants_become_microseconds_and_a_missing_number_is_not_a_number() -> None:
    assert values(pa.chunked_array([pa.array([5], pa.timestamp("ms", "UTC"))])).tolist() == [5000]
    found = values(pa.chunked_array([pa.array([1.5, None])]))
    assert found[0] == 1.5
    assert np.isnan(found[1])
