"""The sample of meters: hash order, enough hours, reproducible."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from transformers.zones import samples

from tests.glue.hourly_readings import KNOWN, hour, known

FIRST = hour("2013-05-01")
TRAINING = range(FIRST, FIRST + 48)
CANDIDATE = "meter_id string, is_possible boolean"
NAMES = [f"M{number}" for number in range(60)]
IN_HASH_ORDER = sorted(NAMES, key=lambda name: hashlib.sha256(name.encode()).hexdigest())


@pytest.fixture
def draw(frame: Callable[..., Any]) -> Callable[..., tuple[list[str], samples.Sample, list[int]]]:
    """draw(hours by meter, wanted, …): the sampled meters, the sample, and of how many meters readings were read."""

    def make(
        hours: dict[str, int], wanted: int, fewest: int = 10, impossible: set[str] = frozenset()
    ) -> tuple[list[str], samples.Sample, list[int]]:
        candidates = frame(CANDIDATE, *((name, name not in impossible) for name in hours))
        table = frame(KNOWN, *(row for name, count in hours.items() for row in known(name, FIRST, [1] * count)))
        reads: list[int] = []

        def read(ids: list[str]) -> Any:
            reads.append(len(ids))
            return table.where(table["meter_id"].isin(ids))

        sample = samples.draw(candidates, read, TRAINING, wanted, fewest)
        return sorted({row[0] for row in sample.known.select("meter_id").collect()}), sample, reads

    return make


def test_meters_are_taken_in_the_order_of_a_hash_of_their_ids(draw: Callable[..., Any]) -> None:
    found, sample, reads = draw(dict.fromkeys(NAMES, 10), 8)
    assert found == sorted(IN_HASH_ORDER[:8])
    assert (sample.meters, sample.too_few_hours, reads) == (8, 0, [15])


def test_the_order_of_rows_does_not_matter_and_an_added_meter_moves_one_at_most(draw: Callable[..., Any]) -> None:
    found, _, _ = draw(dict.fromkeys(NAMES, 10), 8)
    assert draw(dict.fromkeys(reversed(NAMES), 10), 8)[0] == found
    for added in ("M60", "M61", "M62"):
        with_added, _, _ = draw(dict.fromkeys([*NAMES, added], 10), 8)
        assert len(set(found) - set(with_added)) <= 1
        assert set(with_added) - set(found) <= {added}


def test_meters_with_too_few_hours_are_passed_over_and_counted(draw: Callable[..., Any]) -> None:
    short, after = IN_HASH_ORDER[:2], IN_HASH_ORDER[30]
    hours = dict.fromkeys(NAMES, 10) | dict.fromkeys([*short, after], 9)
    found, sample, _ = draw(hours, 8)
    assert found == sorted(IN_HASH_ORDER[2:10])
    # Behind the sample nobody looked.
    assert (sample.meters, sample.too_few_hours) == (8, 2)
    _, sample, _ = draw(hours, 8, impossible={after})
    assert sample.too_few_hours == 3


def test_hours_after_the_training_range_do_not_count(draw: Callable[..., Any]) -> None:
    found, sample, _ = draw({"M1": 48, "M2": 47}, 5, fewest=48)
    assert (found, sample.meters, sample.too_few_hours) == (["M1"], 1, 1)
    found, sample, _ = draw({"M1": 60, "M2": 50}, 5, fewest=49)
    assert (found, sample.meters) == ([], 0)


def test_more_meters_are_read_when_the_first_had_too_few_hours(draw: Callable[..., Any]) -> None:
    hours = dict.fromkeys(NAMES, 10) | dict.fromkeys(IN_HASH_ORDER[:20], 1)
    found, sample, reads = draw(hours, 8)
    assert found == sorted(IN_HASH_ORDER[20:28])
    assert (reads, sample.too_few_hours) == ([15, 60], 20)


def test_fewer_meters_than_are_wanted_are_all_taken(draw: Callable[..., Any]) -> None:
    found, sample, reads = draw({"M1": 10, "M2": 3, "M3": 10}, 50)
    assert (found, sample.meters, sample.too_few_hours, reads) == (["M1", "M3"], 2, 1, [3])


def test_candidates_have_readings_of_the_training_days(
    frame: Callable[..., Any], rows: Callable[..., list[tuple[Any, ...]]]
) -> None:
    days = frame(
        "meter_id string, date_str string, interval_count int",
        ("M1", "20130501", 48),
        ("M1", "20130502", 48),
        ("M2", "20130502", 95),
        ("M3", "20130502", 48),
        ("M3", "20130503", 48),
        ("M4", "20130430", 48),
    )
    assert rows(samples.candidates(days, TRAINING, 96)) == [("M1", True), ("M2", False), ("M3", False)]


def test_many_meters_are_chosen_as_few_are(frame: Callable[..., Any], rows: Callable[..., Any]) -> None:
    table = frame("meter_id string", *((name,) for name in NAMES))
    many = [f"N{number}" for number in range(samples.MOST_IDS_OF_A_CONDITION)]
    assert rows(samples.of_meters(table, ["M3", "M7", *many])) == [("M3",), ("M7",)]
    assert rows(samples.of_meters(table, ["M3", "M7"])) == [("M3",), ("M7",)]
    assert rows(samples.of_meters(table, [])) == []
