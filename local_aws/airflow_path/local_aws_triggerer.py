"""Airflow's triggerer, which goes on whatever its triggers report. Runs in Airflow's environment (.venv) only.

    python -m local_aws_triggerer triggerer [option …]

Airflow stores what a trigger reports in a column of type jsonb, where PostgreSQL refuses NUL characters and lone
surrogates. The triggerer ends at such an event, finds the same trigger in its database when it starts again, and ends
again. Here these characters are replaced before the event leaves the trigger's process, and the log says so. So a
database that holds such a trigger is mended by a start.
"""

from __future__ import annotations

import logging
import sys
from collections import deque
from traceback import format_exception
from typing import Any

from airflow.__main__ import main
from airflow.jobs.triggerer_job_runner import TriggerRunner
from airflow.triggers.base import TriggerEvent

log = logging.getLogger(__name__)
_changes = TriggerRunner.process_trigger_events


def storable(value: Any) -> Any:
    r"""Returns the value with NUL and lone surrogates in its texts written as escapes: \x00, \ud800."""
    if isinstance(value, str):
        return value.replace("\x00", r"\x00").encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, dict):
        return {storable(key): storable(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(storable(part) for part in value)
    return value


def storable_changes(runner: TriggerRunner, finished_ids: list[int]) -> Any:
    """Returns what the runner reports to the database, without what the database refuses."""
    runner.events = deque((number, storable_event(event)) for number, event in runner.events)
    runner.failed_triggers = deque((number, storable_error(error)) for number, error in runner.failed_triggers)
    return _changes(runner, finished_ids)


def storable_event(event: TriggerEvent) -> TriggerEvent:
    """Returns the event, or one that can be stored in its place."""
    if type(event) is not TriggerEvent or (payload := storable(event.payload)) == event.payload:
        return event
    log.warning("An event holds characters that the database refuses: %s", payload)
    return TriggerEvent(payload)


def storable_error(error: BaseException | None) -> BaseException | None:
    """Returns the error, or one with a trace that can be stored in its place."""
    trace = "".join(format_exception(error)) if error else ""
    if (text := storable(trace)) == trace:
        return error
    log.warning("The error of a trigger holds characters that the database refuses: %s", text)
    return RuntimeError(text)


TriggerRunner.process_trigger_events = storable_changes


if __name__ == "__main__":
    sys.argv[0] = "airflow"
    main()
