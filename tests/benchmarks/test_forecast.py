"""The benchmark of forecasts: what is forecast from what, how it is scored, and that its page says what is kept."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.forecast import backtest, baselines, boosting, configurations, households, product, report, scores
from benchmarks.forecast.__main__ import CHOICE, PAGE, RESULTS, about_data
from benchmarks.forecast.backtest import HORIZON, Backtest
from benchmarks.forecast.deepar import DeepAR, Trained, until_known
from benchmarks.forecast.households import Households
from benchmarks.forecast.weather import Weather, hours_of
from local_aws.sagemaker.deepar import scoring
from local_aws.sagemaker.deepar.series import Series

FIRST = datetime(2013, 1, 7, tzinfo=UTC)  # a Monday
QUANTILES = (0.1, 0.5, 0.9)


def fleet(kwh: np.ndarray) -> Households:
    return Households(tuple(f"M{number}" for number in range(len(kwh))), FIRST, kwh.astype(float))


def weeks(*values: float) -> np.ndarray:
    """One meter that has a value through each week."""
    return np.repeat(np.array([values], dtype=float), HORIZON, axis=1)


def made_up_days(meters: int, days: int) -> np.ndarray:
    """Households with a day's shape, each of its size, to the Wh."""
    hours = np.arange(days * 24)
    shape = 0.3 + 0.2 * np.sin(hours * 2 * np.pi / 24)
    noise = np.random.default_rng(1).gamma(4, 0.25, (meters, len(hours)))
    return np.round(shape * noise * (1 + np.arange(meters))[:, None], 3)


def test_a_quantile_loss_is_the_one_worked_out_by_hand() -> None:
    truth, forecast = np.array([2.0, 0.0, 4.0]), np.array([1.0, 1.0, 4.0])

    # 0.9: one too low by 1 costs 0.9, one too high by 1 costs 0.1; 2 · (0.9 + 0.1) / 6.
    assert scores.quantile_loss(truth, forecast, 0.9) == pytest.approx(2 * 1.0 / 6)
    # 0.1: 0.1 + 0.9, the same here; a forecast of 0 throughout: 0.1 · 6.
    assert scores.quantile_loss(truth, np.zeros(3), 0.1) == pytest.approx(2 * 0.6 / 6)
    assert scores.quantile_loss(truth, np.zeros(3), 0.9) == pytest.approx(2 * 5.4 / 6)
    assert scores.quantile_loss(truth, truth, 0.5) == 0


def test_coverage_counts_the_limits_and_a_point_has_none() -> None:
    truth = np.array([1.0, 2.0, 3.0, 4.0])
    band = np.array([[1.0] * 4, [2.0] * 4, [3.0] * 4])

    assert scores.score(truth, band, QUANTILES)["coverage"] == 0.75
    assert scores.score(truth, band[[1, 1, 1]], QUANTILES)["coverage"] is None


def test_losses_are_those_that_a_training_job_reports() -> None:
    random = np.random.default_rng(1)
    truth, forecasts = random.gamma(2, 1, 50), np.sort(random.gamma(2, 1, (3, 50)), axis=0)

    ours = scores.score(truth, forecasts, QUANTILES)
    reported = scoring.scores(truth, forecasts[1], dict(zip(QUANTILES, forecasts, strict=True)))

    assert ours["mean_wQuantileLoss"] == pytest.approx(reported["mean_wQuantileLoss"])
    for quantile in QUANTILES:
        assert ours["wQuantileLoss"][f"{quantile}"] == pytest.approx(reported[f"wQuantileLoss[{quantile}]"])


def test_seasonal_naive_is_the_hour_a_week_before_or_the_newest_that_is_known() -> None:
    kwh = np.arange(2 * HORIZON + 5, dtype=float)[None]
    kwh[0, -3] = np.nan  # then a week earlier is taken
    kwh[0, [-8, -8 - HORIZON]] = np.nan  # then the mean

    found = baselines.SeasonalNaive(QUANTILES).forecast(fleet(kwh))

    assert found.shape == (3, 1, HORIZON)
    expected = np.arange(HORIZON + 5, 2 * HORIZON + 5, dtype=float)
    expected[-3] -= HORIZON
    expected[-8] = np.nanmean(kwh)
    assert (found[0, 0] == expected).all()
    assert (found[1] == found[0]).all()
    assert (found[2] == found[0]).all()


def test_climatology_has_the_quantiles_of_the_hour_of_the_week() -> None:
    kwh = weeks(1, 2, 3, 4, 11)
    kwh[0, [7 + week * HORIZON for week in range(5)]] = np.nan

    found = baselines.Climatology(QUANTILES).forecast(fleet(kwh))

    # Of 1, 2, 3, 4, 11 between neighbours in proportion: 1 + 0.4, 3, 4 + 0.6 · 7.
    assert found[:, 0, 0] == pytest.approx([1.4, 3, 8.2])
    # Without any value of this hour: all hours of the meter.
    assert found[:, 0, 7] == pytest.approx([1, 3, 11])


def test_seasonal_naive_loses_what_its_error_by_hand_says() -> None:
    """2 kWh an hour, then 3: the point forecast of 2 is too low by 1 of 3."""
    given = Backtest(fleet(weeks(2, 2, 3)), (2 * HORIZON,), QUANTILES)

    found = given.run(baselines.SeasonalNaive(QUANTILES))

    assert found["wQuantileLoss"] == pytest.approx({"0.1": 2 * 0.1 / 3, "0.5": 2 * 0.5 / 3, "0.9": 2 * 0.9 / 3})
    assert found["mean_wQuantileLoss"] == pytest.approx(1 / 3)


def test_a_method_is_handed_nothing_of_the_window_it_forecasts() -> None:
    handed = []

    class Spy:
        def train(self, past: Households) -> dict:
            handed.append(past.kwh[0, -1])
            return {}

        def forecast(self, past: Households) -> np.ndarray:
            handed.append(past.kwh[0, -1])
            return np.zeros((3, 2, HORIZON))

    kwh = np.concatenate([weeks(1, 2, 3, 4), np.full((1, 4 * HORIZON), np.nan)])
    kwh[1, 3 * HORIZON + 5] = 100.0  # known in the last window only: nothing is known of it before

    found = Backtest(fleet(kwh), (HORIZON, 2 * HORIZON, 3 * HORIZON), QUANTILES).run(Spy())

    assert handed == [1, 1, 2, 3]
    assert found["by_window"] == pytest.approx([1.0, 1.0, 1.0])  # of zeros: 2 · (0.1 + 0.5 + 0.9) / 3
    assert found["mean_wQuantileLoss"] == pytest.approx(1.0)


def test_an_hour_is_the_sum_of_its_half_hours_and_unknown_when_one_is_missing(tmp_path: Path) -> None:
    header = "LCLid,stdorToU,DateTime,KWH/hh (per half hour) "
    lines = [header]
    for hour in range(24):
        lines += [f"M1,Std,2013-01-01 {hour:02}:{minute}:00.0000000, 0.2 " for minute in ("00", "30")]
    del lines[5]  # 02:00
    lines += [lines[1].replace("0.2", "0.3"), "M1,Std,2013-01-01 02:37:27.0000000,Null"]
    (tmp_path / "a.csv").write_text("\n".join(lines), encoding="utf-8")
    other = ["LCLid,tstp,energy(kWh/hh)", "M2,2013-01-02 23:00:00,1", "M2,2013-01-02 23:30:00,2"]
    (tmp_path / "b.csv").write_text("\n".join(other), encoding="utf-8")

    found = households.read([tmp_path / "a.csv", tmp_path / "b.csv"])

    assert found.meters == ("M1", "M2")
    assert found.first == datetime(2013, 1, 1, tzinfo=UTC)
    assert found.kwh[0, :4] == pytest.approx([0.5, 0.4, np.nan, 0.4], nan_ok=True)
    assert np.isnan(found.kwh[0, 24:]).all()
    assert found.kwh[1, 47] == 3
    assert np.isfinite(found.kwh).sum() == 24


def test_the_newest_complete_day_is_that_of_half_of_the_meters_that_still_report() -> None:
    kwh = np.ones((4, 20 * 24))
    kwh[:3, 19 * 24 + 5] = np.nan
    kwh[:2, 18 * 24 + 5] = np.nan  # complete for two of four
    assert households.newest_complete_day(fleet(kwh)) == 18

    kwh[3, 2 * 24 :] = np.nan  # left long ago: complete for one of three
    assert households.newest_complete_day(fleet(kwh)) == 17


def test_the_windows_are_the_last_three_weeks_and_those_of_the_choice_lie_before_them() -> None:
    given = fleet(np.ones((1, 300 * 24)))

    last, before = (backtest.last_weeks(given, QUANTILES, weeks_earlier) for weeks_earlier in (0, 3))

    assert last.households.first.date() == date(2013, 4, 3)  # day 86 of 300
    assert last.windows == (193 * 24, 200 * 24, 207 * 24)
    assert last.training.kwh.shape == (1, 193 * 24)
    assert (last.households.first - before.households.first).days == 21
    with pytest.raises(ValueError, match="214 days are needed"):
        backtest.last_weeks(fleet(np.ones((1, 200 * 24))), QUANTILES)


def test_lightgbm_learns_a_shape_and_sees_nothing_but_the_past(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boosting, "ROUNDS", 30)
    given = Backtest(fleet(made_up_days(4, 70)), (63 * 24,), QUANTILES)

    found = given.run(boosting.Boosting(QUANTILES))
    naive = given.run(baselines.SeasonalNaive(QUANTILES))

    assert found["mean_wQuantileLoss"] < 0.8 * naive["mean_wQuantileLoss"]
    # Begun after 4, 5, … 8 weeks, with the window of the last before the first window tested.
    assert found["examples"] == 4 * 5 * HORIZON


def test_features_are_aligned_with_the_hours_that_follow() -> None:
    kwh = np.arange(5 * HORIZON, dtype=float)[None]

    rows, scale = boosting.features(fleet(kwh))

    assert scale == pytest.approx([kwh.mean()])
    lags = rows[0, 3, : boosting.LAGS_WEEKS] * kwh.mean()
    assert lags == pytest.approx([HORIZON + 3, 2 * HORIZON + 3, 3 * HORIZON + 3, 4 * HORIZON + 3])
    assert rows[0, 27, -3:].tolist() == [27, 27, 3]


@pytest.mark.filterwarnings("ignore::FutureWarning:gluonts", "ignore::UserWarning:gluonts")
def test_deepar_learns_whole_watt_hours_of_the_sampled_meters_and_forecasts_kwh_of_all() -> None:
    kwh = made_up_days(3, 40)
    kwh[0, : 10 * 24] = np.nan
    kwh[2, : 38 * 24] = np.nan  # joins late: too short to learn from
    given = Backtest(fleet(kwh), (33 * 24 - 24,), QUANTILES)
    small = {"epochs": 2, "num_cells": 8, "mini_batch_size": 8, "context_length": 24, "training_samples": 1}

    method = DeepAR("DeepAR", small)
    found = given.run(method)
    again = method.forecast(given.training)

    assert found["meters_trained_on"] == 1
    assert found["unit"] == "Wh"
    assert found["epochs_run"] == 2
    assert found["hyperparameters"]["likelihood"] == "negative-binomial"
    assert found["hyperparameters"]["prediction_length"] == str(HORIZON)
    # kWh, not Wh, of both meters, one of them twice as large as the other.
    assert 0.05 < again[1, 0].mean() < 2
    assert (again[0] <= again[1]).all()
    assert np.allclose(again * 1000, np.round(again * 1000, 1))
    assert np.array_equal(again, method.forecast(given.training))


@pytest.mark.filterwarnings("ignore::FutureWarning:gluonts", "ignore::UserWarning:gluonts")
def test_weather_reaches_deepar_as_it_turned_out_or_as_it_usually_is() -> None:
    given = Backtest(fleet(made_up_days(2, 40)), (33 * 24,), QUANTILES)
    first = hours_of(given.households).start
    day = 24
    # The same each day, but a heat wave in the window; the year before was 3 degrees colder.
    degrees = {first + hour: 10.0 + hour % day + (20 if hour >= 33 * day else 0) for hour in range(40 * day)}
    year_before = {hour - 365 * day: 7.0 + (hour - first) % day for hour in degrees}
    known = {name: {**year_before, **degrees} for name in ("temperature", "apparenttemperature", "humidity")}
    features = Weather(known)
    small = {"epochs": 1, "num_cells": 4, "mini_batch_size": 4, "context_length": 24}

    method = DeepAR("DeepAR", small, features)
    given.run(method)
    training = features.of_training(given.training)
    foreseen = features.of_forecast(given.training)
    features.is_foreseen = False
    usual = features.of_forecast(given.training)
    told = given.run(Trained(method))

    assert training.shape == (3, 33 * day)
    assert training.mean(axis=1) == pytest.approx([0, 0, 0], abs=1e-5)
    assert foreseen.shape == usual.shape == (3, 40 * day)
    assert np.array_equal(foreseen[:, : 33 * day], usual[:, : 33 * day])
    deviation = np.std(np.arange(day))
    assert (foreseen - usual)[0, 33 * day :] == pytest.approx(np.full(HORIZON, 23 / deviation), rel=1e-4)
    assert told["mean_wQuantileLoss"] > 0


@pytest.mark.filterwarnings("ignore::FutureWarning:gluonts", "ignore::UserWarning:gluonts")
def test_configurations_are_the_starting_point_with_their_changes() -> None:
    given = Backtest(fleet(made_up_days(2, 40)), (33 * 24,), QUANTILES)
    told = {}
    small = {"num_cells": 4, "mini_batch_size": 4, "context_length": 24}

    found = configurations.compare(given, (small, {**small, "likelihood": "student-T"}), 1, told.__setitem__)

    assert [one["changes"] for one in found] == [small, {**small, "likelihood": "student-T"}]
    of_counts, of_student = told.values()
    assert (of_counts["unit"], of_student["unit"]) == ("Wh", "kWh")
    assert of_student["hyperparameters"]["num_cells"] == "4"
    assert of_student["hyperparameters"]["learning_rate"] == str(configurations.STARTING_POINT["learning_rate"])
    assert found[1]["mean_wQuantileLoss"] == of_student["mean_wQuantileLoss"]
    assert found[1]["epochs_run"] == 1


def test_a_meter_that_left_is_learnt_from_up_to_its_last_hour() -> None:
    target = np.array([1, np.nan, 3, np.nan, np.nan], dtype=np.float32)
    dynamic = np.arange(10, dtype=np.float32).reshape(2, 5)

    found = until_known(Series(pd.Period("2013-01-01 05:00", freq="h"), target, None, dynamic))

    assert found.target.tolist() == pytest.approx([1, np.nan, 3], nan_ok=True)
    assert found.dynamic is not None
    assert found.dynamic.tolist() == [[0, 1, 2], [5, 6, 7]]


def test_meters_are_sampled_in_the_order_of_their_hash() -> None:
    """By `printf MAC000002 | sha256sum` and so on: d92c…, e299…, 299b…"""
    order = product.in_order_of_sampling(["MAC000002", "MAC000003", "MAC000004"])

    assert order == ["MAC000004", "MAC000002", "MAC000003"]


def test_the_page_is_made_of_the_results() -> None:
    results, choice = (json.loads(path.read_text(encoding="utf-8")) for path in (RESULTS, CHOICE))

    assert PAGE.read_text(encoding="utf-8") == report.page(results, choice), "Run `python -m benchmarks.forecast`."


def test_the_results_are_those_of_the_deployed_configuration() -> None:
    deployed = json.loads(RESULTS.read_text(encoding="utf-8"))["methods"]["deepar"]

    assert deployed["hyperparameters"] == product.hyperparameters(HORIZON, {})


def test_the_results_reach_what_the_design_asks_for() -> None:
    """A quarter below seasonal naive."""
    methods = json.loads(RESULTS.read_text(encoding="utf-8"))["methods"]

    assert methods["deepar"]["mean_wQuantileLoss"] <= 0.75 * methods["seasonal_naive"]["mean_wQuantileLoss"]
    assert methods["deepar"]["to_seasonal_naive"] == pytest.approx(
        methods["deepar"]["mean_wQuantileLoss"] / methods["seasonal_naive"]["mean_wQuantileLoss"] - 1
    )


def test_the_choice_was_made_on_weeks_that_the_results_are_not_about() -> None:
    results, choice = (json.loads(path.read_text(encoding="utf-8")) for path in (RESULTS, CHOICE))

    ends = [date.fromisoformat(given["first_day"]).toordinal() + given["days"] for given in (results, choice)]
    assert ends[0] - ends[1] == results["windows"] * results["horizon"] // 24
    assert results["data"] == choice["data"]


def test_what_is_said_of_the_data_is_counted() -> None:
    kwh = np.concatenate([weeks(1, 2), weeks(1, 2), np.full((1, 2 * HORIZON), np.nan)])
    kwh[1, HORIZON + 1 :] = np.nan

    said = about_data(Backtest(fleet(kwh), (HORIZON,), QUANTILES))

    assert (said["meters"], said["meters_in_windows"], said["hours_in_windows"]) == (2, 2, HORIZON + 1)
