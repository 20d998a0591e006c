"""Writes rejected rows into quarantine, as they came.

quarantine/batch=<batch>/<number>.parquet   the rejects of the delivery's file with this number; as in the clean zone
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from meter_data.cleaning.clean_zone import Source
from meter_data.lake.calendar import MICROSECONDS
from meter_data.lake.schemas import INSTANT, QUARANTINE
from meter_data.lake.store import ZSTD, Store, growing_file
from meter_data.readers.judged import Rejects

UNDECODABLE_BYTES = "undecodable_bytes"
# Rows, and bytes of their lines, that are held before they are packed.
_ROWS_HELD, _BYTES_HELD = 65_536, 16 * 1024 * 1024


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
        self._held: list[pa.Table] = []
        self._rows, self._bytes = 0, 0

    def __enter__(self) -> QuarantineFile:
        return self

    def __exit__(self, *_: object) -> None:
        if self._writer:
            self._writer.close()
        self._sink.close()

    def add(self, found: Iterable[Rejects]) -> None:
        """Adds rows in their order.

        A line that is no UTF-8 has the reason undecodable_bytes, whatever else is wrong with it; each of its bytes is
        written as the character of that number (ISO 8859-1), so that encoding it so gives the bytes again.
        """
        for rejects in found:
            table = self._table(rejects)
            self._held.append(table)
            self._rows += table.num_rows
            self._bytes += table["line"].nbytes
            if self._rows >= _ROWS_HELD or self._bytes >= _BYTES_HELD:
                self._pack()

    def write(self, store: Store) -> None:
        """Writes the file, if there are rejects."""
        self._pack()
        if self._writer:
            self._writer.close()
            store.write(self.uri, self._sink)

    def _table(self, rejects: Rejects) -> pa.Table:
        number = len(rejects.lines)
        texts, reasons = _as_texts(rejects.lines, rejects.reasons)
        counts = pc.value_counts(reasons)
        self.by_reason.update(
            dict(zip(counts.field("values").to_pylist(), counts.field("counts").to_pylist(), strict=True))
        )
        delivered_at = pa.scalar(self._source.delivered_at * MICROSECONDS, pa.int64())
        made = {
            "source_file": pa.repeat(pa.scalar(self._source.uri, pa.string()), number),
            "line": texts,
            "reason": reasons,
            "delivered_at": pa.repeat(delivered_at, number).cast(INSTANT),
            "meter_id": rejects.meter_ids,
            "date_str": rejects.dates,
        }
        return pa.table([made[name] for name in QUARANTINE.names], schema=QUARANTINE)

    def _pack(self) -> None:
        if not self._rows:
            return
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._sink, QUARANTINE, compression=ZSTD)
        self._writer.write_table(pa.concat_tables(self._held))
        self._held, self._rows, self._bytes = [], 0, 0


def _as_texts(lines: Sequence[bytes | str], reasons: pa.StringArray) -> tuple[pa.StringArray, pa.StringArray]:
    try:
        return pa.array(lines, pa.binary()).cast(pa.string()), reasons
    except pa.ArrowInvalid:  # one of them is no UTF-8
        pairs = [_as_text(line, reason) for line, reason in zip(lines, reasons.to_pylist(), strict=True)]
        texts, given_reasons = zip(*pairs, strict=True)
        return pa.array(texts, pa.string()), pa.array(given_reasons, pa.string())


def _as_text(line: bytes | str, reason: str) -> tuple[str, str]:
    if isinstance(line, str):
        return line, reason
    try:
        return line.decode("utf-8"), reason
    except UnicodeDecodeError:
        return line.decode("iso-8859-1"), UNDECODABLE_BYTES
