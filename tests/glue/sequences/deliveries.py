"""What sequences are made of: meter files, runs, and where they are interrupted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tests.glue.deliveries import KAGGLE, OFFICIAL

# Eighths are exact as binary fractions, in any order of summing.
EIGHTHS = 8


@dataclass(frozen=True)
class Row:
    """A reading; without a value an error reading."""

    meter: str
    moment: datetime
    eighths: int | None

    @property
    def value(self) -> float | None:
        return None if self.eighths is None else self.eighths / EIGHTHS

    @property
    def day(self) -> str:
        return f"{self.moment:%Y%m%d}"


@dataclass(frozen=True)
class BadRow:
    """A row that is refused. With `is_attributed` its meter and day can be read, else nothing of it."""

    meter: str
    moment: datetime
    is_attributed: bool

    @property
    def day(self) -> str:
        return f"{self.moment:%Y%m%d}"


@dataclass(frozen=True)
class MeterFile:
    """Rows under a header. Rows may contradict one another."""

    rows: tuple[Row | BadRow, ...]
    has_tariff: bool = False

    def content(self) -> bytes:
        header = OFFICIAL if self.has_tariff else KAGGLE
        lines = [header, *(self._line(row) for row in self.rows)]
        return "".join(f"{line}\r\n" for line in lines).encode()

    def _line(self, row: Row | BadRow) -> str:
        if isinstance(row, BadRow) and not row.is_attributed:
            return "no reading at all"
        text = "-1" if isinstance(row, BadRow) else "Null" if row.value is None else repr(row.value)
        tariff = "Std," if self.has_tariff else ""
        return f"{row.meter},{tariff}{row.moment:%Y-%m-%d %H:%M:%S}.0000000,{text}"


@dataclass(frozen=True)
class NewFile:
    """A file of its own, under a new name or (`replaces`) under that of an earlier one."""

    file: MeterFile
    replaces: int | None = None


@dataclass(frozen=True)
class SameBytes:
    """An earlier file once more, under a new name or its own."""

    earlier: int
    own_name: bool


@dataclass(frozen=True)
class SameReadings:
    """The readings of an earlier file in another one, upside down; with other values, as far as there are any."""

    earlier: int
    eighths: tuple[int | None, ...] = ()


Delivered = NewFile | SameBytes | SameReadings

KILL, ARRIVAL = "kill", "arrival"
AGAIN, CLEARED, LATER, NEVER = "again", "cleared", "later", "never"


@dataclass(frozen=True)
class Interruption:
    """What happens at a point of a step: a kill, or files arrive.

    `after`: the step is tried again; the run is cleared from a step before it; it waits; it is never looked at again.
    """

    step: int
    point: int
    what: str = KILL
    after: str = AGAIN
    seed: int = 0


@dataclass(frozen=True)
class Clearing:
    """A run of before is cleared from one of its steps on, whatever became of it; and killed perhaps, while it works
    again. Numbers are taken modulo what there is.
    """

    run: int
    step: int
    kill: Interruption | None


@dataclass(frozen=True)
class Round:
    """A delivery, then runs. `at_once`: its files come in the same second. `aggregates` and `loads`: whether these DAGs
    are on, or paused.
    """

    delivered: tuple[Delivered, ...]
    at_once: bool
    arriving: tuple[Delivered, ...]
    ingest: tuple[Interruption, ...]
    aggregates: bool
    aggregate: tuple[Interruption, ...]
    loads: bool
    load: tuple[Interruption, ...]
    clearing: Clearing | None


@dataclass(frozen=True)
class Sequence:
    """Rounds, with partitions of one grain."""

    rounds: tuple[Round, ...]
    grain: str
