"""Names of what a DAG run makes: `batch` names its data, `run` one try of a Glue job.

Both become parts of S3 keys and, in COPY, of SQL text: they are made here and nowhere else, and hold nothing but
digits, lower-case hex, T, Z and hyphens.
"""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from typing import Any

BATCH_PATTERN = r"^[0-9TZ]{15,16}-[0-9a-f]{6}$"

# Templates. A clear keeps the batch and counts the try up: no try writes where an earlier one may be published.
BATCH = "{{ batch_of(dag_run) }}"
RUN = BATCH + "-{{ ti.try_number }}"


class BatchNameError(ValueError):
    """A text that is no batch id."""


def batch_id(run_after: datetime, run_id: str) -> str:
    """The batch of a DAG run, e.g. 20260102T090000-3fa2c1: its time (UTC) and a digest of its run id.

    The same for every task, try and clear of the run, and different for two runs of the same second.
    """
    digest = hashlib.sha1(run_id.encode(), usedforsecurity=False).hexdigest()[:6]
    return f"{run_after.astimezone(UTC):%Y%m%dT%H%M%S}-{digest}"


def batch_of(dag_run: Any) -> str:
    """The same, for templates: `dag_run` is that of the task's context."""
    return batch_id(dag_run.run_after, dag_run.run_id)


def checked(batch: str) -> str:
    """`batch` itself; BatchNameError when it does not look like one."""
    if not re.fullmatch(BATCH_PATTERN, batch):
        raise BatchNameError(f"{batch!r} is no batch. A batch looks like 20260102T090000-3fa2c1.")
    return batch
