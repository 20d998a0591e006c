"""Lines of DeepAR's input: JSON that other readers of JSON understand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from meter_data.series import series_text
from meter_data.series.series_text import SeriesText, WeatherText

from tests.glue.folder_store import FolderStore
from tests.glue.hourly_readings import hour

VALUES = st.one_of(st.none(), st.floats(-1e9, 1e9, allow_nan=False))
ROWS = st.lists(st.lists(VALUES, min_size=7, max_size=7), min_size=1, max_size=4)
PLACES = st.integers(0, 7)


@given(ROWS, st.data())
def test_any_part_of_any_series_is_the_json_of_its_values(rows: list[list[float | None]], data: st.DataObject) -> None:
    values = np.array([[np.nan if value is None else value for value in row] for row in rows])
    ends = [sorted((data.draw(PLACES), data.draw(PLACES))) for _ in rows]
    starts, stops = (np.array(each) for each in zip(*ends, strict=True))
    text = SeriesText(values, starts, stops, whole=False)
    for row, (begin, end) in enumerate(ends):
        first, last = sorted((data.draw(st.integers(begin, end)), data.draw(st.integers(begin, end))))
        assert json.loads(text.part(row, first, last)) == rows[row][first:last]


def test_whole_numbers_are_written_as_such() -> None:
    values = np.array([[1.0, np.nan, 1e7, -3.0, 0.0]])
    text = SeriesText(values, np.array([0]), np.array([5]), whole=True)
    assert text.part(0, 0, 5) == "[1,null,10000000,-3,0]"
    assert text.part(0, 1, 3) == "[null,10000000]"


def test_features_are_those_of_the_hours() -> None:
    first = hour("2013-05-01")
    weather = WeatherText([[0.5, 1.5, -2.0], [7.0, 8.0, 9.0]], range(first, first + 3))
    assert json.loads(weather.part(first + 1, first + 3)) == [[1.5, -2.0], [8.0, 9.0]]
    assert json.loads(weather.part(first, first + 1)) == [[0.5], [7.0]]


def test_a_line_has_its_members_in_order_without_those_that_are_none(tmp_path: Path) -> None:
    line = series_text.line(
        meter_id=series_text.quoted('Zähler "1"'), start=series_text.hour(hour("2013-05-01 07:00")), dynamic_feat=None
    )
    assert line == '{"meter_id":"Zähler \\"1\\"","start":"2013-05-01 07:00:00"}'
    store = FolderStore(tmp_path)
    series_text.write_lines(store, "s3://working/1.jsonl", [line, line])
    assert [json.loads(each)["meter_id"] for each in store.place("s3://working/1.jsonl").read_text().splitlines()] == [
        'Zähler "1"'
    ] * 2
