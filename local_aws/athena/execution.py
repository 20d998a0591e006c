"""Runs queries in the background, a few at a time."""

from __future__ import annotations

import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import duckdb
from botocore.exceptions import BotoCoreError, ClientError

from local_aws.athena.engine import Connection, Engine
from local_aws.athena.errors import SYSTEM, USER, QueryError
from local_aws.athena.execution_store import ExecutionStore
from local_aws.athena.results import Results
from local_aws.athena.translation import Query, Translator

AT_ONCE = 4
CANCELLED = "Query cancelled by user"


class Execution:
    """Queries that run, and their stopping."""

    def __init__(self, store: ExecutionStore, results: Results, translator: Translator, engine: Engine) -> None:
        self._store = store
        self._results = results
        self._translator = translator
        self._engine = engine
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="athena")
        self._lock = threading.Lock()
        self._running: dict[str, Connection] = {}
        self._log = logging.getLogger("local_aws.athena")

    def submit(self, query_id: str, query: Query, location: str) -> None:
        """Run a query and write its result to location (s3://…csv)."""
        self._pool.submit(self._run_logged, query_id, query, location)

    def stop_query(self, query_id: str) -> None:
        """End a query as CANCELLED; nothing happens to one that has ended."""
        self._store.finish(query_id, "CANCELLED", CANCELLED)
        with self._lock:
            connection = self._running.get(query_id)
            if connection is not None:
                connection.interrupt()

    def stop(self) -> None:
        """Interrupt what runs and wait for the threads."""
        with self._lock:
            for connection in self._running.values():
                connection.interrupt()
        self._pool.shutdown(cancel_futures=True)
        self._engine.close()

    def _run_logged(self, query_id: str, query: Query, location: str) -> None:
        try:
            self._run(query_id, query, location)
        except QueryError as error:
            self._store.finish(query_id, "FAILED", str(error), error.category)
        except duckdb.InterruptException:
            self._store.finish(query_id, "FAILED", "INTERNAL_ERROR: the query was interrupted", SYSTEM)
        except duckdb.OutOfMemoryException as error:
            self._store.finish(query_id, "FAILED", f"EXCEEDED_LOCAL_MEMORY_LIMIT: {error}", USER)
        except duckdb.Error as error:
            self._store.finish(query_id, "FAILED", f"{_name(error)}: {_sentence(error)}", USER)
        except (ClientError, BotoCoreError) as error:
            self._store.finish(query_id, "FAILED", f"HIVE_FILESYSTEM_ERROR: {error}", SYSTEM)
        except Exception as error:  # noqa: BLE001 (the edge of the thread: nobody else would see it)
            self._log.exception("query %s", query_id)
            self._store.finish(query_id, "FAILED", f"INTERNAL_ERROR: local_aws failed: {error}", SYSTEM)

    def _run(self, query_id: str, query: Query, location: str) -> None:
        with self._engine.connection() as connection:
            with self._lock:
                self._running[query_id] = connection
            try:
                if not self._begin(query_id):
                    return
                began = time.monotonic()
                sql = self._translator.translate(query, connection.rows)
                planned = time.monotonic()
                columns, chunks = connection.execute(sql)
                rows, size = self._results.write(query_id, location, columns, chunks)
                ended = time.monotonic()
                scanned = connection.bytes_read()
            finally:
                with self._lock:
                    del self._running[query_id]
        statistics = {
            "EngineExecutionTimeInMillis": round((ended - began) * 1000),
            "QueryPlanningTimeInMillis": round((planned - began) * 1000),
            "DataScannedInBytes": scanned,
        }
        measured = {"Rows": rows, "Bytes": size}

        def note(document: dict[str, Any]) -> None:
            document["Statistics"] |= statistics
            document["Output"] = measured

        self._store.change(query_id, note)
        self._store.finish(query_id, "SUCCEEDED")

    def _begin(self, query_id: str) -> bool:
        """Mark a query as running; False when it was stopped while it waited."""
        begun = False

        def begin(document: dict[str, Any]) -> None:
            nonlocal begun
            if document["Status"]["State"] == "QUEUED":
                document["Status"]["State"] = "RUNNING"
                begun = True

        self._store.change(query_id, begin)
        return begun


def _name(error: duckdb.Error) -> str:
    if isinstance(error, duckdb.ConversionException):
        return "INVALID_CAST_ARGUMENT"
    if isinstance(error, duckdb.CatalogException):
        return "FUNCTION_NOT_FOUND"
    if isinstance(error, duckdb.IOException | duckdb.HTTPException | duckdb.InvalidInputException):
        return "HIVE_CANNOT_OPEN_SPLIT"
    return (
        "SYNTAX_ERROR" if isinstance(error, duckdb.BinderException | duckdb.ParserException) else "GENERIC_USER_ERROR"
    )


def _sentence(error: duckdb.Error) -> str:
    """DuckDB's message without the excerpt of the translated query below it."""
    return " ".join(str(error).split("\n\nLINE ")[0].split())
