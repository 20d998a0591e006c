"""How patient the DAGs are: settings of the deployment, read from the environment when a DAG file is imported.

Poll intervals are no template fields of the operators, so that they cannot come from the Airflow variable. On MWAA the
startup script exports them; without it the defaults below hold, which suit AWS.

    METERING_POLL_SECONDS          one interval instead of the three defaults (job 60, crawler 5, query 10)
    METERING_MAX_WAIT_HOURS        how long a task waits for a job of Glue or SageMaker, 12
    METERING_TRANSFORM_TASKS       how many tasks start batch transforms at a time, 4
    METERING_RETRIES               how often a failed task is tried again, 2
    METERING_JOB_RETRIES           how often a failed job is, as METERING_RETRIES; a run of a job costs money
    METERING_RETRY_DELAY_SECONDS   wait before a retry, 300
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass


class SettingsError(ValueError):
    """A variable of the environment holds what its setting cannot take; the message names it."""


@dataclass(frozen=True)
class Settings:
    job_poll_seconds: int = 60
    crawl_poll_seconds: int = 5
    query_poll_seconds: int = 10
    max_wait_hours: int = 12
    transform_tasks: int = 4
    retries: int = 2
    job_retries: int = 2
    retry_delay_seconds: int = 300

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Settings:
        poll_seconds = _number(environ, "METERING_POLL_SECONDS", 0, least=1)
        retries = _number(environ, "METERING_RETRIES", cls.retries, least=0)
        return cls(
            job_poll_seconds=poll_seconds or cls.job_poll_seconds,
            crawl_poll_seconds=poll_seconds or cls.crawl_poll_seconds,
            query_poll_seconds=poll_seconds or cls.query_poll_seconds,
            max_wait_hours=_number(environ, "METERING_MAX_WAIT_HOURS", cls.max_wait_hours, least=1),
            transform_tasks=_number(environ, "METERING_TRANSFORM_TASKS", cls.transform_tasks, least=1),
            retries=retries,
            job_retries=_number(environ, "METERING_JOB_RETRIES", retries, least=0),
            retry_delay_seconds=_number(environ, "METERING_RETRY_DELAY_SECONDS", cls.retry_delay_seconds, least=1),
        )

    @property
    def job_poll_attempts(self) -> int:
        """How many polls of a job fill `max_wait_hours`."""
        return -(-self.max_wait_hours * 3600 // self.job_poll_seconds)


def _number(environ: Mapping[str, str], name: str, default: int, least: int) -> int:
    text = environ.get(name, "").strip()
    if not text:
        return default
    if not text.isdecimal() or int(text) < least:
        raise SettingsError(f"{name} must be a whole number, {least} or more, not {text!r}")
    return int(text)


SETTINGS = Settings.from_environment(os.environ)
