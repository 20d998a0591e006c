"""Writes rejected rows into quarantine, as they came.

quarantine/batch=<batch>/<number>.parquet   the rejects of the delivery's file with this number; as in the clean zone
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from meter_data.cleaning.clean_zone import Source
from meter_data.lake.schemas import INSTANT, QUARANTINE
from meter_data.lake.store import ZSTD, Store, growing_file

UNDECODABLE_BYTES = "undecodable_bytes"
# Rows and characters that are held before they are packed.
_ROWS_HELD, _CHARACTERS_HELD = 65_536, 16 * 1024 * 1024

# The row, its reason, its meter and its date (yyyyMMdd, UTC), the last two as far as they can be read.
Rejected = tuple[bytes | str, str, str | None, str | None]


def folder(clean_bucket: str, batch: str) -> str:
    """Returns the folder of a batch."""
    return f"s3://{clean_bucket}/quarantine/batch={batch}/"


class QuarantineFile:
    """A file of the quarantine, which is written at once when all its rejects are there; to be used in `with`."""

    def __init__(self, uri: str, source: Source) -> None:
        self.uri = uri
        self.by_reason: Counter[str] = Counter()
        self._source = source
        self._sink = growing_file()
        self._writer: pq.ParquetWriter | None = None
        self._held: list[Rejected] = []
        self._characters = 0

    def __enter__(self) -> QuarantineFile:
        return self

    def __exit__(self, *_: object) -> None:
        if self._writer:
            self._writer.close()
        self._sink.close()

    def add(self, rejects: Iterable[Rejected]) -> None:
        """Adds rows in their order.

        A line that is no UTF-8 has the reason undecodable_bytes, whatever else is wrong with it; each of its bytes is
        written as the character of that number (ISO 8859-1), so that encoding it so gives the bytes again.
        """
        for reject in rejects:
            self._held.append(reject)
            self._characters += len(reject[0])
            if len(self._held) >= _ROWS_HELD or self._characters >= _CHARACTERS_HELD:
                self._pack()

    def write(self, store: Store) -> None:
        """Writes the file, if there are rejects."""
        self._pack()
        if self._writer:
            self._writer.close()
            store.write(self.uri, self._sink)

    def _pack(self) -> None:
        if not self._held:
            return
        number = len(self._held)
        lines, given_reasons, meter_ids, dates = zip(*self._held, strict=True)
        texts, reasons = _as_texts(lines, given_reasons)
        self.by_reason.update(reasons)
        made = {
            "source_file": pa.repeat(pa.scalar(self._source.uri, pa.string()), number),
            "line": texts,
            "reason": pa.array(reasons, pa.string()),
            "delivered_at": pa.repeat(pa.scalar(self._source.delivered_at * 1000, pa.int64()), number).cast(INSTANT),
            "meter_id": pa.array(meter_ids, pa.string()),
            "date_str": pa.array(dates, pa.string()),
        }
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._sink, QUARANTINE, compression=ZSTD)
        self._writer.write_table(pa.table([made[name] for name in QUARANTINE.names], schema=QUARANTINE))
        self._held, self._characters = [], 0


def _as_texts(lines: Sequence[bytes | str], reasons: Sequence[str]) -> tuple[pa.StringArray, Sequence[str]]:
    try:
        return pa.array(lines, pa.binary()).cast(pa.string()), reasons
    except pa.ArrowInvalid:  # one of them is no UTF-8
        pairs = [_as_text(line, reason) for line, reason in zip(lines, reasons, strict=True)]
        texts, reasons = zip(*pairs, strict=True)
        return pa.array(texts, pa.string()), reasons


def _as_text(line: bytes | str, reason: str) -> tuple[str, str]:
    if isinstance(line, str):
        return line, reason
    try:
        return line.decode("utf-8"), reason
    except UnicodeDecodeError:
        return line.decode("iso-8859-1"), UNDECODABLE_BYTES
