"""DuckDB as the engine of queries: one database in memory, S3 through the httpfs extension of its wheel."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from typing import Any
from urllib.parse import urlparse

import duckdb

from local_aws.settings import Settings

MEMORY = "1GB"
THREADS = 2

_BYTES_READ = """
SELECT coalesce(sum(TRY_CAST(map_extract_value(response.headers, 'Content-Length') AS BIGINT)), 0)
FROM duckdb_logs_parsed('HTTP') WHERE request.type = 'GET' AND connection_id = ?
"""


class Connection:
    """A query's connection; another thread may interrupt it."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection) -> None:
        self._cursor = cursor

    def execute(self, sql: str) -> tuple[list[tuple[str, str]], Iterator[list[tuple[Any, ...]]]]:
        """Run a query: ([(column, DuckDB's type)], its rows in chunks). Raises duckdb.Error."""
        self._cursor.execute(sql)
        columns = [(str(item[0]), str(item[1])) for item in self._cursor.description or []]
        return columns, iter(lambda: self._cursor.fetchmany(5000), [])

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """All rows of a small query. Raises duckdb.Error."""
        return self._cursor.execute(sql).fetchall()

    def interrupt(self) -> None:
        self._cursor.interrupt()

    def bytes_read(self) -> int:
        """Bytes that this connection has got from S3 so far."""
        connection_id = self._cursor.execute("SELECT current_connection_id()").fetchall()[0][0]
        return int(self._cursor.execute(_BYTES_READ, [connection_id]).fetchall()[0][0])


class Engine:
    """Opened at the first query; everything but S3 and its memory is closed to queries."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._database: duckdb.DuckDBPyConnection | None = None
        self._open = 0

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A connection for one query."""
        with self._lock:
            if self._database is None:
                self._database = self._start()
            cursor = self._database.cursor()
            self._open += 1
        try:
            yield Connection(cursor)
        finally:
            cursor.close()
            with self._lock:
                self._open -= 1
                if self._open == 0 and self._database is not None:
                    # The log of requests is kept in memory, and counts by connection.
                    self._database.execute("CALL truncate_duckdb_logs()")

    def close(self) -> None:
        with self._lock:
            if self._database is not None:
                self._database.close()
                self._database = None

    def _start(self) -> duckdb.DuckDBPyConnection:
        settings = self._settings
        config: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": MEMORY,
            "threads": str(THREADS),
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
        }
        database = duckdb.connect(":memory:", config=config)
        database.execute(f"LOAD '{_extension()}'")
        database.execute("SET TimeZone = 'UTC'")
        # Files of a folder may be written anew; and what was read must be counted.
        database.execute("SET enable_external_file_cache = false")
        database.execute("CALL enable_logging('HTTP')")
        database.execute(
            "CREATE SECRET (TYPE s3, PROVIDER config, URL_STYLE 'path', USE_SSL false,"
            f" KEY_ID '{settings.access_key}', SECRET '{settings.secret_key}',"
            f" ENDPOINT '{urlparse(settings.s3_url).netloc}', REGION '{settings.region}')"
        )
        database.execute("SET disabled_filesystems = 'LocalFileSystem'")
        database.execute("SET lock_configuration = true")
        return database


def _extension() -> str:
    """The path of httpfs in the wheel duckdb-extension-httpfs."""
    folder = files("duckdb_extension_httpfs")
    found = [str(path) for path in folder.rglob("httpfs.duckdb_extension")]  # type: ignore[attr-defined]
    return found[0]
