"""What is known of each query, kept over restarts: Athena's own QueryExecution document by id."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from local_aws.athena.errors import SYSTEM
from local_aws.athena.results import Results
from local_aws.state import State

KIND = "athena query execution"
TOKEN_KIND = "athena request token"  # noqa: S105 (a kind of documents)
# As long as Athena keeps its history.
RETENTION = timedelta(days=45)
OPEN = ("QUEUED", "RUNNING")
STOPPED = "INTERNAL_ERROR: local_aws was stopped while the query ran"

Document = dict[str, Any]


class ExecutionStore:
    """QueryExecution documents, and which request token made which."""

    def __init__(self, state: State, results: Results) -> None:
        self._state = state
        self._results = results
        self._lock = threading.Lock()

    def add(self, document: Document, token: str | None) -> Document:
        """Store a new query, or return the one that the same token made before."""
        with self._lock:
            known = self._state.get(TOKEN_KIND, token) if token else None
            former = self._state.get(KIND, known["QueryExecutionId"]) if known else None
            if former is not None:
                return former
            self._state.put(KIND, document["QueryExecutionId"], document)
            if token:
                self._state.put(TOKEN_KIND, token, {"QueryExecutionId": document["QueryExecutionId"]})
            return document

    def get(self, query_id: str) -> Document | None:
        return self._state.get(KIND, query_id)

    def newest_first(self) -> list[Document]:
        documents: list[Document] = self._state.list(KIND)
        return sorted(documents, key=lambda document: document["Status"]["SubmissionDateTime"], reverse=True)

    def change(self, query_id: str, change: Callable[[Document], None]) -> None:
        """Change a document in place."""

        def changed(document: Document | None) -> Document | None:
            if document is not None:
                change(document)
            return document

        self._state.update(KIND, query_id, changed)

    def finish(self, query_id: str, state: str, reason: str | None = None, category: int = SYSTEM) -> None:
        """Give an open query its end; one that has ended already stays as it is."""

        def end(document: Document) -> None:
            status = document["Status"]
            if status["State"] not in OPEN:
                return
            now = datetime.now(UTC)
            status |= {"State": state, "CompletionDateTime": now}
            if reason is not None:
                status["StateChangeReason"] = reason
            if state == "FAILED":
                status["AthenaError"] = {"ErrorCategory": category, "Retryable": False, "ErrorMessage": reason}
            total = int((now - status["SubmissionDateTime"]).total_seconds() * 1000)
            document["Statistics"]["TotalExecutionTimeInMillis"] = total

        self.change(query_id, end)

    def take_up(self) -> None:
        """After a start: what ran in the former process has failed, and what is too old is forgotten."""
        oldest = datetime.now(UTC) - RETENTION
        for document in self.newest_first():
            query_id = document["QueryExecutionId"]
            if document["Status"]["SubmissionDateTime"] < oldest:
                self._results.forget(query_id)
                self._state.delete(KIND, query_id)
            elif document["Status"]["State"] in OPEN:
                self.finish(query_id, "FAILED", STOPPED)
