"""London files as judged rows: what is a reading, what an error reading, what a reject and why."""

from __future__ import annotations

import datetime
import io
import itertools
import random
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pytest
from meter_data.meter_files import lines, text_columns
from meter_data.readers import london, rules
from meter_data.readers.judged import TYPES, JudgedRows

from tests.glue.meter_data.readers.texts import METER_IDS, TIMES, VALUES

OFFICIAL, WITH_ACORN, KAGGLE = london.HEADERS
DELIVERED = datetime.datetime(2015, 6, 1, 12, tzinfo=datetime.UTC)
TIME = "2013-01-01 00:30:00.0000000"


class Row(NamedTuple):
    """A judged row; None where the row has none. The time is written as ISO 8601."""

    meter: str | None
    time: str | None
    kwh: float | None
    is_error: bool
    reason: str | None


def judged(header: Sequence[str], *rows: tuple[str, ...], lines_at_once: int = 1000) -> list[Row]:
    """The rows of a file with these rows of fields and no header, as they are judged, block by block."""
    content = b"".join(",".join(row).encode() + b"\r\n" for row in rows)
    file = lines.File("a.csv", lambda: io.BytesIO(content))
    blocks = text_columns.read(file, london.layout(header), lines_at_once, part_bytes=500)
    delivered_at = int(DELIVERED.timestamp() * 1000)
    return [row for block in blocks for row in rows_of(london.judge(block, delivered_at))]


def rows_of(found: JudgedRows) -> list[Row]:
    """The rows of a block. Also checks what every block promises."""
    ids, times = found.meter_ids.to_pylist(), found.times.tolist()
    assert ids == sorted(set(ids))
    assert times == sorted(set(times))
    kinds = [found.meter.dtype, found.times.dtype, found.time.dtype, found.kwh.dtype, found.reading_type.dtype]
    assert [*kinds, found.reason.dtype] == [np.int32, np.int64, np.int32, np.float64, np.uint8, np.uint8]
    assert [found.row.dtype, found.obis.dtype, found.error.dtype] == [np.int64, np.int32, np.int32]
    assert (found.obis == -1).all()
    is_error = found.reading_type == TYPES.index("ERR")
    assert [found.error_codes[code].as_py() if code >= 0 else None for code in found.error.tolist()] == [
        "NULL" if error else None for error in is_error
    ]
    columns = (found.meter, found.time, found.kwh, is_error, found.reason)
    return [
        Row(
            ids[meter] if meter >= 0 else None,
            iso(times[time]) if time >= 0 else None,
            None if reason != rules.NO_REASON or np.isnan(kwh) else kwh,
            reason == rules.NO_REASON and is_error,
            None if reason == rules.NO_REASON else london.REASONS[reason],
        )
        for meter, time, kwh, is_error, reason in zip(*(column.tolist() for column in columns), strict=True)
    ]


def iso(milliseconds: int) -> str:
    time = datetime.datetime.fromtimestamp(0, datetime.UTC) + datetime.timedelta(milliseconds=milliseconds)
    return time.isoformat(" ").removesuffix("+00:00")


def test_padded_values_and_seven_decimals_of_a_second_are_read() -> None:
    row = ("MAC000002", "Std", TIME, " 0.219 ")
    assert judged(OFFICIAL, row) == [Row("MAC000002", "2013-01-01 00:30:00", 0.219, False, None)]


def test_the_layout_with_acorn_columns_is_read() -> None:
    row = ("MAC000002", "ToU", "2013-07-01 23:30:00.0000000", " 1.5 ", "ACORN-A", "Affluent")
    assert judged(WITH_ACORN, row) == [Row("MAC000002", "2013-07-01 23:30:00", 1.5, False, None)]


def test_the_layout_of_kaggle_is_read() -> None:
    row = ("MAC000131", "2011-12-15 09:00:00.0000000", " 0.485 ")
    assert judged(KAGGLE, row) == [Row("MAC000131", "2011-12-15 09:00:00", 0.485, False, None)]


def test_a_header_of_no_known_layout_is_refused() -> None:
    with pytest.raises(ValueError):
        london.layout(("LCLid", "stdorToU"))


def test_a_null_reading_becomes_an_error_reading_on_the_grid_and_off_it() -> None:
    assert judged(
        OFFICIAL,
        ("MAC000006", "Std", "2012-12-18 12:37:27.0000000", "Null"),
        ("MAC000006", "Std", "2012-12-18 13:00:00.0000000", " null "),
    ) == [
        Row("MAC000006", "2012-12-18 12:37:27", None, True, None),
        Row("MAC000006", "2012-12-18 13:00:00", None, True, None),
    ]


def test_a_value_off_the_half_hours_is_a_reading() -> None:
    row = ("MAC000006", "Std", "2012-12-18 12:37:27.0000000", "0.2")
    assert judged(OFFICIAL, row) == [Row("MAC000006", "2012-12-18 12:37:27", 0.2, False, None)]


def test_minus_zero_is_zero() -> None:
    found = judged(KAGGLE, ("MAC2", TIME, "-0"), ("MAC2", TIME, "-0.0"), ("MAC2", TIME, "-1e-400"))
    assert [(str(row.kwh), row.reason) for row in found] == [("0.0", None)] * 3


def test_a_row_that_is_no_reading_has_its_reason() -> None:
    wrong = [
        ("", TIME, "1", "missing_meter_id"),
        ("   ", TIME, "1", "missing_meter_id"),
        ("MAC  2", TIME, "1", "invalid_meter_id"),
        ("MAC/2", TIME, "1", "invalid_meter_id"),
        ("7.221E+12", TIME, "1", "meter_id_lost_digits"),
        ("MAC\x002", TIME, "1", "invalid_meter_id"),
        ("M" * 65, TIME, "1", "invalid_meter_id"),
        ("MAC2", "", "1", "malformed_timestamp"),
        ("MAC2", "2013-01-01", "1", "malformed_timestamp"),
        ("MAC2", "2013-01-01 00:30:00+01:00", "1", "malformed_timestamp"),
        ("MAC2", "2013-02-30 00:30:00.0000000", "1", "impossible_timestamp"),
        ("MAC2", "2013-02-28 24:00:00.0000000", "1", "impossible_timestamp"),
        ("MAC2", TIME, "", "missing_value"),
        ("MAC2", TIME, "  ", "missing_value"),
        ("MAC2", TIME, "NaN", "not_a_number"),
        ("MAC2", TIME, "0.1\x00", "not_a_number"),
        ("MAC2", TIME, "-0.001", "negative_value"),
        ("MAC2", TIME, "1000.001", "value_too_large"),
        ("MAC2", TIME, "1e999", "value_too_large"),
        ("MAC2", "1969-12-31 23:59:59.999", "1", "timestamp_out_of_range"),
        ("MAC2", "2015-06-02 12:00:00.001", "1", "timestamp_out_of_range"),
        ("MAC2", "9999-12-31 23:59:59", "null", "timestamp_out_of_range"),
    ]
    found = judged(KAGGLE, *(row[:3] for row in wrong))

    assert [(*row[:3], judgement.reason) for row, judgement in zip(wrong, found, strict=True)] == wrong
    assert {row.reason for row in found} == set(london.REASONS)


def test_the_first_and_the_last_time_at_which_a_meter_can_have_read_are_readings() -> None:
    found = judged(KAGGLE, ("MAC2", "1970-01-01 00:00:00", "1"), ("MAC2", "2015-06-02 12:00:00", "1"))
    assert [(row.time, row.reason) for row in found] == [("1970-01-01 00:00:00", None), ("2015-06-02 12:00:00", None)]


def test_of_several_reasons_the_first_in_order_is_given() -> None:
    """Every meter id with every time and every value, each with a reason of its own or none."""
    meters = {"": "missing_meter_id", "7E+12": "meter_id_lost_digits", "M/2": "invalid_meter_id", "M2": None}
    times = {"x": "malformed_timestamp", "2013-13-01 00:00:00": "impossible_timestamp", TIME: None}
    times["2999-01-01 00:00:00"] = "timestamp_out_of_range"
    values = {"": "missing_value", "x": "not_a_number", "-1": "negative_value", "1e4": "value_too_large", "1": None}
    values["Null"] = None
    rows = list(itertools.product(meters, times, values))

    def first(row: tuple[str, str, str]) -> str | None:
        reasons = {meters[row[0]], times[row[1]], values[row[2]]}
        return next((reason for reason in london.REASONS if reason in reasons), None)

    found = [row.reason for row in judged(KAGGLE, *rows)]
    assert dict(zip(rows, found, strict=True)) == {row: first(row) for row in rows}


def test_a_reject_keeps_the_meter_and_the_time_that_can_be_read_in_it() -> None:
    found = judged(
        KAGGLE,
        ("MAC1", TIME, "-1"),
        ("MAC3", "yesterday", "1"),
        ("MAC4", "2099-01-01 00:00:00.0000000", "1"),
        ("", TIME, "1"),
        ("MAC/5", TIME, "1"),
        ("7E+12", "1969-12-31 00:00:00", "1"),
    )
    time = "2013-01-01 00:30:00"
    assert [(row.meter, row.time) for row in found] == [
        ("MAC1", time),
        ("MAC3", None),
        ("MAC4", None),
        (None, time),
        (None, time),
        (None, None),
    ]


def test_texts_that_mean_the_same_have_the_same_code() -> None:
    rows = [(" MAC2", "2013-01-01 00:00:00", "1"), ("MAC2 ", "2013-01-01 00:00:00.0009", " 1"), ("MAC1", TIME, "1")]
    content = b"\n".join(",".join(row).encode() for row in rows)
    (block,) = text_columns.read(lines.File("a.csv", lambda: io.BytesIO(content)), london.layout(KAGGLE))
    found = london.judge(block, int(DELIVERED.timestamp() * 1000))

    assert found.meter_ids.to_pylist() == ["MAC1", "MAC2"]
    assert found.meter.tolist() == [1, 1, 0]
    assert found.times.tolist() == [1_356_998_400_000, 1_357_000_200_000]
    assert found.time.tolist() == [0, 0, 1]


def test_columns_that_are_not_used_are_no_fault() -> None:
    rows = [("MAC000002", "\ufffd", TIME, "1", "", ""), ("MAC000002", "", TIME, "1", "?", "\x00")]
    assert [row.reason for row in judged(WITH_ACORN, *rows)] == [None, None]


def test_a_block_without_rows_has_no_judgement() -> None:
    assert judged(OFFICIAL, ("too", "few")) == []


def test_the_blocks_in_which_a_file_is_read_change_nothing() -> None:
    choose = random.Random(3)  # noqa: S311
    texts = [[text for text in column if "," not in text] for column in (METER_IDS, TIMES, VALUES)]
    rows = [tuple(choose.choice(column) for column in texts) for _ in range(2000)]
    assert judged(KAGGLE, *rows, lines_at_once=1) == judged(KAGGLE, *rows, lines_at_once=10_000)
