"""Transformers, chosen by name: each knows the layouts of one kind of meter file. Adding one means adding one module.

A transformer module has

    HEADERS     the headers it knows: tuples of column names without surrounding spaces, in the order of the file
    transform   (fields: DataFrame) -> DataFrame, a pure function

`fields` has a string column for every column of the header, as it stands in the file, null where a row is too short,
and columns of the job, which are carried along. The answer has the columns of zones.schemas.READING in their place and
REASON: null for a reading, or why the row is none (snake_case). Times are UTC, values kWh.

What the jobs share beside that lies in the package `zones`.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:  # the package also holds modules that need no Spark, which jobs without Spark import
    from pyspark.sql import DataFrame


class Transformer(Protocol):
    """A module of this package."""

    HEADERS: Sequence[tuple[str, ...]]

    def transform(self, fields: DataFrame) -> DataFrame: ...


class UnknownTransformerError(ValueError):
    """There is no transformer of this name."""


def names() -> list[str]:
    """The transformers there are."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.ispkg)


def load(name: str) -> Transformer:
    """The transformer of that name; UnknownTransformerError says which there are."""
    if name not in names():
        raise UnknownTransformerError(
            f"There is no transformer {name!r}; there are: {', '.join(names())}. Correct the parameter transformer of "
            "the run, or LandingzoneTransformer of the deployment, or add the module to include/glue/transformers."
        )
    return cast(Transformer, importlib.import_module(f"{__name__}.{name}"))
