"""The pieces of a pattern, each of which reads a piece of a text.

A piece is called with a text, a place in it and the values so far. It adds what it reads to the values and returns the
place behind it, or -1 if the text does not fit.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from zoneinfo import available_timezones

from meter_data.readers.timestamps.fields import NANOSECOND, OFFSET, ZONE, ImpossibleError, Values

Piece = Callable[[str, int, Values], int]

# Minutes from UTC. EST is UTC-5 in July too: whoever means the clock of New York writes EDT then. IST is not here: it
# is the time of India, of Israel or of Ireland.
ABBREVIATIONS = {
    "UTC": 0, "GMT": 0, "UT": 0, "Z": 0, "WET": 0, "WEST": 60, "BST": 60, "CET": 60, "CEST": 120, "EET": 120,
    "EEST": 180, "SAST": 120, "JST": 540, "AWST": 480, "ACST": 570, "ACDT": 630, "AEST": 600, "AEDT": 660,
    "NZST": 720, "NZDT": 780, "EST": -300, "EDT": -240, "CST": -360, "CDT": -300, "MST": -420, "MDT": -360,
    "PST": -480, "PDT": -420, "AKST": -540, "AKDT": -480, "HST": -600,
}  # fmt: skip

ANY_NUMBER_OF_DIGITS = 19

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9~/._+-]*")
_PLAIN_OFFSET = re.compile(r"([+-])([0-5][0-9]):([0-5][0-9])(?::([0-5][0-9]))?")
_GREENWICH = re.compile(r"(?:UTC|GMT|UT)(?:([+-])([0-5][0-9]):([0-5][0-9])(?::([0-5][0-9]))?)?", re.IGNORECASE)


def read_all(pieces: Sequence[Piece], text: str, at: int, values: Values) -> int:
    """Reads one piece after the other. Returns the place behind the last, or -1 if one of them does not fit."""
    for piece in pieces:
        at = piece(text, at, values)
        if at < 0:
            return -1
    return at


@dataclass
class Number:
    """A number of `least` to `most` digits; `followed_by` digits at least belong to the fields that follow."""

    name: str
    least: int
    most: int
    followed_by: int = 0
    is_reduced: bool = False  # two digits mean a year from 2000 on

    def __call__(self, text: str, at: int, values: Values) -> int:
        is_year = self.least >= 4
        sign = text[at : at + 1] if self.most == ANY_NUMBER_OF_DIGITS else ""
        start = at + 1 if sign == "-" or (sign == "+" and is_year) else at
        end = _end_of_digits(text, start, self.most + self.followed_by)
        if end - start < self.least:
            return -1
        if self.followed_by:
            end = start + min(max(self.least, end - start - self.followed_by), end - start)
        number = int(text[start:end])
        if sign == "-":
            if number == 0:
                return -1
            number = -number
        elif is_year and (end - start > self.least) != (sign == "+"):
            return -1  # a year of more digits than letters has a sign, and no other has
        return _note(values, self.name, 2000 + number if self.is_reduced else number, end)


@dataclass
class Fraction:
    """A fraction of a second: one digit up to `most`."""

    most: int
    least: int = 1
    followed_by: int = 0

    def __call__(self, text: str, at: int, values: Values) -> int:
        end = _end_of_digits(text, at, self.most)
        if end == at:
            return -1
        return _note(values, NANOSECOND, int(text[at:end].ljust(9, "0")), end)


@dataclass(frozen=True)
class Words:
    """One of several words, the longest that fits, in any case."""

    name: str
    words: Mapping[str, int]  # in lower case

    def __call__(self, text: str, at: int, values: Values) -> int:
        for word in sorted(self.words, key=len, reverse=True):
            if text[at : at + len(word)].lower() == word:
                return _note(values, self.name, self.words[word], at + len(word))
        return -1


@dataclass(frozen=True)
class Literal:
    """Signs that stand there, in any case."""

    signs: str

    def __call__(self, text: str, at: int, values: Values) -> int:
        end = at + len(self.signs)
        return end if text[at:end].lower() == self.signs.lower() else -1


@dataclass(frozen=True)
class Offset:
    """An offset from UTC: `shape` finds it at a place, its groups are sign, hours, minutes, seconds."""

    shape: re.Pattern[str]
    for_zero: str  # what means UTC

    def __call__(self, text: str, at: int, values: Values) -> int:
        if self.for_zero and text[at : at + len(self.for_zero)].lower() == self.for_zero.lower():
            return _note(values, OFFSET, 0, at + len(self.for_zero))
        found = self.shape.match(text, at)
        return -1 if found is None else _note(values, OFFSET, _seconds_of(found), found.end())


@dataclass(frozen=True)
class Zone:
    """A name of a zone or an offset; with `has_abbreviations` an abbreviation too."""

    has_abbreviations: bool

    def __call__(self, text: str, at: int, values: Values) -> int:
        if found := _PLAIN_OFFSET.match(text, at) or _GREENWICH.match(text, at):
            return _note(values, OFFSET, _seconds_of(found), found.end())
        name = _NAME.match(text, at)
        if name is None:
            return -1
        known = _zones()
        for end in range(name.end(), at, -1):  # the longest name that fits
            if self.has_abbreviations and (minutes := ABBREVIATIONS.get(text[at:end].upper())) is not None:
                return _note(values, OFFSET, minutes * 60, end)
            if zone := known.get(text[at:end].lower()):
                return _note(values, ZONE, zone, end)
        if text[at] in "Zz":
            return _note(values, OFFSET, 0, at + 1)
        return -1


@dataclass
class Optional:
    """Pieces that a text has all or none of."""

    pieces: list[Piece] = field(default_factory=list)

    def __call__(self, text: str, at: int, values: Values) -> int:
        tried = dict(values)
        end = read_all(self.pieces, text, at, tried)
        if end < 0:
            return at
        values.update(tried)
        return end


def _note(values: Values, name: str, value: int | str, end: int) -> int:
    """Notes what a field says. A field that says two things does not fit."""
    return end if values.setdefault(name, value) == value else -1


def _end_of_digits(text: str, at: int, most: int) -> int:
    end, last = at, min(len(text), at + most)
    while end < last and "0" <= text[end] <= "9":
        end += 1
    return end


def _seconds_of(found: re.Match[str]) -> int:
    sign, hours, minutes, seconds = found.groups()
    if sign is None:
        return 0
    if int(hours) > 23 or int(minutes or 0) > 59 or int(seconds or 0) > 59:
        raise ImpossibleError
    offset = int(hours) * 3600 + int(minutes or 0) * 60 + int(seconds or 0)
    return -offset if sign == "-" else offset


@lru_cache(maxsize=1)
def _zones() -> dict[str, str]:
    """Returns the names of zones by their names in lower case."""
    return {name.lower(): name for name in available_timezones()}
