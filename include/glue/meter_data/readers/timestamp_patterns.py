"""Reads timestamps by a pattern of letters, as Spark 3.5 and Java's DateTimeFormatter read them.

| letters              | what they read                                                                              |
|----------------------|---------------------------------------------------------------------------------------------|
| yyyy, yy, y          | year: of four digits; two digits of 2000 to 2099; any number of digits                      |
| MM, M                | month: two digits; one or two. LL and L are the same                                        |
| MMM, MMMM            | English name of the month, short (Sep) or full, in any case. LLL and LLLL are the same      |
| dd, d                | day of the month: two digits; one or two                                                    |
| DDD, DD, D           | day of the year: three digits; two or three; one to three                                   |
| HH, H / kk, k        | hour from 0 to 23 / from 1 to 24, where 24:00 is the day's first instant, as Java has it    |
| hh, h / KK, K, and a | hour from 1 to 12 / from 0 to 11, and AM or PM                                              |
| mm, m, ss, s         | minute, second                                                                              |
| S … SSSSSSSSS        | fraction of a second: as many digits as letters, or fewer, but at least one                 |
| X … XXXXX, x … xxxxx | offset from UTC: +01, +0130, +01:30; X reads Z for UTC too                                  |
| Z, ZZ, ZZZ, ZZZZZ    | offset: +0130; with five letters +01:30 or Z                                                |
| ZZZZ, O, OOOO        | offset behind the word GMT                                                                  |
| VV                   | zone, such as Europe/London                                                                 |
| z, zz, zzz           | a zone, or an abbreviation that has one meaning in meter files (ABBREVIATIONS)              |
| [ ]                  | a section that a text may lack                                                              |
| ' '                  | a text that stands there; '' is an apostrophe                                               |

Other signs stand for themselves. Letters fit in any case. A pattern fits a text as a whole, without spaces around it.

What a text does not say is the first of January 1970, 00:00:00. A date or time that does not exist has no answer.
Patterns are read from left to right and never back: a field takes all digits that it can get, but leaves so many as the
fields of fixed width need that follow without a sign between.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Mask = npt.NDArray[np.bool_]

# Minutes from UTC. EST is UTC-5 in July too: whoever means the clock of New York writes EDT then. IST is not here: it
# is the time of India, of Israel or of Ireland.
ABBREVIATIONS = {
    "UTC": 0, "GMT": 0, "UT": 0, "Z": 0, "WET": 0, "WEST": 60, "BST": 60, "CET": 60, "CEST": 120, "EET": 120,
    "EEST": 180, "SAST": 120, "JST": 540, "AWST": 480, "ACST": 570, "ACDT": 630, "AEST": 600, "AEDT": 660,
    "NZST": 720, "NZDT": 780, "EST": -300, "EDT": -240, "CST": -360, "CDT": -300, "MST": -420, "MDT": -360,
    "PST": -480, "PDT": -420, "AKST": -540, "AKDT": -480, "HST": -600,
}  # fmt: skip

_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Times outside of these years are all the same to the caller: no meter can have read then.
_FARTHEST_MILLISECONDS = 2**61
_GREATEST_OFFSET = 18 * 3600
_ANY_NUMBER_OF_DIGITS = 19

# Fields of a text: what a letter says.
YEAR, MONTH, DAY, DAY_OF_YEAR = "year", "month", "day", "day of the year"
HOUR, CLOCK_HOUR = "hour", "clock hour"
HALF_DAY, HALF_DAY_HOUR, HALF_DAY_CLOCK_HOUR = "half of the day", "hour of the half", "clock hour of the half"
MINUTE, SECOND, NANOSECOND, OFFSET, ZONE = "minute", "second", "nanosecond", "offset", "zone"

_LARGEST = {
    MONTH: (1, 12), DAY: (1, 31), DAY_OF_YEAR: (1, 366), HOUR: (0, 23), CLOCK_HOUR: (1, 24), HALF_DAY_HOUR: (0, 11),
    HALF_DAY_CLOCK_HOUR: (1, 12), MINUTE: (0, 59), SECOND: (0, 59),
}  # fmt: skip

_NUMBERS = {
    "M": MONTH, "L": MONTH, "d": DAY, "H": HOUR, "k": CLOCK_HOUR, "K": HALF_DAY_HOUR, "h": HALF_DAY_CLOCK_HOUR,
    "m": MINUTE, "s": SECOND,
}  # fmt: skip
_INSTEAD = {
    "E": "Leave the day of the week out of the files, or give the date and the time in columns of their own.",
    "Y": "Write y for the year.",
    "u": "Write y for the year.",
    "G": "Write y for the year, without an era.",
    "n": "Write S for fractions of a second.",
    "A": "Write HH:mm:ss.SSS for the time of day.",
    "N": "Write HH:mm:ss.SSS for the time of day.",
    "v": "Write VV for a zone such as Europe/London.",
}
_OTHERWISE = "The letters that can be used are y M L d D H k K h a m s S X x Z O V z; put words in apostrophes."

Values = dict[str, int | str]


class PatternError(ValueError):
    """A pattern has a letter that cannot be used. The message says which, and what to write."""


@dataclass(frozen=True)
class Read:
    """What n texts say.

    `exists` tells whether a text fits the pattern and its date and time exist. `milliseconds` (int64) since 1970: of
    the clock that the text shows, or UTC if the pattern has an offset or zone; 0 where the time does not exist.
    """

    exists: Mask
    milliseconds: npt.NDArray[np.int64]


# Reads one piece of a text from a place on. Returns the place behind it, or -1 if the piece is not there.
Piece = Callable[[str, int, Values], int]


class _ImpossibleError(ValueError):
    """A text says something that cannot be."""


class Pattern:
    """A pattern, ready to read texts. Raises PatternError."""

    def __init__(self, pattern: str) -> None:
        self._pieces, self._fixed = _compiled(pattern)
        # Whether texts of this pattern say their own offset from UTC.
        self.has_offset = bool(re.search(r"[XxZzVO]", re.sub(r"'[^']*'", "", pattern)))

    def read(self, texts: pa.StringArray) -> Read:
        """Reads texts. Those of the usual shape of a pattern of fixed width are read all at once."""
        exists, milliseconds = np.zeros(len(texts), bool), np.zeros(len(texts), np.int64)
        is_left = np.ones(len(texts), bool)
        if self._fixed is not None:
            is_left = ~self._fixed.read(texts, exists, milliseconds)
        for place in np.flatnonzero(is_left).tolist():
            found = self.read_one(texts[place].as_py())
            if found is not None:
                exists[place], milliseconds[place] = True, found
        return Read(exists, milliseconds)

    def read_one(self, text: str) -> int | None:
        """Returns the milliseconds that one text says; None if it does not fit."""
        values: Values = {}
        try:
            end = _read_all(self._pieces, text, 0, values)
            return _milliseconds(values) if end == len(text) else None
        except _ImpossibleError:
            return None


# From a pattern to its pieces.


@dataclass
class _Number:
    """A number of `least` to `most` digits; `followed_by` digits at least belong to the fields that follow."""

    name: str
    least: int
    most: int
    followed_by: int = 0
    is_reduced: bool = False  # two digits mean a year from 2000 on

    def __call__(self, text: str, at: int, values: Values) -> int:
        is_year = self.least >= 4
        sign = text[at : at + 1] if self.most == _ANY_NUMBER_OF_DIGITS else ""
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
        return _set(values, self.name, 2000 + number if self.is_reduced else number, end)


@dataclass
class _Fraction:
    """A fraction of a second: one digit up to `most`."""

    most: int
    least: int = 1
    followed_by: int = 0

    def __call__(self, text: str, at: int, values: Values) -> int:
        end = _end_of_digits(text, at, self.most)
        if end == at:
            return -1
        return _set(values, NANOSECOND, int(text[at:end].ljust(9, "0")), end)


@dataclass(frozen=True)
class _Words:
    """One of several words, the longest that fits, in any case."""

    name: str
    words: Mapping[str, int]  # in lower case

    def __call__(self, text: str, at: int, values: Values) -> int:
        for word in sorted(self.words, key=len, reverse=True):
            if text[at : at + len(word)].lower() == word:
                return _set(values, self.name, self.words[word], at + len(word))
        return -1


@dataclass(frozen=True)
class _Literal:
    """Signs that stand there, in any case."""

    signs: str

    def __call__(self, text: str, at: int, values: Values) -> int:
        end = at + len(self.signs)
        return end if text[at:end].lower() == self.signs.lower() else -1


@dataclass(frozen=True)
class _Offset:
    """An offset from UTC: `shape` finds it at a place, its groups are sign, hours, minutes, seconds."""

    shape: re.Pattern[str]
    for_zero: str  # what means UTC

    def __call__(self, text: str, at: int, values: Values) -> int:
        if self.for_zero and text[at : at + len(self.for_zero)].lower() == self.for_zero.lower():
            return _set(values, OFFSET, 0, at + len(self.for_zero))
        found = self.shape.match(text, at)
        return -1 if found is None else _set(values, OFFSET, _seconds_of(found), found.end())


@dataclass(frozen=True)
class _Zone:
    """A name of a zone or an offset; with `has_abbreviations` an abbreviation too."""

    has_abbreviations: bool

    def __call__(self, text: str, at: int, values: Values) -> int:
        if found := _PLAIN_OFFSET.match(text, at) or _GREENWICH.match(text, at):
            return _set(values, OFFSET, _seconds_of(found), found.end())
        name = _NAME.match(text, at)
        if name is None:
            return -1
        known = _zones()
        for end in range(name.end(), at, -1):  # the longest name that fits
            if self.has_abbreviations and (minutes := ABBREVIATIONS.get(text[at:end].upper())) is not None:
                return _set(values, OFFSET, minutes * 60, end)
            if zone := known.get(text[at:end].lower()):
                return _set(values, ZONE, zone, end)
        if text[at] in "Zz":
            return _set(values, OFFSET, 0, at + 1)
        return -1


@dataclass
class _Optional:
    """Pieces that a text has all or none of."""

    pieces: list[Piece] = field(default_factory=list)

    def __call__(self, text: str, at: int, values: Values) -> int:
        tried = dict(values)
        end = _read_all(self.pieces, text, at, tried)
        if end < 0:
            return at
        values.update(tried)
        return end


_NAME = re.compile(r"[A-Za-z][A-Za-z0-9~/._+-]*")
_PLAIN_OFFSET = re.compile(r"([+-])([0-5][0-9]):([0-5][0-9])(?::([0-5][0-9]))?")
_GREENWICH = re.compile(r"(?:UTC|GMT|UT)(?:([+-])([0-5][0-9]):([0-5][0-9])(?::([0-5][0-9]))?)?", re.IGNORECASE)
_SIXTIETHS = "([0-5][0-9])"
_SHAPES = {
    "+HHmm": rf"([+-]){_SIXTIETHS}{_SIXTIETHS}?()",
    "+HHMM": rf"([+-]){_SIXTIETHS}{_SIXTIETHS}()",
    "+HH:MM": rf"([+-]){_SIXTIETHS}:{_SIXTIETHS}()",
    "+HHMMss": rf"([+-]){_SIXTIETHS}{_SIXTIETHS}{_SIXTIETHS}?",
    "+HH:MM:ss": rf"([+-]){_SIXTIETHS}:{_SIXTIETHS}(?::{_SIXTIETHS})?",
    "GMT+H": r"GMT(?:([+-])([0-9]{1,2})(?::([0-9]{2})(?::([0-9]{2}))?)?)?",
    "GMT+HH:MM": r"GMT(?:([+-])([0-9]{2}):([0-9]{2})(?::([0-9]{2}))?)?",
}
_OF_X = ("+HHmm", "+HHMM", "+HH:MM", "+HHMMss", "+HH:MM:ss")


def _compiled(pattern: str) -> tuple[list[Piece], _FixedWidth | None]:
    pieces: list[Piece] = []
    enclosing: list[list[Piece]] = []
    at = 0
    while at < len(pattern):
        letter = pattern[at]
        end = at + 1
        if letter == "'":
            end, signs = _quoted(pattern, at)
            pieces.append(_Literal(signs))
        elif letter == "[":
            enclosing.append(pieces)
            pieces = []
        elif letter == "]":
            if not enclosing:
                raise PatternError("it has a ] without a [ in front. Put a ] that stands in the files in apostrophes.")
            section, pieces = pieces, enclosing.pop()
            pieces.append(_Optional(section))
        elif letter in "{}#":
            raise PatternError(f"it has the sign {letter}. Put it in apostrophes.")
        elif letter.isascii() and letter.isalpha():
            while pattern[end : end + 1] == letter:
                end += 1
            pieces.append(_piece(letter, end - at))
        else:
            pieces.append(_Literal(letter))
        at = end
    while enclosing:  # a section that goes to the end of the pattern may lack its ]
        section, pieces = pieces, enclosing.pop()
        pieces.append(_Optional(section))
    _leave_digits(pieces)
    return pieces, _fixed_width(pieces)


def _quoted(pattern: str, at: int) -> tuple[int, str]:
    """Returns the end of a quotation that begins at `at`, and the signs in it."""
    signs, end = "", at + 1
    while end < len(pattern):
        if pattern[end] == "'":
            if pattern[end + 1 : end + 2] != "'":
                return end + 1, signs or "'"
            end += 1
        signs, end = signs + pattern[end], end + 1
    raise PatternError("an apostrophe opens a text that does not end. Close it; '' is an apostrophe.")


def _piece(letter: str, count: int) -> Piece:
    if letter == "y" and count <= 6:
        if count == 2:
            return _Number(YEAR, 2, 2, is_reduced=True)
        return _Number(YEAR, count, _ANY_NUMBER_OF_DIGITS)
    if letter in "ML" and count in (3, 4):
        names = [name[:3] if count == 3 else name for name in _MONTHS]
        return _Words(MONTH, {name.lower(): number for number, name in enumerate(names, start=1)})
    if letter in _NUMBERS and count <= 2:
        return _Number(_NUMBERS[letter], count, 2 if count == 2 else _ANY_NUMBER_OF_DIGITS)
    if letter == "D" and count <= 3:
        return _Number(DAY_OF_YEAR, count, 3 if count > 1 else _ANY_NUMBER_OF_DIGITS)
    if letter == "a" and count == 1:
        return _Words(HALF_DAY, {"am": 0, "pm": 1})
    if letter == "S" and count <= 9:
        return _Fraction(count)
    if letter in "Xx" and count <= 5:
        zero = "Z" if letter == "X" else "+00" if count == 1 else "+0000" if count % 2 == 0 else "+00:00"
        return _Offset(re.compile(_SHAPES[_OF_X[count - 1]]), zero)
    if letter == "Z" and count <= 5:
        if count < 4:
            return _Offset(re.compile(_SHAPES["+HHMM"]), "+0000")
        return _localized(4) if count == 4 else _Offset(re.compile(_SHAPES["+HH:MM:ss"]), "Z")
    if letter == "O" and count in (1, 4):
        return _localized(count)
    if (letter == "V" and count == 2) or (letter == "z" and count <= 3):
        return _Zone(has_abbreviations=letter == "z")
    raise PatternError(_fault(letter, count))


def _localized(count: int) -> Piece:
    return _Offset(re.compile(_SHAPES["GMT+H" if count == 1 else "GMT+HH:MM"], re.IGNORECASE), "")


def _fault(letter: str, count: int) -> str:
    if letter == "z" and count == 4:
        return "the letters zzzz, full names of zones, cannot be used. Write z, or VV for a zone such as Europe/London."
    if letter in "yMLdDHkKhamsSXxZOVz":
        usual = {"y": "yyyy", "V": "VV", "a": "a", "O": "O"}.get(letter, f"{letter} or {letter * 2}")
        return f"the letter {letter} cannot stand {count} times. Write {usual}."
    return f"the letter {letter} cannot be used. {_INSTEAD.get(letter, _OTHERWISE)}"


def _leave_digits(pieces: list[Piece]) -> None:
    """Tells fields of numbers how many digits belong to the fields of fixed width right behind them."""
    active: _Number | None = None
    for piece in pieces:
        if isinstance(piece, _Optional):
            _leave_digits(piece.pieces)
        width = piece.most if isinstance(piece, _Number | _Fraction) and piece.least == piece.most else 0
        if active is not None and width:
            active.followed_by += width
        else:
            active = piece if isinstance(piece, _Number) else None


# What the fields of a text mean.


def _read_all(pieces: Sequence[Piece], text: str, at: int, values: Values) -> int:
    for piece in pieces:
        at = piece(text, at, values)
        if at < 0:
            return -1
    return at


def _set(values: Values, name: str, value: int | str, end: int) -> int:
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
        raise _ImpossibleError
    offset = int(hours) * 3600 + int(minutes or 0) * 60 + int(seconds or 0)
    return -offset if sign == "-" else offset


def _milliseconds(values: Values) -> int:
    """Returns the milliseconds of the fields. Raises _ImpossibleError for a date or time that does not exist."""
    numbers = {name: value for name, value in values.items() if isinstance(value, int)}
    for name, (least, most) in _LARGEST.items():
        if name in numbers and not least <= numbers[name] <= most:
            raise _ImpossibleError
    days = _days(numbers.get(YEAR, 1970), numbers.get(MONTH, 1), numbers.get(DAY, 1))
    if DAY_OF_YEAR in numbers:
        first = _days(numbers.get(YEAR, 1970), 1, 1)
        of_year = first + numbers[DAY_OF_YEAR] - 1
        says_other = (MONTH in numbers or DAY in numbers) and of_year != days
        if says_other or of_year >= _days(numbers.get(YEAR, 1970) + 1, 1, 1):
            raise _ImpossibleError
        days = of_year
    seconds = days * 86400 + _hour(numbers) * 3600 + numbers.get(MINUTE, 0) * 60 + numbers.get(SECOND, 0)
    if ZONE in values:
        seconds -= _offset_in(str(values[ZONE]), seconds)
    elif OFFSET in values:
        if abs(numbers[OFFSET]) > _GREATEST_OFFSET:
            raise _ImpossibleError
        seconds -= numbers[OFFSET]
    milliseconds = seconds * 1000 + numbers.get(NANOSECOND, 0) // 1_000_000
    return max(-_FARTHEST_MILLISECONDS, min(milliseconds, _FARTHEST_MILLISECONDS))


def _hour(numbers: dict[str, int]) -> int:
    """Returns the hour from 0 to 23. Raises _ImpossibleError if fields contradict one another."""
    half = numbers.get(HALF_DAY)
    of_half = {numbers[name] % 12 for name in (HALF_DAY_HOUR, HALF_DAY_CLOCK_HOUR) if name in numbers}
    hours = {numbers[name] % 24 for name in (HOUR, CLOCK_HOUR) if name in numbers}
    if len(of_half) > 1:
        raise _ImpossibleError
    if half is not None and of_half:
        hours.add(half * 12 + min(of_half))
    if len(hours) > 1:
        raise _ImpossibleError
    if not hours:
        return min(of_half) if of_half else 12 * (half or 0)
    (hour,) = hours
    if (half is not None and hour // 12 != half) or (of_half and hour % 12 not in of_half):
        raise _ImpossibleError
    return hour


def _days(year: int, month: int, day: int) -> int:
    """Returns the days from 1970-01-01 to a date of any year. Raises _ImpossibleError if there is no such date."""
    if abs(year) > 999_999_999:
        raise _ImpossibleError
    is_leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if (day > (29 if is_leap else 28) and month == 2) or (day > 30 and month in (4, 6, 9, 11)):
        raise _ImpossibleError
    # The calendar repeats after 400 years, which have 146,097 days.
    cycles, of_cycle = divmod(year - 1970, 400)
    return cycles * 146_097 + (datetime(1970 + of_cycle, month, day, tzinfo=UTC) - _EPOCH).days


def _offset_in(zone: str, clock: int) -> int:
    """Returns the offset of a zone when it shows a clock, both in seconds. The earlier instant of a repeated hour."""
    if abs(clock) > 200 * 366 * 86400:
        return 0  # no meter can have read then
    shown = (_EPOCH + timedelta(seconds=clock)).replace(tzinfo=ZoneInfo(zone))
    return round((shown.utcoffset() or timedelta()).total_seconds())


@lru_cache(maxsize=1)
def _zones() -> dict[str, str]:
    """Returns the names of zones by their names in lower case."""
    return {name.lower(): name for name in available_timezones()}


# Patterns of fixed width.


@dataclass(frozen=True)
class _FixedWidth:
    """Reads texts of a pattern whose fields have one width each, all texts at once."""

    width: int
    fields: Mapping[str, tuple[int, int]]  # the first column and the number of digits of each field
    literals: Mapping[int, int]  # the byte that stands in a column
    is_reduced: bool

    def read(self, texts: pa.StringArray, exists: Mask, milliseconds: npt.NDArray[np.int64]) -> Mask:
        """Fills in the answers for the texts of the usual shape. Returns which texts these are."""
        is_read = np.asarray(pc.equal(pc.binary_length(texts), self.width).to_numpy(zero_copy_only=False))
        same_width = texts.filter(pa.array(is_read)).cast(pa.binary()).cast(pa.binary(self.width))
        start = same_width.offset * self.width
        characters = np.frombuffer(same_width.buffers()[1] or b"", np.uint8)
        characters = characters[start : start + len(same_width) * self.width].reshape(-1, self.width)
        digits = characters - ord("0")  # other signs become numbers above 9, as there is no sign below 0 in a byte
        fits = np.ones(len(characters), bool)
        for first, length in self.fields.values():
            fits &= (digits[:, first : first + length] <= 9).all(axis=1)
        for column, byte in self.literals.items():
            fits &= characters[:, column] == byte
        is_read[is_read] = fits
        found_exists, found_milliseconds = self._times(digits[fits])
        exists[is_read] = found_exists
        milliseconds[is_read] = np.where(found_exists, found_milliseconds, 0)
        return is_read

    def _times(self, digits: npt.NDArray[np.uint8]) -> tuple[Mask, npt.NDArray[np.int64]]:
        def number(name: str, absent: int) -> npt.NDArray[np.int64]:
            if name not in self.fields:
                return np.full(len(digits), absent)
            first, length = self.fields[name]
            return digits[:, first : first + length].astype(np.int64) @ (10 ** np.arange(length - 1, -1, -1))

        year = number(YEAR, 1970) + (2000 if self.is_reduced else 0)
        month, day = number(MONTH, 1), number(DAY, 1)
        hour, minute, second = number(HOUR, 0), number(MINUTE, 0), number(SECOND, 0)
        decimals = self.fields.get(NANOSECOND, (0, 0))[1]
        millisecond = number(NANOSECOND, 0) * 10 ** max(0, 3 - decimals) // 10 ** max(0, decimals - 3)
        # Months since January 1970. A month that does not exist gives some other month here, and is refused below.
        months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
        first_day = months.astype("datetime64[D]").astype(np.int64)  # days since 1970
        days_in_month = (months + 1).astype("datetime64[D]").astype(np.int64) - first_day
        exists = (month >= 1) & (month <= 12) & (day >= 1) & (day <= days_in_month)
        exists &= (hour < 24) & (minute < 60) & (second < 60)
        days = first_day + day - 1
        return exists, (((days * 24 + hour) * 60 + minute) * 60 + second) * 1000 + millisecond


def _fixed_width(pieces: Sequence[Piece]) -> _FixedWidth | None:
    """Returns the reader of texts of the usual shape; None for a pattern that has none."""
    fields: dict[str, tuple[int, int]] = {}
    literals: dict[int, int] = {}
    column, is_reduced, follows_year = 0, False, False
    for piece in pieces:
        if isinstance(piece, _Literal) and piece.signs.isascii():
            literals |= {column + place: ord(sign) for place, sign in enumerate(piece.signs)}
            column, follows_year = column + len(piece.signs), False
            continue
        if isinstance(piece, _Number) and piece.name in (YEAR, MONTH, DAY, HOUR, MINUTE, SECOND):
            width, name = piece.least, piece.name
            if width not in (2, 4) or (width == 4) != (piece.most > width):
                return None
            is_reduced |= piece.is_reduced
            follows_year |= width == 4
        elif isinstance(piece, _Fraction) and not (follows_year and piece.most > 1):
            # Right behind the digits of a year, digits of a fraction would be taken for digits of the year.
            width, name = piece.most, NANOSECOND
        else:
            return None
        if name in fields:
            return None
        fields[name] = column, width
        column += width
    return _FixedWidth(column, fields, literals, is_reduced) if fields else None
