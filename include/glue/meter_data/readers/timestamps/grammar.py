"""From a pattern of letters to the pieces that read a text; the table of the letters is in pattern.py."""

from __future__ import annotations

import re

from meter_data.readers.timestamps.fields import (
    CLOCK_HOUR,
    DAY,
    DAY_OF_YEAR,
    HALF_DAY,
    HALF_DAY_CLOCK_HOUR,
    HALF_DAY_HOUR,
    HOUR,
    MINUTE,
    MONTH,
    SECOND,
    YEAR,
)
from meter_data.readers.timestamps.pieces import (
    ANY_NUMBER_OF_DIGITS,
    Fraction,
    Literal,
    Number,
    Offset,
    Optional,
    Piece,
    Words,
    Zone,
)

_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)

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


class PatternError(ValueError):
    """A pattern has a letter that cannot be used. The message says which, and what to write."""


def pieces_of(pattern: str) -> list[Piece]:
    """Returns the pieces of a pattern, in its order. Raises PatternError."""
    pieces: list[Piece] = []
    enclosing: list[list[Piece]] = []
    at = 0
    while at < len(pattern):
        letter = pattern[at]
        end = at + 1
        if letter == "'":
            end, signs = _quoted(pattern, at)
            pieces.append(Literal(signs))
        elif letter == "[":
            enclosing.append(pieces)
            pieces = []
        elif letter == "]":
            if not enclosing:
                raise PatternError("it has a ] without a [ in front. Put a ] that stands in the files in apostrophes.")
            section, pieces = pieces, enclosing.pop()
            pieces.append(Optional(section))
        elif letter in "{}#":
            raise PatternError(f"it has the sign {letter}. Put it in apostrophes.")
        elif letter.isascii() and letter.isalpha():
            while pattern[end : end + 1] == letter:
                end += 1
            pieces.append(_piece(letter, end - at))
        else:
            pieces.append(Literal(letter))
        at = end
    while enclosing:  # a section that goes to the end of the pattern may lack its ]
        section, pieces = pieces, enclosing.pop()
        pieces.append(Optional(section))
    _leave_digits(pieces)
    return pieces


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
            return Number(YEAR, 2, 2, is_reduced=True)
        return Number(YEAR, count, ANY_NUMBER_OF_DIGITS)
    if letter in "ML" and count in (3, 4):
        names = [name[:3] if count == 3 else name for name in _MONTHS]
        return Words(MONTH, {name.lower(): number for number, name in enumerate(names, start=1)})
    if letter in _NUMBERS and count <= 2:
        return Number(_NUMBERS[letter], count, 2 if count == 2 else ANY_NUMBER_OF_DIGITS)
    if letter == "D" and count <= 3:
        return Number(DAY_OF_YEAR, count, 3 if count > 1 else ANY_NUMBER_OF_DIGITS)
    if letter == "a" and count == 1:
        return Words(HALF_DAY, {"am": 0, "pm": 1})
    if letter == "S" and count <= 9:
        return Fraction(count)
    if letter in "Xx" and count <= 5:
        zero = "Z" if letter == "X" else "+00" if count == 1 else "+0000" if count % 2 == 0 else "+00:00"
        return Offset(re.compile(_SHAPES[_OF_X[count - 1]]), zero)
    if letter == "Z" and count <= 5:
        if count < 4:
            return Offset(re.compile(_SHAPES["+HHMM"]), "+0000")
        return _localized(4) if count == 4 else Offset(re.compile(_SHAPES["+HH:MM:ss"]), "Z")
    if letter == "O" and count in (1, 4):
        return _localized(count)
    if (letter == "V" and count == 2) or (letter == "z" and count <= 3):
        return Zone(has_abbreviations=letter == "z")
    raise PatternError(_fault(letter, count))


def _localized(count: int) -> Piece:
    return Offset(re.compile(_SHAPES["GMT+H" if count == 1 else "GMT+HH:MM"], re.IGNORECASE), "")


def _fault(letter: str, count: int) -> str:
    if letter == "z" and count == 4:
        return "the letters zzzz, full names of zones, cannot be used. Write z, or VV for a zone such as Europe/London."
    if letter in "yMLdDHkKhamsSXxZOVz":
        usual = {"y": "yyyy", "V": "VV", "a": "a", "O": "O"}.get(letter, f"{letter} or {letter * 2}")
        return f"the letter {letter} cannot stand {count} times. Write {usual}."
    return f"the letter {letter} cannot be used. {_INSTEAD.get(letter, _OTHERWISE)}"


def _leave_digits(pieces: list[Piece]) -> None:
    """Tells fields of numbers how many digits belong to the fields of fixed width right behind them.

    A fraction may have fewer digits than letters. Behind a field of any number of digits, a year for instance, it has
    all of them: otherwise the year would take them, and no text would fit.
    """
    active: Number | None = None
    for piece in pieces:
        if isinstance(piece, Optional):
            _leave_digits(piece.pieces)
        width = 0
        if isinstance(piece, Number | Fraction):
            is_fixed = piece.least == piece.most
            takes_all = isinstance(piece, Fraction) and active is not None and active.most == ANY_NUMBER_OF_DIGITS
            width = piece.most if is_fixed or takes_all else 0
        if active is not None and width:
            active.followed_by += width
        else:
            active = piece if isinstance(piece, Number) else None
