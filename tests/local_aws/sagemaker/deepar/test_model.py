from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from local_aws.sagemaker.deepar import training, windows
from local_aws.sagemaker.deepar.model import Model
from local_aws.sagemaker.deepar.series import Series, SeriesError
from tests.local_aws.sagemaker.deepar.meters import day, hyperparameters, series

ONE, TWO, THREE = (series(day(level, 200)) for level in (60, 170, 280))


@pytest.fixture(scope="module")
def rich() -> Model:
    """One category of three values and two dynamic features."""
    dynamic = [[0.0] * 240, [1.0] * 240]
    channel = [series(day(100, 240), cat=[cat], dynamic_feat=dynamic) for cat in (0, 2)]
    return training.train(hyperparameters(), channel)[0]


def test_a_saved_model_forecasts_as_it_did(trained: Model, tmp_path: Path) -> None:
    trained.save(tmp_path / "model")
    loaded = Model.load(tmp_path / "model")
    assert loaded.hyperparameters == trained.hyperparameters
    assert loaded.features == trained.features
    np.testing.assert_array_equal(loaded.sample([ONE, TWO], 10), trained.sample([ONE, TWO], 10))


def test_a_saved_model_keeps_its_features(rich: Model, tmp_path: Path) -> None:
    rich.save(tmp_path)
    loaded = Model.load(tmp_path)
    assert loaded.features == rich.features
    assert (loaded.features.cardinality, loaded.features.num_dynamic_feat) == ((3,), 2)


def test_a_folder_without_a_model_cannot_be_loaded(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Model.load(tmp_path)


def test_paths_have_the_asked_number_and_length(trained: Model) -> None:
    assert trained.sample([ONE, TWO], 7).shape == (2, 7, 24)
    assert trained.sample([], 7).shape == (0, 7, 24)


def test_a_forecast_does_not_depend_on_its_neighbours_nor_on_their_order(trained: Model) -> None:
    alone = trained.sample([TWO], 10)[0]
    beside = trained.sample([ONE, TWO, THREE], 10)
    reversed_ = trained.sample([THREE, TWO, ONE], 10)
    np.testing.assert_array_equal(beside[1], alone)
    np.testing.assert_array_equal(reversed_[::-1], beside)


def test_a_forecast_asked_again_is_the_same_and_leaves_the_random_numbers_alone(trained: Model) -> None:
    torch.manual_seed(5)
    wanted = torch.rand(3)
    torch.manual_seed(5)
    first = trained.sample([ONE], 10)
    assert torch.equal(torch.rand(3), wanted)
    np.testing.assert_array_equal(trained.sample([ONE], 10), first)


def test_two_meters_with_like_histories_have_paths_of_their_own(trained: Model) -> None:
    almost = day(60, 200)
    almost[0] = 0
    paths = trained.sample([ONE, series(almost)], 10)
    assert not np.array_equal(paths[0], paths[1])


def test_the_same_values_at_another_hour_have_another_forecast(trained: Model) -> None:
    noon = series(day(170, 200), start="2026-01-01 12:00:00")
    here, there = (np.median(paths, axis=0) for paths in trained.sample([TWO, noon], 50))
    assert np.abs(here - there).max() > 10


def test_windows_together_have_the_forecasts_that_they_have_alone(trained: Model) -> None:
    """Their random numbers differ, but not their medians by much."""
    together = trained.sample_windows([(trained.padded(one), 200) for one in (ONE, TWO, THREE)], 200, seed=1)
    alone = trained.sample([ONE, TWO, THREE], 200)
    np.testing.assert_allclose(np.median(together, axis=(1, 2)), np.median(alone, axis=(1, 2)), rtol=0.1)


def test_a_forecast_leaves_the_network_in_training_if_it_was(trained: Model) -> None:
    trained.network.train()
    trained.sample([ONE], 1)
    assert trained.network.training
    trained.network.eval()
    trained.sample([ONE], 1)
    assert not trained.network.training


def test_history_beyond_what_the_network_sees_is_known_by_the_age_of_the_series_alone(trained: Model) -> None:
    assert trained.past_length == 24 + 720
    long = series(day(170, 2000))
    cut = Series(long.start + 1200, long.target[1200:])
    given, less = (windows.inputs([(trained.padded(one), len(one))], trained.past_length, 24) for one in (long, cut))
    assert [name for name in given if not torch.equal(given[name], less[name])] == [
        "past_time_feat",
        "future_time_feat",
    ]
    for name in ("past_time_feat", "future_time_feat"):
        assert torch.equal(given[name][..., :-1], less[name][..., :-1])


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({}, "'cat' has 0 categories, but 1 are expected"),
        ({"cat": [0, 1]}, "'cat' has 2 categories, but 1 are expected"),
        ({"cat": [3]}, "'cat' 0 is 3, but its cardinality is 3: values are 0 to 2"),
        ({"cat": [1]}, "'dynamic_feat' has 0 features, but 2 are expected"),
        ({"cat": [1], "dynamic_feat": [[0] * 34]}, "'dynamic_feat' has 1 features, but 2 are expected"),
        (
            {"cat": [1], "dynamic_feat": [[0] * 10, [0] * 10]},
            r"has 10 values, but must be as long as 'target' and prediction_length together \(34\)",
        ),
    ],
)
def test_an_instance_that_does_not_fit_the_model_is_refused(
    rich: Model, fields: dict[str, list[int]], problem: str
) -> None:
    with pytest.raises(SeriesError, match=problem):
        rich.require(series([1] * 10, **fields))


def test_an_instance_that_fits_is_forecast(rich: Model) -> None:
    instance = series([100] * 10, cat=[1], dynamic_feat=[[0] * 34, [1] * 34])
    rich.require(instance)
    assert np.isfinite(rich.sample([instance], 3)).all()


def test_a_model_that_ignores_features_takes_instances_with_and_without_them() -> None:
    values = hyperparameters(cardinality="ignore", num_dynamic_feat="ignore")
    model, _ = training.train(values, [series(day(100, 240), cat=[1], dynamic_feat=[[0] * 240])] * 2)
    given = series([100] * 10, cat=[9], dynamic_feat=[[0] * 3])
    model.require(given)
    model.require(series([100] * 10))
    assert np.isfinite(model.sample([given], 3)).all()
