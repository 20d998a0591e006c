"""A trained model: its weights and what they were trained for, on disk and in memory; sampling."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from gluonts.torch.model.deepar.module import DeepARModel

from local_aws.sagemaker.deepar import data_rules, network, windows
from local_aws.sagemaker.deepar.data_rules import Features
from local_aws.sagemaker.deepar.hyperparameters import Hyperparameters
from local_aws.sagemaker.deepar.series import Series, SeriesError, Values

WEIGHTS, DESCRIPTION = "weights.pt", "description.json"


class Model:
    """Weights with hyperparameters and features; `average` is the mean absolute target of the training set."""

    def __init__(
        self, hyperparameters: Hyperparameters, features: Features, average: float, net: DeepARModel | None = None
    ) -> None:
        """Without a network: untrained weights, the same for the same seed of torch."""
        self.hyperparameters = hyperparameters
        self.features = features
        self.average = average
        self.network = net or network.build(hyperparameters, features, average)

    @classmethod
    def load(cls, folder: Path) -> Model:
        """Raises FileNotFoundError when the folder holds no model."""
        described = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
        features = described["features"] | {"cardinality": tuple(described["features"]["cardinality"])}
        hyperparameters = Hyperparameters.parse(described["hyperparameters"])
        model = cls(hyperparameters, Features(**features), described["average"])
        model.network.load_state_dict(torch.load(folder / WEIGHTS, weights_only=True))
        return model

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        torch.save(self.network.state_dict(), folder / WEIGHTS)
        described = {
            "hyperparameters": self.hyperparameters.given,
            "features": asdict(self.features),
            "average": self.average,
        }
        (folder / DESCRIPTION).write_text(json.dumps(described, indent=1), encoding="utf-8")

    @property
    def past_length(self) -> int:
        """Steps before the forecast that the network sees."""
        return int(self.network._past_length)

    def padded(self, series: Series) -> windows.Padded:
        return windows.pad(
            self.features.seen(series), self.past_length, self.hyperparameters.prediction_length,
            self.hyperparameters.time_freq,
        )  # fmt: skip

    def require(self, instance: Series) -> None:
        """Raises SeriesError when the instance does not fit what the model was trained with."""
        horizon = self.hyperparameters.prediction_length
        problem = data_rules.category_problem(instance, self.features) or data_rules.dynamic_problem(
            instance, self.features, len(instance) + horizon, "as long as 'target' and prediction_length together"
        )
        if problem:
            raise SeriesError(problem)

    def sample(self, instances: list[Series], number: int) -> Values:
        """Paths of the future, (instances, number, prediction_length).

        The paths of an instance depend on the model and on itself alone, not on the instances beside it.
        """
        weights = self._digest()
        paths = [
            self.sample_windows([(self.padded(instance), len(instance))], number, _seed(instance, weights.copy()))
            for instance in instances
        ]
        empty = np.zeros((0, number, self.hyperparameters.prediction_length), np.float32)
        return np.concatenate([empty, *paths])

    def sample_windows(self, chosen: list[tuple[windows.Padded, int]], number: int, seed: int) -> Values:
        """The same for many windows at once, which is several times faster; paths depend on the neighbours."""
        given = windows.inputs(chosen, self.past_length, self.hyperparameters.prediction_length)
        with _evaluating(self.network), torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            paths: Values = self.network(**given, num_parallel_samples=number).numpy()
        if self.hyperparameters.likelihood == "negative-binomial":
            # What is beyond 64 bit integers comes out of torch as a negative count.
            paths = np.where(paths < 0, np.float32(np.inf), paths)
        return paths

    def _digest(self) -> hashlib._Hash:
        digest = hashlib.sha256()
        for weights in self.network.state_dict().values():
            digest.update(weights.numpy().tobytes())
        return digest


def _seed(instance: Series, digest: hashlib._Hash) -> int:
    digest.update(f"{instance.start} {instance.categories}".encode())
    digest.update(instance.target.tobytes())
    if instance.dynamic is not None:
        digest.update(instance.dynamic.tobytes())
    return int.from_bytes(digest.digest()[:8], "big") >> 1


@contextmanager
def _evaluating(net: DeepARModel) -> Iterator[None]:
    trained = net.training
    net.eval()
    try:
        with torch.inference_mode():
            yield
    finally:
        net.train(trained)
