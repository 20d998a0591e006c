"""Patterns that cannot be used: the sentence says which letter is wrong, and what to write instead."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from meter_data.readers.timestamps.grammar import PatternError
from meter_data.readers.timestamps.pattern import Pattern

KEPT: dict[str, Any] = json.loads((Path(__file__).parents[1] / "times_as_spark_reads_them.json").read_text())
# Patterns that Spark reads and this reader refuses: eras, and full names of zones, which differ between programs.
NOT_IN_USE = {"yyyy-MM-dd G", "G yyyy-MM-dd HH:mm", "yyyy-MM-dd GGGG", "yyyy-MM-dd HH:mm zzzz"}
# Spark refused them only because one of the texts has a year that overflows.
USABLE = {"y", "ddMMy"}


@pytest.mark.parametrize("pattern", sorted({*KEPT["refused"], *NOT_IN_USE} - USABLE))
def test_a_pattern_that_cannot_be_used_is_refused_with_a_sentence(pattern: str) -> None:
    with pytest.raises(PatternError, match=r"\. ?.*\.?$") as refused:
        Pattern(pattern)
    assert str(refused.value).endswith(".")


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("EEE dd.MM.yyyy", "the letter E cannot be used. Leave the day of the week out of the files"),
        ("YYYY-MM-dd", "the letter Y cannot be used. Write y for the year."),
        ("DD.MM.yyyyyyy", "the letter y cannot stand 7 times. Write yyyy."),
        ("yyyy-MM-dd HHH", "the letter H cannot stand 3 times. Write H or HH."),
        ("yyyy-MM-dd V", "the letter V cannot stand 1 times. Write VV."),
        ("yyyy-MM-dd Uhr", "the letter U cannot be used. The letters that can be used are"),
        ("yyyy'T", "an apostrophe opens a text that does not end."),
        ("yyyy]", "it has a ] without a [ in front."),
        ("yyyy-MM-dd HH:mm zzzz", "full names of zones, cannot be used. Write z, or VV for a zone"),
    ],
)
def test_the_sentence_names_the_letter_and_what_to_write(pattern: str, said: str) -> None:
    with pytest.raises(PatternError) as refused:
        Pattern(pattern)
    assert said in str(refused.value)
