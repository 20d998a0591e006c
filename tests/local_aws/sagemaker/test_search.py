"""The search of a tuning job on functions whose best place is known."""

from __future__ import annotations

import math
from collections import Counter

import pytest

from local_aws.sagemaker.search import Search
from local_aws.sagemaker.search_space import Range, ranges
from local_aws.service import ServiceError

FLOATS = [Range("x", low=-5, high=5), Range("y", low=1e-4, high=1, scaling="Logarithmic")]


def bowl(tried: dict[str, str]) -> float:
    """Least, 0, at x = 2 and y = 0.01."""
    return (float(tried["x"]) - 2) ** 2 + math.log10(float(tried["y"]) / 0.01) ** 2


def best_of(strategy: str, seed: str, tries: int = 40) -> float:
    search = Search(strategy, FLOATS, seed)
    results = []
    for _ in range(tries):
        tried = search.next()
        assert tried is not None
        results.append(bowl(tried))
        search.tell(tried, results[-1])
    return min(results)


def test_the_estimator_comes_nearer_to_the_best_place_than_chance() -> None:
    seeds = [str(seed) for seed in range(20)]
    chance = sorted(best_of("Random", seed) for seed in seeds)
    estimated = sorted(best_of("Bayesian", seed) for seed in seeds)
    assert estimated[10] < chance[10] / 2


def test_the_same_seed_gives_the_same_tries() -> None:
    for strategy in ("Random", "Bayesian", "Hyperband"):
        first, again, other = (Search(strategy, FLOATS, seed) for seed in ("1", "1", "2"))
        tries = [first.next() for _ in range(5)]
        assert tries == [again.next() for _ in range(5)]
        assert tries != [other.next() for _ in range(5)]


def test_a_grid_is_every_combination_once() -> None:
    search = Search("Grid", [Range("a", values=("1", "2")), Range("b", values=("x", "y"))], "")
    tries = [search.next() for _ in range(5)]
    assert tries == [
        {"a": "1", "b": "x"},
        {"a": "1", "b": "y"},
        {"a": "2", "b": "x"},
        {"a": "2", "b": "y"},
        None,
    ]


def test_no_combination_is_tried_twice_and_the_search_ends_when_all_are_tried() -> None:
    search = Search("Bayesian", [Range("n", low=1, high=3, whole=True), Range("c", values=("a", "b"))], "seed")
    tried = []
    while (found := search.next()) is not None:
        search.tell(found, float(found["n"]))
        tried.append((found["n"], found["c"]))
    assert sorted(tried) == [(n, c) for n in ("1", "2", "3") for c in ("a", "b")]


def test_whole_numbers_and_categories_have_equal_shares_of_the_interval() -> None:
    places = [place / 1000 for place in range(1000)]
    numbers = Range("n", low=3, high=6, whole=True)
    assert Counter(numbers.at(place) for place in places) == {"3": 250, "4": 250, "5": 250, "6": 250}
    letters = Range("c", values=("a", "b"))
    assert Counter(letters.at(place) for place in places) == {"a": 500, "b": 500}
    assert (numbers.at(1.0), letters.at(1.0)) == ("6", "b")


@pytest.mark.parametrize(
    ("scaling", "low", "high", "middle"),
    [("Linear", 0, 10, 5), ("Logarithmic", 0.001, 10, 0.1), ("ReverseLogarithmic", 0.9, 0.999, 0.99)],
)
def test_the_middle_of_a_range_is_that_of_its_scale(scaling: str, low: float, high: float, middle: float) -> None:
    entry = Range("x", low=low, high=high, scaling=scaling)
    assert [float(entry.at(place)) for place in (0, 0.5, 1)] == pytest.approx([low, middle, high])


def test_auto_takes_the_logarithm_of_wide_ranges_only() -> None:
    given = {
        "ContinuousParameterRanges": [
            {"Name": "learning_rate", "MinValue": "1E-4", "MaxValue": "1E-2", "ScalingType": "Auto"},
            {"Name": "dropout_rate", "MinValue": "0.01", "MaxValue": "0.2"},
        ]
    }
    assert [entry.scaling for entry in ranges(given)] == ["Logarithmic", "Linear"]


@pytest.mark.parametrize(
    ("kind", "entry", "message"),
    [
        ("Integer", {"MinValue": "1.5", "MaxValue": "2"}, "not of its type"),
        ("Integer", {"MinValue": "3", "MaxValue": "2"}, "MinValue 3 above MaxValue 2"),
        ("Continuous", {"MinValue": "0", "MaxValue": "2", "ScalingType": "Logarithmic"}, "above 0"),
        ("Continuous", {"MinValue": "0", "MaxValue": "2", "ScalingType": "ReverseLogarithmic"}, "within \\[0, 1\\)"),
    ],
)
def test_a_range_that_is_none_is_refused(kind: str, entry: dict[str, str], message: str) -> None:
    with pytest.raises(ServiceError, match=message):
        ranges({f"{kind}ParameterRanges": [{"Name": "x", **entry}]})


def test_a_search_needs_a_range_and_one_for_each_name() -> None:
    with pytest.raises(ServiceError, match="At least one"):
        ranges({})
    entry = {"Name": "x", "MinValue": "1", "MaxValue": "2"}
    with pytest.raises(ServiceError, match="two ranges"):
        ranges({"IntegerParameterRanges": [entry], "ContinuousParameterRanges": [entry]})
