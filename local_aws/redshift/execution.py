"""Runs statements in the background: a session per request, all of a batch in one transaction."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg

from local_aws.redshift.access import Access, Login
from local_aws.redshift.copy_load import CopyLoader
from local_aws.redshift.dialect import translate
from local_aws.redshift.errors import StatementError, message
from local_aws.redshift.results import Results
from local_aws.redshift.session import FunctionInstaller, Session
from local_aws.redshift.statement_store import OPEN, Record, StatementStore

AT_ONCE = 16


class Execution:
    """Sessions that run, and their cancelling."""

    def __init__(self, store: StatementStore, results: Results, access: Access, loader: CopyLoader) -> None:
        self._store = store
        self._results = results
        self._access = access
        self._loader = loader
        self._functions = FunctionInstaller()
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="redshift")
        self._lock = threading.Lock()
        self._sessions: dict[str, Session] = {}
        self._cancelled: set[str] = set()
        self._log = logging.getLogger("local_aws.redshift")

    def submit(self, record: Record, login: Login) -> None:
        self._pool.submit(self._run_logged, record, login)

    def open_session(self, login: Login, database: str) -> Session:
        """Connect, Redshift's functions at hand. Raises psycopg.Error or StatementError."""
        self._functions.install(self._access.superuser_url(database))
        return Session(login, self._loader, self._results)

    def cancel(self, statement_id: str) -> None:
        """Let a statement end as ABORTED: at once if it waits, as soon as PostgreSQL stops if it runs."""
        with self._lock:
            self._cancelled.add(statement_id)
            session = self._sessions.get(statement_id)
        if session is not None:
            with contextlib.suppress(psycopg.Error):  # it ended meanwhile
                session.cancel()

    def stop(self) -> None:
        """Cancel what runs and wait for the threads."""
        with self._lock:
            running = list(self._sessions)
        for statement_id in running:
            self.cancel(statement_id)
        self._pool.shutdown(cancel_futures=True)

    def _run_logged(self, record: Record, login: Login) -> None:
        try:
            self._run(record, login)
        except Exception as error:  # noqa: BLE001 (the edge of the thread: nobody else would see it)
            self._log.exception("statement %s", record["Id"])
            text = f"ERROR: local_aws failed: {type(error).__name__}: {error}"
            self._end(record["Id"], "FAILED", text)

    def _run(self, record: Record, login: Login) -> None:
        statement_id = record["Id"]
        if self._is_cancelled(statement_id):
            self._end(statement_id, "ABORTED", None)
            return
        try:
            session = self.open_session(login, record["Database"])
        except (psycopg.Error, StatementError) as error:
            self._end(statement_id, "FAILED", message(error))
            return
        with self._lock:
            self._sessions[statement_id] = session
        try:
            self._store.change(statement_id, lambda record: record.update(Status="STARTED", RedshiftPid=session.pid))
            self._run_all(record, session)
        finally:
            with self._lock:
                del self._sessions[statement_id]
            session.close()

    def _run_all(self, record: Record, session: Session) -> None:
        statement_id = record["Id"]
        number = 0
        try:
            for number in range(1, len(record["Sqls"]) + 1):
                if self._is_cancelled(statement_id):
                    self._end(statement_id, "ABORTED", None)
                    return
                self._run_one(record, session, number)
            session.commit()
        except (psycopg.Error, StatementError) as error:
            if self._is_cancelled(statement_id):
                self._end(statement_id, "ABORTED", None)
                return
            text = message(error)
            self._end(
                statement_id, "FAILED", f"Query #{number} failed with {text}" if record["IsBatch"] else text, text
            )
            return
        self._end(statement_id, "FINISHED", None)

    def _run_one(self, record: Record, session: Session, number: int) -> None:
        statement_id = record["Id"]
        parameters = {item["name"]: item["value"] for item in record.get("QueryParameters", [])}

        def begin(record: Record) -> None:
            record["SubStatements"][number - 1].update(Status="STARTED", RedshiftPid=session.pid)

        self._store.change(statement_id, begin)
        began = time.monotonic_ns()
        try:
            statement = translate(record["Sqls"][number - 1], parameters)
            outcome = session.run(statement, f"{statement_id}:{number}")
        finally:
            duration = time.monotonic_ns() - began
            self._store.change(
                statement_id, lambda record: record["SubStatements"][number - 1].update(Duration=duration)
            )

        def finish(record: Record) -> None:
            record["SubStatements"][number - 1].update(
                Status="FINISHED",
                HasResultSet=outcome.has_result_set,
                ResultRows=outcome.rows,
                ResultSize=outcome.size,
            )

        self._store.change(statement_id, finish)

    def _end(self, statement_id: str, status: str, error: str | None, part_error: str | None = None) -> None:
        def end(record: Record) -> None:
            record["Status"] = status
            if error is not None:
                record["Error"] = error
            for part in record["SubStatements"]:
                if part["Status"] == "STARTED":
                    part["Status"] = status
                    if status == "FAILED":
                        part["Error"] = part_error or error
                elif part["Status"] in OPEN:
                    # A batch that cannot even connect fails as a whole; what comes after a failure is not run.
                    part["Status"] = "ABORTED"

        self._store.change(statement_id, end)
        with self._lock:
            self._cancelled.discard(statement_id)

    def _is_cancelled(self, statement_id: str) -> bool:
        with self._lock:
            return statement_id in self._cancelled
