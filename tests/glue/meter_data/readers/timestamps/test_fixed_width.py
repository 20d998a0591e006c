"""Texts of patterns of fixed width are read all at once: as each alone."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as some
from meter_data.readers.timestamps.pattern import Pattern

PIECES = ["yyyy", "yy", "MM", "dd", "HH", "mm", "ss", "S", "SSS", "SSSSSS", "-", ":", " ", "'T'"]


def is_pattern(pieces: list[str]) -> bool:
    """Letters next to the same letters would be another piece."""
    return all(one[0] != other[0] for one, other in pairwise(pieces))


@settings(max_examples=300, deadline=None)
@given(
    pieces=some.lists(some.sampled_from(PIECES), min_size=1, max_size=9).filter(is_pattern),
    texts=some.lists(some.text("0129-: Tt.", max_size=20), max_size=5),
    times=some.lists(some.datetimes(datetime(1800, 1, 1), datetime(2200, 1, 1)), max_size=10),  # noqa: DTZ001
)
def test_texts_that_are_read_together_are_read_as_alone(
    pieces: list[str], texts: list[str], times: list[datetime]
) -> None:
    pattern = Pattern("".join(pieces))
    codes = {"yyyy": "%Y", "yy": "%y", "MM": "%m", "dd": "%d", "HH": "%H", "mm": "%M", "ss": "%S", "'T'": "T"}
    written = [
        "".join(
            f"{time:%f}000"[: len(piece)] if "S" in piece else f"{time:{codes.get(piece, piece)}}" for piece in pieces
        )
        for time in times
    ]
    given_texts = [*texts, *written]

    read = pattern.read(pa.array(given_texts, pa.string()))

    alone = [pattern.read_one(text) for text in given_texts]
    assert read.exists.tolist() == [each is not None for each in alone]
    assert read.milliseconds.tolist() == [each or 0 for each in alone]
