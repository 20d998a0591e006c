"""Batch ids: the same for every try, different for every run, harmless in a key and in SQL."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace

import pytest
from metering import batches

NINE = datetime(2026, 1, 2, 9, tzinfo=UTC)


def test_a_batch_is_its_time_in_utc_and_a_digest_of_its_run() -> None:
    # printf 'manual__2026-01-02T09:00:00+00:00' | sha1sum
    assert batches.batch_id(NINE, "manual__2026-01-02T09:00:00+00:00") == "20260102T090000-2634b1"
    east = NINE.astimezone(timezone(timedelta(hours=8)))
    assert batches.batch_id(east, "manual__2026-01-02T09:00:00+00:00") == "20260102T090000-2634b1"


def test_two_runs_of_one_second_have_two_batches() -> None:
    assert batches.batch_id(NINE, "manual__1") != batches.batch_id(NINE, "manual__2")


def test_templates_get_the_batch_of_the_dag_run() -> None:
    dag_run = SimpleNamespace(run_after=NINE, run_id="manual__1")

    assert batches.batch_of(dag_run) == batches.batch_id(NINE, "manual__1")


@pytest.mark.parametrize("run_id", ["manual__1", "x'; DROP TABLE daily; --", "../../é"])
def test_every_batch_fits_the_pattern(run_id: str) -> None:
    batch = batches.batch_id(NINE, run_id)

    assert re.fullmatch(batches.BATCH_PATTERN, batch)
    assert batches.checked(batch) == batch


@pytest.mark.parametrize("text", ["", "20260102T090000", "20260102T090000-3fa2c1/../x", "20260102T090000-3fa2c1\n"])
def test_what_is_no_batch_is_refused(text: str) -> None:
    with pytest.raises(batches.BatchNameError):
        batches.checked(text)
