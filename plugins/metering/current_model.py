"""Which model serves: JSON documents in SSM parameters, read by DAGs, the REST API and the notebook.

    <prefix>/models/<endpoint>    the model of an endpoint
    <prefix>/current-model        the one that counts where nobody names an endpoint; written last

A record says everything a reader needs to ask the model and to understand its answers in kWh.
"""

from __future__ import annotations

import json
from typing import Any

# A parameter of tier Standard holds no more.
MOST_BYTES = 4096
MOST_SUPERSEDED = 5

Record = dict[str, Any]


class NoModelError(LookupError):
    """An endpoint was asked for that has no model."""


class RecordSizeError(ValueError):
    """A record is larger than a parameter holds."""


def current(ssm: Any, prefix: str) -> Record | None:
    """The current model; None before the first one is deployed."""
    return _read(ssm, f"{prefix}/current-model")


def of_endpoint(ssm: Any, prefix: str, endpoint_name: str) -> Record | None:
    """The model that was last deployed to an endpoint; None when none was."""
    return _read(ssm, f"{prefix}/models/{endpoint_name}")


def write(ssm: Any, prefix: str, record: Record) -> None:
    """Record the model of its endpoint, and then as the current one. Safe to repeat."""
    text = json.dumps(record, separators=(",", ":"))
    if len(text.encode()) > MOST_BYTES:
        raise RecordSizeError(f"The model's record has {len(text.encode())} bytes; a parameter holds {MOST_BYTES}.")
    for name in (f"{prefix}/models/{record['endpoint_name']}", f"{prefix}/current-model"):
        ssm.put_parameter(Name=name, Value=text, Type="String", Tier="Standard", Overwrite=True)


def superseded(name: str, before: Record | None) -> list[str]:
    """The models that `name` takes the place of at its endpoint, newest first; `before` is the endpoint's record.

    They stay in the record until a later model takes its place, so that those whose deletion failed are tried again.
    """
    if before is None:
        return []
    known = [before["model_name"], *before.get("superseded", [])]
    return [old for old in known if old != name][:MOST_SUPERSEDED]


def _read(ssm: Any, name: str) -> Record | None:
    try:
        answer = ssm.get_parameter(Name=name)
    except ssm.exceptions.ParameterNotFound:
        return None
    record: Record = json.loads(answer["Parameter"]["Value"])
    return record
