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
| z, zz, zzz           | a zone, or an abbreviation that has one meaning in meter files (pieces.ABBREVIATIONS)       |
| [ ]                  | a section that a text may lack                                                              |
| ' '                  | a text that stands there; '' is an apostrophe                                               |

Other signs stand for themselves. Letters fit in any case. A pattern fits a text as a whole, without spaces around it.

What a text does not say is the first of January 1970, 00:00:00. A date or time that does not exist has no answer.
Patterns are read from left to right and never back: a field takes all digits that it can get, but leaves so many as the
fields of fixed width need that follow without a sign between.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from meter_data.readers.timestamps import fields, fixed_width, grammar, pieces

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Read:
    """What n texts say.

    `exists` tells whether a text fits the pattern and its date and time exist. `milliseconds` (int64) since 1970: of
    the clock that the text shows, or UTC if the pattern has an offset or zone; 0 where the time does not exist.
    """

    exists: Mask
    milliseconds: npt.NDArray[np.int64]


class Pattern:
    """A pattern, ready to read texts. Raises PatternError."""

    def __init__(self, pattern: str) -> None:
        self._pieces = grammar.pieces_of(pattern)
        self._fixed = fixed_width.of_pieces(self._pieces)
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
        values: fields.Values = {}
        try:
            end = pieces.read_all(self._pieces, text, 0, values)
            return fields.milliseconds(values) if end == len(text) else None
        except fields.ImpossibleError:
            return None
