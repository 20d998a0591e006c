"""Writes rejected rows into quarantine, as they came.

quarantine/batch=<batch>/<number>.parquet   the rejects of the delivery's file with this number; as in the clean zone
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import pyarrow as pa
import pyarrow.parquet as pq

from meter_data.lake.clean_zone import Source
from meter_data.lake.schemas import INSTANT, QUARANTINE
from meter_data.lake.store import ZSTD, Store

UNDECODABLE_BYTES = "undecodable_bytes"
# Rows and characters that are held before they are packed.
_ROWS_HELD, _CHARACTERS_HELD = 65_536, 16 * 1024 * 1024

# The row, its reason, its meter and its date (yyyyMMdd, UTC), the last two as far as they can be read.
Rejected = tuple[bytes | str, str, str | None, str | None]


def folder(clean_bucket: str, batch: str) -> str:
    """Returns the folder of a batch."""
    return f"s3://{clean_bucket}/quarantine/batch={batch}/"


class QuarantineFile:
    """A file of the quarantine, which is built in memory and written at once."""

    def __init__(self, uri: str, source: Source) -> None:
        self.uri = uri
        self.by_reason: Counter[str] = Counter()
        self._source = source
        self._sink = pa.BufferOutputStream()
        self._writer: pq.ParquetWriter | None = None
        self._held: list[Rejected] = []
        self._characters = 0

    def add(self, rejects: Iterable[Rejected]) -> None:
        """Adds rows in their order.

        A line that is no UTF-8 has the reason undecodable_bytes, whatever else is wrong with it; each of its bytes is
        written as the character of that number (ISO 8859-1), so that encoding it so gives the bytes again.
        """
        for line, reason, meter_id, date_str in rejects:
            text, reason = (line, reason) if isinstance(line, str) else _as_text(line, reason)
            self.by_reason[reason] += 1
            self._held.append((text, reason, meter_id, date_str))
            self._characters += len(text)
            if len(self._held) >= _ROWS_HELD or self._characters >= _CHARACTERS_HELD:
                self._pack()

    def write(self, store: Store) -> None:
        """Writes the file, if there are rejects."""
        self._pack()
        if self._writer:
            self._writer.close()
            store.write(self.uri, self._sink.getvalue())

    def _pack(self) -> None:
        if not self._held:
            return
        number = len(self._held)
        lines, reasons, meter_ids, dates = (pa.array(column, pa.string()) for column in zip(*self._held, strict=True))
        made = {
            "source_file": pa.repeat(pa.scalar(self._source.uri, pa.string()), number),
            "line": lines,
            "reason": reasons,
            "delivered_at": pa.repeat(pa.scalar(self._source.delivered_at * 1000, pa.int64()), number).cast(INSTANT),
            "meter_id": meter_ids,
            "date_str": dates,
        }
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._sink, QUARANTINE, compression=ZSTD)
        self._writer.write_table(pa.table([made[name] for name in QUARANTINE.names], schema=QUARANTINE))
        self._held, self._characters = [], 0


def _as_text(line: bytes, reason: str) -> tuple[str, str]:
    try:
        return line.decode("utf-8"), reason
    except UnicodeDecodeError:
        return line.decode("iso-8859-1"), UNDECODABLE_BYTES
