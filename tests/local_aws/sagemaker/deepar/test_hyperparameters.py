"""Defaults and valid values as SageMaker's page "DeepAR Hyperparameters" lists them."""

from __future__ import annotations

import pytest

from local_aws.sagemaker.deepar.errors import ClientError
from local_aws.sagemaker.deepar.hyperparameters import Hyperparameters

REQUIRED = {"time_freq": "1H", "prediction_length": "24", "context_length": "48", "epochs": "7"}


def parsed(**given: str) -> Hyperparameters:
    return Hyperparameters.parse(REQUIRED | given)


def refusal(given: dict[str, object]) -> str:
    with pytest.raises(ClientError) as caught:
        Hyperparameters.parse(given)
    return str(caught.value)


def test_what_is_not_given_has_the_documented_default() -> None:
    values = parsed()
    assert (values.time_freq.text, values.prediction_length, values.context_length, values.epochs) == ("1h", 24, 48, 7)
    assert (values.mini_batch_size, values.learning_rate, values.num_cells, values.num_layers) == (128, 0.001, 40, 2)
    assert (values.likelihood, values.dropout_rate, values.embedding_dimension) == ("student-T", 0.1, 10)
    assert values.num_eval_samples == 100
    assert values.test_quantiles == (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
    assert (values.early_stopping_patience, values.cardinality, values.num_dynamic_feat) == (None, None, None)


def test_what_is_given_is_read_from_text() -> None:
    values = parsed(
        early_stopping_patience="5",
        mini_batch_size=" 32 ",
        learning_rate="1E-3",
        dropout_rate="0",
        cardinality="[3, 12]",
        num_dynamic_feat="2",
        test_quantiles="[0.25]",
    )
    assert (values.early_stopping_patience, values.mini_batch_size, values.learning_rate) == (5, 32, 0.001)
    assert (values.dropout_rate, values.cardinality, values.num_dynamic_feat) == (0.0, (3, 12), 2)
    assert values.test_quantiles == (0.25,)


@pytest.mark.parametrize("text", ["ignore", "ignored", ""])
def test_categories_and_dynamic_features_can_be_ignored(text: str) -> None:
    values = parsed(cardinality=text, num_dynamic_feat=text)
    assert (values.cardinality, values.num_dynamic_feat) == ((), 0)


@pytest.mark.parametrize("likelihood", ["gaussian", "beta", "negative-binomial", "student-T", "deterministic-L1"])
def test_each_documented_likelihood_is_known_whatever_its_case(likelihood: str) -> None:
    assert parsed(likelihood=likelihood).likelihood == likelihood
    assert parsed(likelihood=likelihood.upper()).likelihood == likelihood


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("epochs", "0"),
        ("epochs", "-1"),
        ("epochs", "1_000"),
        ("epochs", "1,000"),
        ("epochs", "1e3"),
        ("epochs", "100.0"),
        ("epochs", "١٠"),  # Arabic digits, which int() takes
        ("epochs", "１００"),  # full-width digits of a Chinese keyboard, which int() takes
        ("epochs", ""),
        ("epochs", "auto"),
        ("prediction_length", "24h"),
        ("context_length", "None"),
        ("mini_batch_size", "true"),
        ("num_cells", "[40]"),
        ("num_layers", "2.5"),
        ("embedding_dimension", "0"),
        ("num_eval_samples", "0"),
        ("early_stopping_patience", "0"),
        ("learning_rate", "0"),
        ("learning_rate", "-0.001"),
        ("learning_rate", "nan"),
        ("learning_rate", "inf"),
        ("learning_rate", "0,001"),
        ("learning_rate", "0.00_1"),
        ("learning_rate", "０.００１"),
        ("dropout_rate", "1"),
        ("dropout_rate", "-0.1"),
        ("dropout_rate", "10%"),
        ("likelihood", "negative_binomial"),
        ("likelihood", "poisson"),
        ("cardinality", "[]"),
        ("cardinality", "[0]"),
        ("cardinality", "[2.0]"),
        ("cardinality", "[true]"),
        ("cardinality", "3"),
        ("cardinality", "[3"),
        ("num_dynamic_feat", "0"),
        ("num_dynamic_feat", "three"),
        ("test_quantiles", "[]"),
        ("test_quantiles", "0.5"),
        ("test_quantiles", "[0.0]"),
        ("test_quantiles", "[1.0]"),
        ("test_quantiles", "[NaN]"),
        ("test_quantiles", '["0.5"]'),
        ("test_quantiles", "0.1, 0.9"),
        ("time_freq", "H1"),
        ("time_freq", "hourly"),
        ("time_freq", "0H"),
        ("time_freq", ""),
    ],
)
def test_a_value_out_of_range_or_of_another_form_is_refused_by_name(name: str, text: str) -> None:
    message = refusal(REQUIRED | {name: text})
    assert message.startswith("ClientError: Unable to initialize the algorithm. Failed to validate hyperparameters. ")
    assert f"{name}: {text!r} is not " in message


@pytest.mark.parametrize("value", [24, 0.5, None, True, ["auto"]])
def test_a_hyperparameter_that_is_no_string_is_refused(value: object) -> None:
    assert "prediction_length" in refusal(REQUIRED | {"prediction_length": value})


@pytest.mark.parametrize("name", sorted(REQUIRED))
def test_each_required_hyperparameter_is_missed(name: str) -> None:
    given = {key: text for key, text in REQUIRED.items() if key != name}
    assert refusal(given).endswith(f"'{name}' is a required property")


def test_an_unknown_hyperparameter_is_refused_by_name() -> None:
    message = refusal(REQUIRED | {"num_cels": "10"})
    assert message.endswith("Additional properties are not allowed ('num_cels' was unexpected)")


def test_all_problems_are_named_at_once() -> None:
    message = refusal({"time_freq": "1H", "epochs": "many", "prediction_length": "24", "a": "1", "b": "2"})
    assert "Additional properties are not allowed ('a', 'b' were unexpected)" in message
    assert "epochs: 'many' is not a positive integer" in message
    assert "'context_length' is a required property" in message
    assert "prediction_length" not in message


def test_what_sagemaker_adds_by_itself_is_let_through() -> None:
    values = parsed(_tuning_objective_metric="test:RMSE", _kvstore="auto", _num_gpus="auto", _num_kv_servers="auto")
    assert values == parsed()


@pytest.mark.parametrize(("series", "batches"), [(1, 10), (320, 10), (321, 11), (352, 11), (353, 12)])
def test_an_epoch_is_one_pass_over_so_many_series_but_ten_batches_at_least(series: int, batches: int) -> None:
    assert parsed(mini_batch_size="32").batches_per_epoch(series) == batches
