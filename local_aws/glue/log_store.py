"""Log groups, streams and events in one SQLite file, kept from growing without end.

A stream keeps its newest MOST_EVENTS events; a group keeps its streams for its retention (DEFAULT_RETENTION_DAYS when
none is set). Times are milliseconds since 1970 UTC, as in the API.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

MOST_EVENTS = 50_000
DEFAULT_RETENTION_DAYS = 14
LONGEST_MESSAGE = 256 * 1024

_SCHEMA = """
CREATE TABLE IF NOT EXISTS log_groups (
    name TEXT PRIMARY KEY, created INTEGER NOT NULL, retention_days INTEGER);
CREATE TABLE IF NOT EXISTS streams (
    id INTEGER PRIMARY KEY, group_name TEXT NOT NULL, name TEXT NOT NULL, created INTEGER NOT NULL,
    first_event INTEGER, last_event INTEGER, last_ingestion INTEGER, UNIQUE (group_name, name));
CREATE TABLE IF NOT EXISTS events (
    id INTEGER PRIMARY KEY AUTOINCREMENT, stream INTEGER NOT NULL, timestamp INTEGER NOT NULL,
    ingested INTEGER NOT NULL, message TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS events_by_stream ON events (stream, id);
"""

_EVENTS = """
SELECT id, stream, timestamp, ingested, message FROM events
WHERE stream IN (SELECT value FROM json_each(:streams)) AND id > :after
    AND (:before IS NULL OR id < :before)
    AND (:start IS NULL OR timestamp >= :start)
    AND (:end IS NULL OR timestamp < :end)
"""
_OLDEST_EVENTS = _EVENTS + "ORDER BY id LIMIT :limit"
_NEWEST_EVENTS = _EVENTS + "ORDER BY id DESC LIMIT :limit"


@dataclass(frozen=True)
class Group:
    name: str
    created: int
    retention_days: int | None


@dataclass(frozen=True)
class Stream:
    id: int
    name: str
    created: int
    first_event: int | None
    last_event: int | None
    last_ingestion: int | None


@dataclass(frozen=True)
class Event:
    id: int
    stream: str
    timestamp: int
    ingested: int
    message: str


class LogStore:
    """Safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=30)
        with self._lock:
            self._connection.execute("PRAGMA journal_mode=WAL")
            # A line lost when the machine itself dies does no harm; a flush for every line would.
            self._connection.execute("PRAGMA synchronous=OFF")
            self._connection.executescript(_SCHEMA)

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def create_group(self, name: str) -> bool:
        """False when it exists."""
        return self._change("INSERT OR IGNORE INTO log_groups VALUES (?, ?, NULL)", (name, now()))

    def create_stream(self, group: str, name: str) -> bool:
        """False when it exists. Streams of the group whose retention is over are removed."""
        self._expire(group)
        return self._change(
            "INSERT OR IGNORE INTO streams (group_name, name, created) VALUES (?, ?, ?)", (group, name, now())
        )

    def open_stream(self, group: str, name: str) -> int:
        """The stream's id; group and stream are made where they are missing."""
        self.create_group(group)
        self.create_stream(group, name)
        return self._rows("SELECT id FROM streams WHERE group_name = ? AND name = ?", (group, name))[0][0]

    def put(self, stream: int, events: Sequence[tuple[int, str]]) -> None:
        """Append (timestamp, message) pairs, in the order given."""
        if not events:
            return
        ingested = now()
        rows = [(stream, timestamp, ingested, message[:LONGEST_MESSAGE]) for timestamp, message in events]
        first, last = min(row[1] for row in rows), max(row[1] for row in rows)
        with self._lock:
            self._connection.execute("BEGIN")
            self._connection.executemany(
                "INSERT INTO events (stream, timestamp, ingested, message) VALUES (?, ?, ?, ?)", rows
            )
            self._connection.execute(
                "UPDATE streams SET first_event = min(coalesce(first_event, ?), ?),"
                " last_event = max(coalesce(last_event, ?), ?), last_ingestion = ? WHERE id = ?",
                (first, first, last, last, ingested, stream),
            )
            self._connection.execute(
                "DELETE FROM events WHERE stream = :stream AND id <="
                " (SELECT id FROM events WHERE stream = :stream ORDER BY id DESC LIMIT 1 OFFSET :kept)",
                {"stream": stream, "kept": MOST_EVENTS},
            )
            self._connection.execute("COMMIT")

    def groups(self, prefix: str = "") -> list[Group]:
        rows = self._rows("SELECT * FROM log_groups WHERE substr(name, 1, ?) = ? ORDER BY name", (len(prefix), prefix))
        return [Group(*row) for row in rows]

    def group(self, name: str) -> Group | None:
        rows = self._rows("SELECT * FROM log_groups WHERE name = ?", (name,))
        return Group(*rows[0]) if rows else None

    def streams(self, group: str, prefix: str = "") -> list[Stream]:
        rows = self._rows(
            "SELECT id, name, created, first_event, last_event, last_ingestion FROM streams"
            " WHERE group_name = ? AND substr(name, 1, ?) = ? ORDER BY name",
            (group, len(prefix), prefix),
        )
        return [Stream(*row) for row in rows]

    def stream(self, group: str, name: str) -> Stream | None:
        return next((stream for stream in self.streams(group, name) if stream.name == name), None)

    def set_retention(self, group: str, days: int | None) -> None:
        self._change("UPDATE log_groups SET retention_days = ? WHERE name = ?", (days, group))

    def delete_group(self, name: str) -> bool:
        for stream in self.streams(name):
            self.delete_stream(name, stream.name)
        return self._change("DELETE FROM log_groups WHERE name = ?", (name,))

    def delete_stream(self, group: str, name: str) -> bool:
        stream = self.stream(group, name)
        if stream is None:
            return False
        self._change("DELETE FROM events WHERE stream = ?", (stream.id,))
        return self._change("DELETE FROM streams WHERE id = ?", (stream.id,))

    def events(
        self,
        streams: Iterable[Stream],
        *,
        start: int | None = None,
        end: int | None = None,
        after: int = 0,
        before: int | None = None,
        limit: int = 10_000,
        newest: bool = False,
    ) -> list[Event]:
        """Events with start <= timestamp < end and after < id < before, oldest first: the first `limit` of them, or
        the last with `newest`."""
        names = {stream.id: stream.name for stream in streams}
        values = {
            "streams": json.dumps(list(names)),
            "after": after,
            "before": before,
            "start": start,
            "end": end,
            "limit": limit,
        }
        rows = self._rows(_NEWEST_EVENTS if newest else _OLDEST_EVENTS, values)
        found = [Event(row[0], names[row[1]], row[2], row[3], row[4]) for row in rows]
        return found[::-1] if newest else found

    def _expire(self, group: str) -> None:
        known = self.group(group)
        days = known.retention_days if known and known.retention_days else DEFAULT_RETENTION_DAYS
        oldest = now() - days * 86_400_000
        for stream in self.streams(group):
            if (stream.last_ingestion or stream.created) < oldest:
                self.delete_stream(group, stream.name)

    def _change(self, sql: str, values: Sequence[object]) -> bool:
        with self._lock:
            return self._connection.execute(sql, values).rowcount > 0

    def _rows(self, sql: str, values: Sequence[object] | dict[str, object]) -> list[tuple]:
        with self._lock:
            return self._connection.execute(sql, values).fetchall()


def now() -> int:
    """Milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000
