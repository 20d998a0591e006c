"""What is known of each statement sent to the Data API, kept for a day and over restarts.

A record is {"Id", "Sqls", "IsBatch", "Status", "CreatedAt", "UpdatedAt", "Database", "ClusterIdentifier", …,
"SubStatements": [{"Status", "Duration" in ns, "ResultRows", …}]} with the Data API's own names; one SubStatement per
SQL text, for a single statement as well.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from local_aws.redshift.results import Results
from local_aws.state import State

KIND = "redshift statement"
TOKEN_KIND = "redshift client token"  # noqa: S105 (a kind of documents)
# As long as Amazon keeps results and statements.
RETENTION = timedelta(hours=24)
SWEEP_EVERY = timedelta(hours=1)
OPEN = ("SUBMITTED", "PICKED", "STARTED")
STOPPED = "ERROR: local_aws was stopped while the statement ran"

Record = dict[str, Any]


class StatementStore:
    """Records of statements by id, and which client token made which."""

    def __init__(self, state: State, results: Results) -> None:
        self._state = state
        self._results = results
        self._lock = threading.Lock()
        self._swept = datetime.now(UTC)

    def add(self, record: Record, token: str | None) -> Record:
        """Store a new record, or return the one that the same client token made before."""
        with self._lock:
            if datetime.now(UTC) - self._swept > SWEEP_EVERY:
                self._sweep()
            known = self._state.get(TOKEN_KIND, token) if token else None
            former = self._state.get(KIND, known["Id"]) if known else None
            if former is not None:
                return former
            self._state.put(KIND, record["Id"], record)
            if token:
                self._state.put(TOKEN_KIND, token, {"Id": record["Id"], "CreatedAt": record["CreatedAt"]})
            return record

    def get(self, statement_id: str) -> Record | None:
        return self._state.get(KIND, statement_id)

    def newest_first(self) -> list[Record]:
        return sorted(self._state.list(KIND), key=lambda record: record["CreatedAt"], reverse=True)

    def change(self, statement_id: str, change: Callable[[Record], None]) -> Record:
        """Change a record in place, and its UpdatedAt; returns it."""

        def changed(record: Record | None) -> Record:
            if record is None:
                raise KeyError(statement_id)
            change(record)
            record["UpdatedAt"] = datetime.now(UTC)
            return record

        record = self._state.update(KIND, statement_id, changed)
        if record is None:
            raise KeyError(statement_id)
        return record

    def take_up(self) -> None:
        """After a start: what ran in the former process has failed, and what is too old is forgotten."""
        self._sweep()
        for record in self._state.list(KIND):
            if record["Status"] in OPEN:
                self.change(record["Id"], _fail_stopped)

    def _sweep(self) -> None:
        self._swept = datetime.now(UTC)
        oldest = self._swept - RETENTION
        for record in self._state.list(KIND):
            if record["CreatedAt"] < oldest:
                self._results.forget(record["Id"])
                self._state.delete(KIND, record["Id"])
        for key, token in self._state.items(TOKEN_KIND):
            if token["CreatedAt"] < oldest:
                self._state.delete(TOKEN_KIND, key)


def _fail_stopped(record: Record) -> None:
    record.update(Status="FAILED", Error=STOPPED)
    for part in record["SubStatements"]:
        if part["Status"] in OPEN:
            part.update(Status="FAILED" if part["Status"] == "STARTED" else "ABORTED")
