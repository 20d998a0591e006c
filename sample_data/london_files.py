"""The bytes of London's meter files: three layouts, padded values, stamps with seven decimals.

A value is written as the original database wrote its 4-byte floats, seven decimals without trailing zeros: 0.219, but
2.7049999 for 2.705. All 977,614 values of the real sample come out byte for byte.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sample_data.conditions import SLOTS

MAIN_FUSE_WH = 11_500  # 100 A at 230 V for half an hour
Texts = NDArray[np.object_]


@dataclass(frozen=True)
class Identity:
    """What a file says of a meter beside its readings."""

    meter_id: str
    tariff: str  # Std or ToU
    acorn: str  # ACORN-A to ACORN-Q, ACORN-U
    acorn_grouped: str


@dataclass(frozen=True)
class Layout:
    """A kind of file. `{…}` in `before` and `after` name fields of Identity."""

    file_name: str
    header: str
    before: str
    after: str
    newline: bytes

    def around(self, identity: Identity) -> tuple[bytes, bytes]:
        """What stands before and behind `stamp,value` in a row of this meter."""
        return self.before.format(**vars(identity)).encode(), self.after.format(**vars(identity)).encode()


OFFICIAL = Layout(
    file_name="LCL-generated_{number}.csv",
    header="LCLid,stdorToU,DateTime,KWH/hh (per half hour) ",
    before="{meter_id},{tariff},",
    after="",
    newline=b"\r\n",
)
WITH_ACORN = Layout(
    file_name="LCL-generated-withAcorn_{number}.csv",
    header="LCLid,stdorToU,DateTime,KWH/hh (per half hour) ,Acorn,Acorn_grouped",
    before="{meter_id},{tariff},",
    after=",{acorn},{acorn_grouped}",
    newline=b"\r\n",
)
KAGGLE = Layout(
    file_name="block-generated_{number}.csv",
    header="LCLid,tstp,energy(kWh/hh)",
    before="{meter_id},",
    after="",
    newline=b"\n",
)
# Of any three files in a row each layout has one, so that even the smallest fleet has them all.
LAYOUTS = (OFFICIAL, WITH_ACORN, KAGGLE)


class MeterFiles:
    """Writes rows to files of `rows_each` rows; a household that does not fit goes on in the next file."""

    def __init__(self, folder: Path, rows_each: int, compress: bool = False) -> None:
        self.folder = folder
        self.rows_each = rows_each
        self.compress = compress
        self.written: list[tuple[Path, int]] = []
        self._parts: list[bytes] = []
        self._rows = 0

    def add(self, identity: Identity, rows: list[bytes]) -> Iterator[tuple[Path, int]]:
        """Take the rows (`stamp,value`) of one meter; yields each file (path, rows) that they filled."""
        begin = 0
        while begin < len(rows):
            taken = rows[begin : begin + self.rows_each - self._rows]
            before, after = self._layout.around(identity)
            between = after + self._layout.newline + before
            self._parts.append(before + between.join(taken) + after + self._layout.newline)
            self._rows += len(taken)
            begin += len(taken)
            if self._rows == self.rows_each:
                yield self._close()

    def finish(self) -> Iterator[tuple[Path, int]]:
        if self._rows:
            yield self._close()

    @property
    def _layout(self) -> Layout:
        return LAYOUTS[len(self.written) % len(LAYOUTS)]

    def _close(self) -> tuple[Path, int]:
        layout = self._layout
        data = layout.header.encode() + layout.newline + b"".join(self._parts)
        path = self.folder / layout.file_name.format(number=len(self.written))
        if self.compress:
            path = path.with_name(f"{path.name}.gz")
            data = gzip.compress(data, compresslevel=6, mtime=0)
        path.write_bytes(data)
        self.written.append((path, self._rows))
        self._parts, self._rows = [], 0
        return self.written[-1]


def remove_generated(folder: Path) -> None:
    """Take away the files of an earlier fleet; files with other names are left alone."""
    for layout in LAYOUTS:
        for path in folder.glob(layout.file_name.format(number="*") + "*"):
            path.unlink()


def stamps(start: date, days: int) -> Texts:
    """The time of each half hour as it stands in a file, with the comma behind it; shape (days × SLOTS,)."""
    midnight = datetime.combine(start, time())
    moments = (midnight + timedelta(minutes=30 * slot) for slot in range(days * SLOTS))
    return np.array([stamp(moment) for moment in moments], dtype=object)


def stamp(moment: datetime) -> bytes:
    return f"{moment:%Y-%m-%d %H:%M:%S}.0000000,".encode()


def value_texts() -> Texts:
    """The padded text of every value that a meter can count, by watt-hours."""
    kilowatt_hours = np.arange(MAIN_FUSE_WH + 1, dtype=np.float32) / np.float32(1000)
    return np.array([value_text(float(value)) for value in kilowatt_hours], dtype=object)


def value_text(kwh: float) -> bytes:
    return b" %b " % (b"%.7f" % np.float32(kwh)).rstrip(b"0").rstrip(b".")
