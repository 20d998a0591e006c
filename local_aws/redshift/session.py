"""A database session: connects, runs translated statements, can be cancelled from another thread."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from local_aws.redshift.access import Login
from local_aws.redshift.copy_load import CopyLoader
from local_aws.redshift.dialect import Statement
from local_aws.redshift.errors import StatementError
from local_aws.redshift.results import Results, register_text_types

FUNCTIONS = Path(__file__).with_name("functions.sql")
CONNECT_SECONDS = 10
ROWS_AT_ONCE = 5000
# Redshift's transactions read one snapshot, and fail when what they change was changed meanwhile. A cursor is always
# read to its end.
OPTIONS = " ".join(
    [
        r"-c search_path=\"$user\",public,redshift_functions",
        r"-c default_transaction_isolation=repeatable\ read",
        "-c cursor_tuple_fraction=1",
    ]
)


@dataclass(frozen=True)
class Outcome:
    """What a statement came to; rows is -1 where there is no number."""

    rows: int = -1
    size: int = 0
    has_result_set: bool = False


class Session:
    """One connection; its statements run in one transaction until `commit`."""

    def __init__(self, login: Login, loader: CopyLoader, results: Results) -> None:
        self._loader = loader
        self._results = results
        self._connection: psycopg.Connection[Any] = psycopg.connect(
            login.url,
            connect_timeout=CONNECT_SECONDS,
            cursor_factory=psycopg.RawCursor,
            application_name="redshift-data",
            options=OPTIONS,
        )
        try:
            register_text_types(self._connection.adapters)
            if login.user is not None:
                self._take_on(login.user)
        except BaseException:
            self._connection.close()
            raise

    @property
    def pid(self) -> int:
        """The process of PostgreSQL that serves this session."""
        return self._connection.info.backend_pid

    def run(self, statement: Statement, result_id: str) -> Outcome:
        """Run one statement; a result set is kept under result_id. Raises psycopg.Error or StatementError."""
        if statement.copy is not None:
            return Outcome(rows=self._loader.load(self._connection, statement.copy))
        if statement.outside_transaction:
            return self._run_outside_transaction(statement)
        # Without values the simple protocol is used, in which every statement can be sent.
        values = statement.values or None
        if statement.returns_rows:
            return self._keep(statement, result_id)
        with self._connection.cursor() as cursor:
            cursor.execute(statement.sql.encode(), values)
            rows = cursor.rowcount
        if statement.commits:
            self._connection.commit()
        return Outcome(rows=rows)

    def fetch(self, sql: str, values: list[str]) -> list[tuple[Any, ...]]:
        """The rows of a query in PostgreSQL's own SQL, $1 … bound."""
        with self._connection.cursor() as cursor:
            return cursor.execute(sql.encode(), values or None).fetchall()

    def commit(self) -> None:
        self._connection.commit()

    def cancel(self) -> None:
        """Ask PostgreSQL to stop what runs; safe from any thread."""
        self._connection.cancel_safe(timeout=CONNECT_SECONDS)

    def close(self) -> None:
        """End the session; what was not committed is rolled back."""
        self._connection.close()

    def _keep(self, statement: Statement, result_id: str) -> Outcome:
        """Read a result through a cursor of the server, so that it never lies in memory as a whole."""
        if not statement.is_query:  # EXPLAIN: few lines, and no cursor can be declared for it
            with self._connection.cursor() as cursor:
                cursor.execute(statement.sql.encode())
                return self._write(result_id, cursor)
        with psycopg.RawServerCursor(self._connection, "result") as rows:
            rows.itersize = ROWS_AT_ONCE
            rows.execute(statement.sql.encode(), statement.values or None)
            return self._write(result_id, rows)

    def _write(self, result_id: str, rows: psycopg.Cursor[Any] | psycopg.RawServerCursor[Any]) -> Outcome:
        count, size = self._results.write(result_id, rows.description or [], rows)
        return Outcome(count, size, has_result_set=True)

    def _run_outside_transaction(self, statement: Statement) -> Outcome:
        if self._connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
            raise StatementError(f"{statement.sql.split()[0]} cannot run inside a transaction block")
        self._connection.autocommit = True
        self._connection.execute(statement.sql.encode())
        self._connection.autocommit = False
        return Outcome()

    def _take_on(self, user: str) -> None:
        with self._connection.cursor() as cursor:
            if cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = $1", [user]).fetchone() is None:
                raise StatementError(f'user "{user}" does not exist')
            cursor.execute("SELECT set_config('session_authorization', $1, false)", [user])
        self._connection.commit()


class FunctionInstaller:
    """Puts Redshift's own functions into a database before its first session."""

    def __init__(self) -> None:
        self._done: set[str] = set()
        self._lock = threading.Lock()

    def install(self, superuser_url: str) -> None:
        """Once per database and process. Raises psycopg.Error."""
        with self._lock:
            if superuser_url in self._done:
                return
            with psycopg.connect(superuser_url, connect_timeout=CONNECT_SECONDS) as connection:
                # Two processes that replace the same function at once disturb each other.
                connection.execute("SELECT pg_advisory_xact_lock(hashtext('redshift_functions'))")
                connection.execute(FUNCTIONS.read_bytes())
            self._done.add(superuser_url)
