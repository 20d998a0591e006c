"""GluonTS's DeepAR network as the hyperparameters describe it."""

from __future__ import annotations

from typing import Any

import torch
from gluonts.time_feature import time_features_from_frequency_str
from gluonts.torch.distributions import (
    BetaOutput,
    DistributionOutput,
    NegativeBinomialOutput,
    NormalOutput,
    StudentTOutput,
)
from gluonts.torch.model.deepar.module import DeepARModel
from gluonts.torch.scaler import MeanScaler
from torch.distributions import Distribution, Laplace

from local_aws.sagemaker.deepar.data_rules import Features
from local_aws.sagemaker.deepar.hyperparameters import Hyperparameters

# A series that was silent or zero through the context is scaled as if it were at this share of an average one: its
# older values must not be divided by nothing.
LEAST_SCALE = 0.01
# The density of a beta distribution is zero or infinite at 0 and 1, which are valid values.
LEAST_SHARE = 1e-6

# Parameters that are no numbers any more shall give a loss that is none, which is looked at, not a ValueError.
Distribution.set_default_validate_args(False)


class ShareOutput(BetaOutput):
    """beta: of values from 0 to 1, both included."""

    def loss(self, target: torch.Tensor, *parameters: Any, **scaling: Any) -> torch.Tensor:
        values: torch.Tensor = super().loss(target.clamp(LEAST_SHARE, 1 - LEAST_SHARE), *parameters, **scaling)
        return values


class _Point(Laplace):
    """The loss of the absolute error; every sample is the point itself."""

    def rsample(self, sample_shape: Any = ()) -> torch.Tensor:
        return self.loc.expand(torch.Size(sample_shape) + self.loc.shape)


class PointOutput(DistributionOutput):
    """deterministic-L1: no distribution, but a point forecast with an absolute loss."""

    args_dim = {"loc": 1}  # noqa: RUF012 (GluonTS's way)

    @classmethod
    def domain_map(cls, loc: torch.Tensor) -> tuple[torch.Tensor]:
        return (loc.squeeze(-1),)

    def _base_distribution(self, distr_args: Any) -> _Point:
        (loc,) = distr_args
        return _Point(loc, torch.ones_like(loc))

    @property
    def event_shape(self) -> tuple[()]:
        return ()


OUTPUTS: dict[str, type[DistributionOutput]] = {
    "gaussian": NormalOutput,
    "beta": ShareOutput,
    "negative-binomial": NegativeBinomialOutput,
    "student-T": StudentTOutput,
    "deterministic-L1": PointOutput,
}


def build(hyperparameters: Hyperparameters, features: Features, average: float) -> DeepARModel:
    """The network with fresh weights. `average` is the mean absolute target of the training set."""
    frequency, cardinality = hyperparameters.time_freq.text, list(features.cardinality)
    calendar_and_age = len(time_features_from_frequency_str(frequency)) + 1
    network = DeepARModel(
        freq=frequency,
        context_length=hyperparameters.context_length,
        prediction_length=hyperparameters.prediction_length,
        num_feat_dynamic_real=calendar_and_age + features.num_dynamic_feat,
        num_feat_static_cat=max(1, len(cardinality)),
        cardinality=cardinality or [1],
        embedding_dimension=[hyperparameters.embedding_dimension if cardinality else 1] * max(1, len(cardinality)),
        num_layers=hyperparameters.num_layers,
        hidden_size=hyperparameters.num_cells,
        dropout_rate=hyperparameters.dropout_rate if hyperparameters.num_layers > 1 else 0.0,
        distr_output=OUTPUTS[hyperparameters.likelihood](),
        scaling=hyperparameters.likelihood != "beta",
    )
    if hyperparameters.likelihood != "beta":
        # Fixed numbers, not those of a batch: the forecast of a series must not depend on its neighbours.
        network.scaler = MeanScaler(dim=-1, keepdim=True, default_scale=average, minimum_scale=LEAST_SCALE * average)
    return network
