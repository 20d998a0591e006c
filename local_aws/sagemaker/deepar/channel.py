"""The files of a data channel: JSON Lines (.json, .jsonl, also with .gz) or Parquet."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from local_aws.sagemaker.deepar.errors import ClientError
from local_aws.sagemaker.deepar.frequency import Frequency
from local_aws.sagemaker.deepar.series import Series, SeriesError

_JSON_LINES = (".json", ".jsonl", ".json.gz", ".jsonl.gz")
_PARQUET = ".parquet"


def read(folder: Path, name: str, frequency: Frequency) -> list[Series]:
    """All series of a channel, files in the order of their names. Raises ClientError, which names file and line."""
    if not folder.is_dir():
        raise ClientError(f"Unable to read data channel '{name}'. The channel was not given")
    found: list[Series] = []
    for file in sorted(folder.rglob("*")):
        # Spark leaves _SUCCESS and .crc files beside its output.
        if file.is_dir() or file.name.startswith(("_", ".")):
            continue
        for line, record in _records(file, name):
            try:
                found.append(Series.read(record, frequency))
            except SeriesError as error:
                raise _refusal(name, file, f"line {line}: {error}") from None
    if not found:
        raise ClientError(f"Unable to read data channel '{name}'. It holds no time series")
    return found


def _records(file: Path, channel: str) -> Iterator[tuple[int, Any]]:
    """The number of a line or row, from 1, and what it holds."""
    if file.name.endswith(_JSON_LINES):
        yield from _json_lines(file, channel)
    elif file.name.endswith(_PARQUET):
        yield from _parquet(file, channel)
    else:
        known = ", ".join((*_JSON_LINES, _PARQUET))
        raise _refusal(channel, file, f"its extension is none of {known}")


def _json_lines(file: Path, channel: str) -> Iterator[tuple[int, Any]]:
    opened = gzip.open if file.suffix == ".gz" else open
    try:
        with opened(file, "rt", encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield number, _json(line, number, file, channel)
    except (UnicodeDecodeError, EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise _refusal(channel, file, f"it is damaged: {error}") from None


def _json(line: str, number: int, file: Path, channel: str) -> Any:
    try:
        return json.loads(line)
    # ValueError: also for a number of more digits than int() takes.
    except (ValueError, RecursionError) as error:
        raise _refusal(channel, file, f"line {number}: Error when parsing json: {error}") from None


def _parquet(file: Path, channel: str) -> Iterator[tuple[int, Any]]:
    import pyarrow
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.read_table(file)
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise _refusal(channel, file, f"it is no Parquet file: {error}") from None
    for number, row in enumerate(table.to_pylist(), start=1):
        if isinstance(row.get("start"), datetime):
            row["start"] = row["start"].isoformat(sep=" ")
        yield number, row


def _refusal(channel: str, file: Path, problem: str) -> ClientError:
    return ClientError(f"Unable to read data channel '{channel}'. File {file.name}: {problem}")
