"""What the operators must know is told to their SNS topic: which task has failed for good, and where to look.

A message leaves the platform by e-mail, so it holds names of tasks and runs only, never a task's error text: that may
quote rows of a household. What a task tells by itself holds counts and dates.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

MOST_SUBJECT = 100  # characters that SNS takes

log = logging.getLogger(__name__)


def tell_operators(context: Mapping[str, Any], publish: Callable[[str, str], None] | None = None) -> None:
    """on_failure_callback: send the alert on a failed task."""
    tell(*alert(context), publish)


def tell(subject: str, message: str, publish: Callable[[str, str], None] | None = None) -> None:
    """Send a message. When it cannot be sent, the log says so, and the task goes on."""
    from airflow.providers.common.compat.sdk import AirflowException
    from airflow.sdk.exceptions import AirflowRuntimeError
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        (publish or _publish)(subject, message)
    except (AirflowException, AirflowRuntimeError, BotoCoreError, ClientError, KeyError, ValueError) as error:
        log.warning("The alert %r was not sent: %s", subject, error)


def alert(context: Mapping[str, Any]) -> tuple[str, str]:
    """Subject and text of the alert on a failed task."""
    task = context["ti"]
    exception = context.get("exception")
    kind = type(exception).__name__ if isinstance(exception, BaseException) else "unknown"
    log_url = getattr(task, "log_url", "in the grid of the DAG in the Airflow UI")
    subject = f"{task.dag_id}.{task.task_id} failed"[:MOST_SUBJECT]
    lines = [
        f"The task {task.task_id} of the DAG {task.dag_id} has failed; no further retry follows.",
        f"Run: {task.run_id}",
        f"Try: {task.try_number}",
        f"Kind of error: {kind}",
        f"Its log, with the message of the engine: {log_url}",
        "What to do: the section On failure of the DAG's page in the Airflow UI, and docs/runbook.md.",
    ]
    return subject, "\n".join(lines)


def _publish(subject: str, message: str) -> None:
    from airflow.providers.amazon.aws.hooks.sns import SnsHook
    from airflow.sdk import Variable

    topic = Variable.get("metering", deserialize_json=True)["alerts_topic_arn"]
    SnsHook().publish_to_target(topic, message, subject)
