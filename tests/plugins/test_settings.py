"""Settings from the environment: defaults that suit AWS, and a message for a bad value."""

from __future__ import annotations

import pytest
from metering.settings import Settings, SettingsError


def test_without_variables_the_intervals_are_those_of_the_provider_and_a_job_may_take_hours() -> None:
    settings = Settings.from_environment({})

    assert (settings.job_poll_seconds, settings.crawl_poll_seconds, settings.query_poll_seconds) == (60, 5, 10)
    assert settings.job_poll_attempts == 12 * 60
    assert (settings.retries, settings.job_retries, settings.retry_delay_seconds) == (2, 2, 300)


def test_one_interval_serves_all_waiting() -> None:
    settings = Settings.from_environment({"METERING_POLL_SECONDS": "2", "METERING_MAX_WAIT_HOURS": "1"})

    assert (settings.job_poll_seconds, settings.crawl_poll_seconds, settings.query_poll_seconds) == (2, 2, 2)
    assert settings.job_poll_attempts == 1800


def test_the_last_poll_is_not_before_the_end_of_the_wait() -> None:
    assert Settings(job_poll_seconds=7, max_wait_hours=1).job_poll_attempts == 515  # 514 x 7 s are 2 s short of an hour


def test_retries_can_be_switched_off_for_all_or_for_jobs_alone() -> None:
    none = Settings.from_environment({"METERING_RETRIES": "0"})
    of_jobs = Settings.from_environment({"METERING_JOB_RETRIES": "0"})

    assert (none.retries, none.job_retries) == (0, 0)
    assert (of_jobs.retries, of_jobs.job_retries) == (2, 0)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("METERING_POLL_SECONDS", "0"),
        ("METERING_POLL_SECONDS", "1.5"),
        ("METERING_MAX_WAIT_HOURS", "-1"),
        ("METERING_RETRIES", "often"),
    ],
)
def test_a_bad_value_is_named(name: str, text: str) -> None:
    with pytest.raises(SettingsError, match=f"{name} must be a whole number"):
        Settings.from_environment({name: text})
