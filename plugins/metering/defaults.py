"""What every task and every DAG has in common, said once. A DAG extends it in place; tests hold it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from metering import alerts, batches, paths, run_configuration
from metering.settings import SETTINGS

# Retries are for what passes by itself: a throttled call, a lost worker. Tasks whose error cannot pass set retries=0.
DEFAULT_ARGS: dict[str, Any] = {
    "owner": "metering",
    "retries": SETTINGS.retries,
    "retry_delay": timedelta(seconds=SETTINGS.retry_delay_seconds),
    "execution_timeout": timedelta(minutes=30),
    "on_failure_callback": alerts.tell_operators,
    # Each task checks it, not the first ones only: so no DAG can forget it, whatever its tasks and trigger rules are.
    "pre_execute": run_configuration.require_known_keys,
}

# One run at a time: a batch is published onto what the batch before has published.
DAG_OPTIONS: dict[str, Any] = {
    "default_args": DEFAULT_ARGS,
    "start_date": datetime(2026, 1, 1, tzinfo=UTC),
    "catchup": False,
    "max_active_runs": 1,
    "template_searchpath": str(paths.SQL),
    "user_defined_macros": {"batch_of": batches.batch_of},
}
