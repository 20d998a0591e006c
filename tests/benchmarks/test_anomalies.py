"""The benchmark of anomalies: what is injected, how it is scored, and that its page says what its results say."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from benchmarks.anomalies import detectors, households, report
from benchmarks.anomalies.__main__ import PAGE, RESULTS, SEEDS, TUNED_WITH
from benchmarks.anomalies.injection import DIP, FLAT, SPIKE, ZERO, inject
from benchmarks.anomalies.scores import Judged, average_precision, score

DAYS = [date(2013, 1, 1) + timedelta(days=number) for number in range(365)]


@pytest.fixture
def consumption() -> np.ndarray:
    """Ten meters of about 10 kWh a day; the third is only there for 40 days."""
    given = np.random.default_rng(1).normal(10, 1, (10, 365))
    given[2, 40:] = np.nan
    return given


def test_what_is_injected_is_labelled_and_the_rest_stays(consumption: np.ndarray) -> None:
    changed, labels = inject(consumption, seed=1)

    for label, expected in ((SPIKE, 3 * consumption), (DIP, 0.1 * consumption), (ZERO, 0 * consumption)):
        assert changed[labels == label].tolist() == expected[labels == label].tolist()
    assert np.array_equal(changed[labels == 0], consumption[labels == 0], equal_nan=True)
    assert (np.diff(changed, axis=1)[(labels[:, 1:] == FLAT) & (labels[:, :-1] == FLAT)] == 0).all()
    assert not labels[2, 40:].any()
    for label, number in ((SPIKE, 4), (DIP, 4)):
        assert (labels == label).sum(axis=1).tolist() == [number, number, 1, *[number] * 7]
    assert [labels[0].tolist().count(label) for label in (ZERO, FLAT)] >= [4, 8]


def test_the_same_seed_gives_the_same_days_and_another_gives_others(consumption: np.ndarray) -> None:
    assert np.array_equal(inject(consumption, 1)[1], inject(consumption, 1)[1])
    assert not np.array_equal(inject(consumption, 1)[1], inject(consumption, 2)[1])


def test_average_precision_is_the_mean_precision_over_recall() -> None:
    wanted = np.array([True, False, True, False])

    assert average_precision(np.array([4.0, 3.0, 2.0, 1.0]), wanted) == pytest.approx((1 + 2 / 3) / 2)
    # Equal scores are one level: two of four.
    assert average_precision(np.zeros(4), wanted) == pytest.approx(0.5)


def test_a_kind_is_scored_among_the_days_that_were_not_changed() -> None:
    labels = np.array([[SPIKE, DIP, ZERO, FLAT, 0, 0, 0]])
    importance = np.array([[2.0, 3.0, 0.0, 0.0, 1.0, 0.0, 9.0]])
    known = np.array([[True] * 6 + [False]])

    found = score(Judged(importance > 0, importance, importance), labels, known)

    assert found["spike"]["recall"] == 1
    assert found["spike"]["precision"] == pytest.approx(1 / 2)
    assert found["spike"]["average_precision"] == 1
    assert found["zero run"]["recall"] == 0
    assert found["all"]["precision"] == pytest.approx(2 / 3)
    assert found["all"]["recall"] == pytest.approx(2 / 4)


def test_the_detector_is_the_one_of_the_glue_job(consumption: np.ndarray) -> None:
    changed, labels = inject(consumption, seed=3)

    judged = detectors.by_regression(changed, DAYS)

    assert judged.is_anomaly[labels == SPIKE].all()
    assert judged.is_anomaly[labels == ZERO].all()
    assert judged.is_anomaly[labels == FLAT].all()
    assert (judged.distance[judged.is_anomaly] > 1).all()
    assert (judged.distance[~judged.is_anomaly] <= 1).all()


def test_households_have_the_sums_of_their_complete_days(tmp_path: Path) -> None:
    header = "LCLid,stdorToU,DateTime,KWH/hh (per half hour) ,Acorn,Acorn_grouped"
    lines = [header]
    for number in range(30):
        day = DAYS[number]
        lines += [f"M1,Std,{day} {at // 2:02}:{at % 2 * 30:02}:00.0000000, 0.5 ,A,B" for at in range(48)]
    lines += [lines[1], "M1,Std,2013-01-02 12:37:27.0000000,Null,A,B"]
    del lines[5]
    file = tmp_path / "households.csv"
    file.write_text("\r\n".join(lines), encoding="utf-8")

    found = households.read(file)

    assert found.meters == ["M1"]
    assert found.days[0] == date(2013, 1, 2)
    assert found.consumption.tolist() == [[24.0] * 29]


def test_the_page_is_made_of_the_results() -> None:
    results = json.loads(RESULTS.read_text(encoding="utf-8"))

    assert PAGE.read_text(encoding="utf-8") == report.page(results), "Run `python -m benchmarks.anomalies`."


def test_the_results_reach_what_the_design_asks_for() -> None:
    """On days that the detector was not tuned with."""
    results = json.loads(RESULTS.read_text(encoding="utf-8"))
    ours, prophet = results["detectors"]["detect_anomalies"], results["detectors"]["prophet"]

    assert results["seeds"] == list(SEEDS)
    assert not set(SEEDS) & set(TUNED_WITH)
    assert ours["cpu_ms_a_meter_year"] <= 1
    assert ours["scores"]["all"]["average_precision"] >= prophet["scores"]["all"]["average_precision"]
