"""Reads texts of patterns whose fields have one width each, all texts at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from meter_data.readers.timestamps import digits
from meter_data.readers.timestamps.digits import Digits, Integers, Mask
from meter_data.readers.timestamps.fields import DAY, HOUR, MINUTE, MONTH, NANOSECOND, SECOND, YEAR
from meter_data.readers.timestamps.pieces import Fraction, Literal, Number, Piece


def of_pieces(pieces: Sequence[Piece]) -> FixedWidth | None:
    """Returns the reader of texts of the usual shape; None for a pattern that has none."""
    fields: dict[str, tuple[int, int]] = {}
    literals: dict[int, int] = {}
    column, is_reduced = 0, False
    for piece in pieces:
        if isinstance(piece, Literal) and piece.signs.isascii():
            literals |= {column + place: ord(sign) for place, sign in enumerate(piece.signs)}
            column += len(piece.signs)
            continue
        if isinstance(piece, Number) and piece.name in (YEAR, MONTH, DAY, HOUR, MINUTE, SECOND):
            width, name = piece.least, piece.name
            if width not in (2, 4) or (width == 4) != (piece.most > width):
                return None
            is_reduced |= piece.is_reduced
        elif isinstance(piece, Fraction):
            width, name = piece.most, NANOSECOND
        else:
            return None
        if name in fields:
            return None
        fields[name] = column, width
        column += width
    return FixedWidth(column, fields, literals, is_reduced) if fields else None


@dataclass(frozen=True)
class FixedWidth:
    """Reads texts of a pattern whose fields have one width each, all texts at once."""

    width: int
    fields: Mapping[str, tuple[int, int]]  # the first column and the number of digits of each field
    literals: Mapping[int, int]  # the byte that stands in a column
    is_reduced: bool

    def read(self, texts: pa.StringArray, exists: Mask, milliseconds: Integers) -> Mask:
        """Fills in the answers for the texts of the usual shape. Returns which texts these are."""
        is_read = np.asarray(pc.equal(pc.binary_length(texts), self.width).to_numpy(zero_copy_only=False))
        same_width = texts.filter(pa.array(is_read)).cast(pa.binary()).cast(pa.binary(self.width))
        start = same_width.offset * self.width
        characters = np.frombuffer(same_width.buffers()[1] or b"", np.uint8)
        characters = characters[start : start + len(same_width) * self.width].reshape(-1, self.width)
        read = characters - ord("0")  # other signs become numbers above 9, as there is no sign below 0 in a byte
        fits = np.ones(len(characters), bool)
        for first, length in self.fields.values():
            fits &= (read[:, first : first + length] <= 9).all(axis=1)
        for column, byte in self.literals.items():
            fits &= characters[:, column] == byte
        is_read[is_read] = fits
        found_exists, found_milliseconds = self._times(read[fits])
        exists[is_read] = found_exists
        milliseconds[is_read] = np.where(found_exists, found_milliseconds, 0)
        return is_read

    def _times(self, read: Digits) -> tuple[Mask, Integers]:
        def number(name: str, absent: int) -> Integers:
            if name not in self.fields:
                return np.full(len(read), absent)
            return digits.number(read, *self.fields[name])

        year = number(YEAR, 1970) + (2000 if self.is_reduced else 0)
        decimals = self.fields.get(NANOSECOND, (0, 0))[1]
        millisecond = number(NANOSECOND, 0) * 10 ** max(0, 3 - decimals) // 10 ** max(0, decimals - 3)
        return digits.milliseconds(
            year, number(MONTH, 1), number(DAY, 1), number(HOUR, 0), number(MINUTE, 0), number(SECOND, 0), millisecond
        )
