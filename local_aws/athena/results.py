"""Results: a CSV file on S3 as Athena writes it, and pages on disk for GetQueryResults.

The pages of a query lie in <folder>/<id>/: columns.json, and 0.json, 1.json … of PAGE_ROWS rows each.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from local_aws.athena.values import column_info, written

# The largest page of GetQueryResults.
PAGE_ROWS = 1000
SPOOL_BYTES = 8 << 20

Texts = list[str | None]


class Results:
    """Results of all queries."""

    def __init__(self, folder: Path, s3: Any) -> None:
        self._folder = folder
        self._s3 = s3

    def write(
        self, query_id: str, location: str, columns: list[tuple[str, str]], chunks: Iterable[Sequence[Sequence[object]]]
    ) -> tuple[int, int]:
        """Write the pages and the object at location (s3://…csv); returns the rows and the bytes of the CSV."""
        folder = self._folder / query_id
        folder.mkdir(parents=True, exist_ok=True)
        where = urlparse(location)
        count = 0
        with tempfile.SpooledTemporaryFile(SPOOL_BYTES) as file:
            file.write(_line([name for name, _ in columns]))
            for number, page in enumerate(_pages(chunks)):
                (folder / f"{number}.json").write_text(json.dumps(page))
                file.writelines(_line(row) for row in page)
                count += len(page)
            size = file.tell()
            file.seek(0)
            self._s3.upload_fileobj(file, where.netloc, where.path.lstrip("/"))
        infos = [column_info(name, kind) for name, kind in columns]
        (folder / "columns.json").write_text(json.dumps({"columns": infos, "rows": count}))
        return count, size

    def columns(self, query_id: str) -> dict[str, Any]:
        """{"columns": [ColumnInfo], "rows": n}."""
        head: dict[str, Any] = json.loads((self._folder / query_id / "columns.json").read_text())
        return head

    def rows(self, query_id: str, first: int, count: int) -> list[Texts]:
        """Up to `count` rows from `first`, which counts from 0 without the header."""
        rows: list[Texts] = []
        while len(rows) < count:
            place = first + len(rows)
            path = self._folder / query_id / f"{place // PAGE_ROWS}.json"
            if not path.exists():
                break
            page = json.loads(path.read_text())[place % PAGE_ROWS :]
            if not page:
                break
            rows += page[: count - len(rows)]
        return rows

    def forget(self, query_id: str) -> None:
        shutil.rmtree(self._folder / query_id, ignore_errors=True)


def _pages(chunks: Iterable[Sequence[Sequence[object]]]) -> Iterator[list[Texts]]:
    page: list[Texts] = []
    for chunk in chunks:
        for row in chunk:
            page.append([written(value) for value in row])
            if len(page) == PAGE_ROWS:
                yield page
                page = []
    if page:
        yield page


def _line(values: Sequence[str | None]) -> bytes:
    """Every value is quoted but null, which is nothing at all."""
    cells = ("" if value is None else '"' + value.replace('"', '""') + '"' for value in values)
    return (",".join(cells) + "\n").encode()
