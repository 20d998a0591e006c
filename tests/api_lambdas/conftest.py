"""The handlers as Lambda would call them: their sample events, their environment, and a clock that runs out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import athena
import pytest

from api_lambdas.get_anomalies import handler as get_anomalies
from api_lambdas.get_consumption import handler as get_consumption
from api_lambdas.get_outages import handler as get_outages

LAMBDAS = Path(__file__).resolve().parents[2] / "api_lambdas"


class Context:
    """The part of Lambda's context that handlers use."""

    def __init__(self, seconds: float = 29.0) -> None:
        self.milliseconds = int(seconds * 1000)

    def get_remaining_time_in_millis(self) -> int:
        return self.milliseconds


@pytest.fixture
def event() -> Callable[..., dict[str, Any]]:
    """The sample event of get_consumption with other path parameters: event(year="2014")."""

    def changed(**path_parameters: str) -> dict[str, Any]:
        sample = json.loads((LAMBDAS / "get_consumption" / "event.json").read_text())
        sample["pathParameters"].update(path_parameters)
        return sample

    return changed


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Set variables of the environment for a handler whose caches are empty before and after the test."""
    caches = (
        get_consumption.Settings.from_environment,
        get_consumption.redshift_data,
        get_anomalies.Settings.from_environment,
        get_outages.Settings.from_environment,
        athena.client,
    )

    def set_variables(**variables: str) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    for cache in caches:
        cache.cache_clear()
    yield set_variables
    for cache in caches:
        cache.cache_clear()
