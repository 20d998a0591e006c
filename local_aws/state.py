"""A small document store in one SQLite file: what the control plane must still know after a restart.

A document is a dict of JSON values; datetimes may stand anywhere in it. They are stored as ISO text and come back as
datetimes (a naive one is taken as UTC). Every change is committed when the call returns.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

Document = dict[str, Any]
Documents = list[Document]
KeyedDocuments = list[tuple[str, Document]]

_TAG = "$datetime"


class State:
    """Documents under (kind, key). Safe to use from several threads; one process writes at a time."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Created before SQLite opens it, so that it is never readable by others.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=30)
        with self._lock:
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=FULL")
            self._connection.execute(
                "CREATE TABLE IF NOT EXISTS documents"
                " (kind TEXT NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (kind, key)) WITHOUT ROWID"
            )

    def put(self, kind: str, key: str, document: Document) -> None:
        """Store the document, replacing one of the same kind and key."""
        body = json.dumps(document, default=_encode)
        with self._lock:
            self._connection.execute("INSERT OR REPLACE INTO documents VALUES (?, ?, ?)", (kind, key, body))

    def get(self, kind: str, key: str) -> Document | None:
        """A fresh copy of the document, or None."""
        with self._lock:
            row = self._connection.execute(
                "SELECT body FROM documents WHERE kind = ? AND key = ?", (kind, key)
            ).fetchone()
        return None if row is None else _decode(row[0])

    def delete(self, kind: str, key: str) -> bool:
        """Remove the document; False when there was none."""
        with self._lock:
            cursor = self._connection.execute("DELETE FROM documents WHERE kind = ? AND key = ?", (kind, key))
            return cursor.rowcount > 0

    def list(self, kind: str, prefix: str = "") -> Documents:
        """All documents of a kind whose key begins with prefix, in the order of their keys."""
        return [document for _, document in self.items(kind, prefix)]

    def items(self, kind: str, prefix: str = "") -> KeyedDocuments:
        """(key, document) of a kind whose key begins with prefix, in the order of their keys."""
        with self._lock:
            rows = self._connection.execute(
                "SELECT key, body FROM documents WHERE kind = ? AND substr(key, 1, ?) = ? ORDER BY key",
                (kind, len(prefix), prefix),
            ).fetchall()
        return [(key, _decode(body)) for key, body in rows]

    def update(self, kind: str, key: str, change: Callable[[Document | None], Document | None]) -> Document | None:
        """Read, change and write in one step. `change` gets the document or None; None from it deletes."""
        with self._lock:
            document = change(self.get(kind, key))
            if document is None:
                self.delete(kind, key)
            else:
                self.put(kind, key, document)
            return document

    def put_many(self, kind: str, documents: dict[str, Document]) -> None:
        """Store several documents of a kind, all or none."""
        rows = [(kind, key, json.dumps(document, default=_encode)) for key, document in documents.items()]
        with self.transaction():
            self._connection.executemany("INSERT OR REPLACE INTO documents VALUES (?, ?, ?)", rows)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Store all changes made inside together or, when an exception leaves the block, none of them.

        Other threads wait meanwhile, so that what is read inside is still true when it is written. An inner
        transaction joins the outer one.
        """
        with self._lock:
            if self._connection.in_transaction:
                yield
                return
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def close(self) -> None:
        with self._lock:
            self._connection.close()


def _encode(value: object) -> object:
    if isinstance(value, datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        return {_TAG: aware.astimezone(UTC).isoformat()}
    raise TypeError(f"a document holds JSON values and datetimes, not {type(value).__name__}")


def _decode(body: str) -> Document:
    return json.loads(body, object_hook=_restore)


def _restore(document: Document) -> Any:
    if len(document) == 1 and _TAG in document:
        return datetime.fromisoformat(document[_TAG])
    return document
