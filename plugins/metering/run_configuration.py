"""The check of a run's configuration: the JSON that the trigger form, the REST API or the command line gives a run.

Airflow hands a key that no Param has to the tasks as it is. Nobody reads it, so the run would do what it does by
default, and a slip such as `transfomer` would pass for success. DEFAULT_ARGS makes every task check the configuration
before it does anything: the first task of the run fails, whoever or whatever has started it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any


def require_known_keys(context: Mapping[str, Any]) -> None:
    """Raises AirflowFailException unless every key of the run's configuration is the name of a Param of its DAG.

    Airflow does not retry a task after that error, which would come again: the run keeps its configuration. A run by
    schedule or asset has none: its `conf` is empty or None.
    """
    from airflow.sdk.exceptions import AirflowFailException

    dag = context["dag"]
    unknown = sorted(set(context["dag_run"].conf or {}) - set(dag.params))
    if unknown:
        raise AirflowFailException(refusal(dag.dag_id, unknown, dag.params))


def refusal(dag_id: str, unknown: list[str], known: Iterable[str]) -> str:
    """Returns the message: the unknown keys, each with the known one that it resembles, and all known keys."""
    names = sorted(known)
    slips = ", ".join(_with_suggestion(key, names) for key in unknown)
    keys, right = ("a key", "right key") if len(unknown) == 1 else (f"{len(unknown)} keys", "right keys")
    again = f"with the {right}" if names else "without a configuration"
    return (
        f"This run's configuration has {keys} that {dag_id} does not know: {slips}. "
        f"Known keys: {', '.join(names) or 'none'}. Nothing was done. Trigger {dag_id} again {again}."
    )


def _with_suggestion(key: str, names: list[str]) -> str:
    """Returns the key, with the known one that resembles it most, if one does. Capital letters make no difference."""
    by_letters = {name.casefold(): name for name in names}
    nearest = difflib.get_close_matches(key.casefold(), by_letters, n=1)
    return f"{key} (did you mean {by_letters[nearest[0]]}?)" if nearest else key
