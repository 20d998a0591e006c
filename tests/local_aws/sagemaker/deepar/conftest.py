"""Small networks on series with a clear rhythm of the day: a training takes a second."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
import torch

with warnings.catch_warnings():
    # GluonTS proposes faster JSON libraries when it is imported.
    warnings.filterwarnings("ignore", category=UserWarning, module="gluonts")
    from local_aws.sagemaker.deepar import training
from local_aws.sagemaker.deepar.model import Model
from tests.local_aws.sagemaker.deepar.meters import LEVELS, day, hyperparameters, series

_HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if _HERE in item.path.parents:
            # Names of frequencies that pandas writes anew; an index that torch wants as a tuple.
            for category in ("FutureWarning", "UserWarning"):
                item.add_marker(pytest.mark.filterwarnings(f"ignore::{category}:gluonts"))


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def trained(one_thread: None) -> Model:
    """Knows meters of the levels 50 to 400 by ten days each; whole numbers, negative-binomial."""
    return training.train(hyperparameters(epochs="20"), [series(day(level, 240)) for level in LEVELS])[0]
