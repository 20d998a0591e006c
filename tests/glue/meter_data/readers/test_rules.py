"""Each rule against the same rule written out slowly in Python, for texts at its borders and random ones near them."""

from __future__ import annotations

import datetime
import re
import string
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from meter_data.readers import rules

from tests.glue.meter_data.readers.texts import METER_IDS, TIMES, UNDECODABLE, VALUES

EPOCH = datetime.datetime(1970, 1, 1)  # noqa: DTZ001


def array(texts: list[str]) -> pa.StringArray:
    return pa.array(texts, pa.string())


def near(texts: list[str], signs: str) -> some.SearchStrategy[list[str]]:
    """Lists of such texts, of their pieces, and of texts of these signs."""
    pieces = some.sampled_from(texts).flatmap(lambda text: some.integers(0, len(text)).map(lambda at: text[:at]))
    one = some.one_of(
        some.sampled_from(texts),
        some.tuples(pieces, some.text(signs, max_size=3), pieces).map("".join),
        some.text(signs, max_size=30),
        some.text(max_size=5),
    )
    return some.lists(one, max_size=30)


# Meter ids

LEGAL = string.ascii_letters + string.digits + " ._:~*@()-"


def has_lost_digits(text: str) -> bool:
    """A number with an exponent that has a decimal mark or an exponent with a plus sign."""
    unsigned = text[1:] if text[:1] in ("+", "-") else text
    mantissa, mark, exponent = unsigned.replace("E", "e").partition("e")
    digits = exponent[1:] if exponent[:1] in ("+", "-") else exponent
    whole, point, decimals = mantissa.replace(",", ".").partition(".")
    is_number = all(sign in string.digits for sign in whole + decimals + digits) and whole != "" and digits != ""
    return mark == "e" and is_number and (point == "." or exponent[0] == "+")


def is_meter_id(text: str) -> bool:
    return (
        0 < len(text) <= 64
        and all(sign in LEGAL for sign in text)
        and text[0] in string.ascii_letters + string.digits
        and not text.endswith(" ")
        and "  " not in text
        and not has_lost_digits(text)
    )


@settings(deadline=None, max_examples=50)
@given(texts=near(METER_IDS, LEGAL + "+,/%\x00\u2028"))
def test_meter_ids_are_those_of_the_definition(texts: list[str]) -> None:
    assert rules.is_meter_id(array(texts)).tolist() == [is_meter_id(text) for text in texts]
    assert rules.has_lost_digits(array(texts)).tolist() == [has_lost_digits(text) for text in texts]


def test_every_listed_meter_id_is_judged_as_defined() -> None:
    found = rules.is_meter_id(array(METER_IDS))
    assert {text: bool(is_id) for text, is_id in zip(METER_IDS, found, strict=True)} == {
        text: is_meter_id(text) for text in METER_IDS
    }
    assert 10 < found.sum() < len(METER_IDS) - 10


# Timestamps


def time_of(text: str) -> tuple[bool, int | None]:
    """Whether the text has the shape of a timestamp, and its milliseconds since 1970, if it exists.

    Python's calendar has no year 0, which has the length and the weekdays of the year 400.
    """
    if not re.fullmatch(r"[0-9]{4}-[0-9][0-9]-[0-9][0-9] [0-9][0-9]:[0-9][0-9]:[0-9][0-9](\.[0-9]{1,9})?", text):
        return False, None
    seconds, _, fraction = text.partition(".")
    year, *others = (int(number) for number in re.split("[- :]", seconds))
    try:
        since = datetime.datetime(year or 400, *others) - EPOCH  # noqa: DTZ001
    except ValueError:
        return True, None
    if year == 0:
        since -= datetime.timedelta(days=146_097)  # of 400 years
    return True, since // datetime.timedelta(milliseconds=1) + int(fraction[:3].ljust(3, "0"))


def check_times(texts: list[str]) -> None:
    found = rules.times(array(texts))
    assert found.milliseconds.dtype == np.int64
    for text, has_shape, exists, milliseconds in zip(
        texts, found.has_shape, found.exists, found.milliseconds, strict=True
    ):
        wanted_shape, wanted = time_of(text)
        assert (text, has_shape, exists, milliseconds) == (text, wanted_shape, wanted is not None, wanted or 0)


def test_every_listed_time_is_read_as_defined() -> None:
    check_times(TIMES)
    found = rules.times(array(TIMES))
    assert 20 < found.exists.sum() < found.has_shape.sum() - 10 < len(TIMES) - 30


@settings(deadline=None)
@given(texts=near(TIMES, string.digits + "-: .T"))
def test_times_are_those_of_the_definition(texts: list[str]) -> None:
    check_times(texts)


@settings(deadline=None)
@given(numbers=some.lists(some.tuples(*(some.integers(0, most) for most in (9999, 13, 32, 24, 60, 60, 999_999_999)))))
def test_every_date_of_the_calendar_is_read_as_defined(numbers: list[tuple[int, ...]]) -> None:
    check_times(["{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:09}".format(*number) for number in numbers])


def test_every_day_of_four_hundred_years_exists() -> None:
    first, days = datetime.date(1800, 1, 1), 146_097 + 366
    texts = [f"{first + datetime.timedelta(days=day)} 00:00:00" for day in range(days)]
    found = rules.times(array(texts))
    assert found.exists.all()
    assert set(np.diff(found.milliseconds)) == {24 * 60 * 60 * 1000}


# Numbers


def number_of(text: str) -> float | None:
    """The value of a decimal number, computed exactly and rounded once; None if the text is none."""
    unsigned = text[1:] if text[:1] in ("+", "-") else text
    mantissa, mark, exponent = unsigned.replace("E", "e").partition("e")
    whole, _, decimals = mantissa.partition(".")
    power = exponent[1:] if exponent[:1] in ("+", "-") else exponent
    if not all(sign in string.digits for sign in whole + decimals + power):
        return None
    if whole + decimals == "" or (mark == "e" and not 1 <= len(power) <= 3):
        return None
    exact = Fraction(int(whole + decimals)) * Fraction(10) ** (int(exponent or 0) - len(decimals))
    try:
        value = float(exact)
    except OverflowError:
        value = float("inf")
    return -value if text.startswith("-") else value


def check_numbers(texts: list[str]) -> None:
    found = rules.numbers(array(texts))
    assert found.values.dtype == np.float64
    for text, is_number, value in zip(texts, found.is_number, found.values, strict=True):
        wanted = number_of(text)
        assert (text, is_number, str(value)) == (
            text,
            wanted is not None,
            str(np.float64("nan" if wanted is None else wanted)),
        )


def test_every_listed_number_is_read_as_defined() -> None:
    check_numbers(VALUES)
    assert 30 < rules.numbers(array(VALUES)).is_number.sum() < len(VALUES) - 40


@settings(deadline=None)
@given(texts=near(VALUES, string.digits + "+-.eE "))
def test_numbers_are_those_of_the_definition(texts: list[str]) -> None:
    check_numbers(texts)


@settings(deadline=None)
@given(values=some.lists(some.floats(allow_nan=False, allow_infinity=False)))
def test_a_number_that_was_written_is_read_again(values: list[float]) -> None:
    assert rules.numbers(array([repr(value) for value in values])).values.tolist() == values


# Words, spaces and bytes


@settings(deadline=None)
@given(texts=near(VALUES, "nulNUL \t"))
def test_the_word_null_is_found_in_any_case(texts: list[str]) -> None:
    assert rules.is_word(array(texts), "Null").tolist() == [text.lower() == "null" for text in texts]


@settings(deadline=None)
@given(texts=some.lists(some.text(" \t\u00a0ab", max_size=6)))
def test_spaces_alone_are_trimmed(texts: list[str]) -> None:
    found = rules.trimmed(array(texts))
    assert found.to_pylist() == [text.strip(" ") for text in texts]
    assert rules.is_empty(found).tolist() == [text.strip(" ") == "" for text in texts]


@settings(deadline=None)
@given(texts=some.lists(some.one_of(some.binary(max_size=6), some.text(max_size=3).map(str.encode))))
def test_bytes_become_text_without_any_text_being_lost(texts: list[bytes]) -> None:
    found = rules.decoded(pa.array(texts, pa.binary()))
    assert found.to_pylist() == [text.decode(errors="replace") for text in texts]


@pytest.mark.parametrize("rule", [rules.is_meter_id, rules.has_lost_digits, rules.is_empty])
def test_bytes_that_are_no_text_fit_no_rule(rule: Callable[[pa.StringArray], rules.Mask]) -> None:
    texts = rules.decoded(pa.array(UNDECODABLE, pa.binary()))
    assert not rule(texts).any()
    assert not rules.times(texts).has_shape.any()
    assert not rules.numbers(texts).is_number.any()
    assert not rules.is_word(texts, "null").any()


def test_no_texts_have_no_answers() -> None:
    none = array([])
    for answer in (rules.is_meter_id(none), rules.times(none).milliseconds, rules.numbers(none).values):
        assert len(answer) == 0


# Reasons


def test_the_first_reason_in_order_is_given_whatever_else_applies() -> None:
    order = ("first", "second", "third")
    applies = {"third": np.array([True, True, False, True]), "first": np.array([False, True, False, False])}
    assert rules.first_reasons(order, 4, applies).tolist() == [2, 0, rules.NO_REASON, 2]
