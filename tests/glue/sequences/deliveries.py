"""What sequences are made of: meter files, runs, and where they are interrupted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from hypothesis import strategies as some

from tests.glue.deliveries import KAGGLE, OFFICIAL
from tests.glue.sequences.runs import AggregateRun, IngestRun, LoadRun

METERS = ("MAC000001", "MAC000002", "MAC000003")
# Two months and a year end between them; 2012-12-31 is in ISO week 1 of 2013. The last one makes a third month, so
# that a month is also followed by one that was written before it.
DAYS = ("2012-12-29", "2012-12-30", "2012-12-31", "2013-01-01", "2013-01-06", "2013-01-07", "2013-02-01")
TIMES = ("00:00", "23:30", "12:07")
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


# How many points a step has on the way to its end, about.
POINTS = {
    "find_new_meter_files": 8,
    "raw_to_clean": 22,
    "check_rejected_share": 3,
    "clean_to_business": 17,
    "publish_readings": 9,
    "record_ledger": 11,
    "choose_dates": 1,
    "aggregate_consumption": 40,
    "check_completeness": 5,
    "publish_consumption": 29,
    "plan_load": 24,
    "merge_readings": 9,
    "merge_consumption": 16,
}


def moments() -> some.SearchStrategy[datetime]:
    texts = some.builds("{} {}".format, some.sampled_from(DAYS), some.sampled_from(TIMES))
    return texts.map(lambda text: datetime.strptime(text, "%Y-%m-%d %H:%M"))  # noqa: DTZ007 (all are UTC)


EIGHTHS_OR_NOT = some.one_of(some.integers(0, 24), some.none())
ROWS = some.builds(Row, some.sampled_from(METERS), moments(), EIGHTHS_OR_NOT)


@some.composite
def files(draw: some.DrawFn) -> MeterFile:
    """Readings, conflicts among them, and bad rows: those that name a day lie in a month of which the file has an
    interval reading, so that this month is summed, and its bad rows counted, when the file is loaded.
    """
    rows = draw(some.lists(ROWS, min_size=1, max_size=5))
    conflicting = draw(some.lists(some.tuples(some.sampled_from(rows), EIGHTHS_OR_NOT), max_size=2))
    rows += [Row(row.meter, row.moment, eighths) for row, eighths in conflicting]
    months = {row.day[:6] for row in rows if row.value is not None}
    bad = draw(some.lists(some.builds(BadRow, some.sampled_from(METERS), moments(), some.booleans()), max_size=2))
    kept = [row for row in bad if not row.is_attributed or row.day[:6] in months]
    return MeterFile((*rows, *kept), draw(some.booleans()))


def delivered() -> some.SearchStrategy[Delivered]:
    earlier = some.integers(0, 5)
    return some.one_of(
        some.builds(NewFile, files()),
        some.builds(NewFile, files(), earlier),
        some.builds(SameBytes, earlier, some.booleans()),
        some.builds(SameReadings, earlier),
        some.builds(SameReadings, earlier, some.lists(EIGHTHS_OR_NOT, min_size=1, max_size=5).map(tuple)),
    )


@some.composite
def interruptions(
    draw: some.DrawFn, steps: tuple[str, ...], whats: tuple[str, ...] = (KILL,)
) -> tuple[Interruption, ...]:
    """None, one or two; the more points a step has, the more often it is hit."""
    points = [(number, point) for number, step in enumerate(steps) for point in range(POINTS[step])]
    found = []
    for _ in range(draw(some.sampled_from((0, 1, 1, 2)))):
        step, point = draw(some.sampled_from(points))
        after = draw(some.sampled_from((AGAIN, AGAIN, AGAIN, CLEARED, LATER, NEVER)))
        what = draw(some.sampled_from(whats))
        found.append(Interruption(step, point, what, after, draw(some.integers(0, 999))))
    return tuple(sorted(found, key=lambda interruption: interruption.step))


@some.composite
def clearings(draw: some.DrawFn) -> Clearing:
    killed = interruptions(draw(some.sampled_from((IngestRun, AggregateRun, LoadRun))).steps)
    return Clearing(draw(some.integers(0, 9)), draw(some.integers(0, 5)), next(iter(draw(killed)), None))


@some.composite
def rounds(draw: some.DrawFn) -> Round:
    return Round(
        delivered=tuple(draw(some.lists(delivered(), min_size=1, max_size=3))),
        at_once=draw(some.booleans()),
        arriving=tuple(draw(some.lists(delivered(), min_size=1, max_size=2))),
        ingest=draw(interruptions(IngestRun.steps, (KILL, KILL, KILL, ARRIVAL))),
        aggregates=draw(some.booleans()),
        aggregate=draw(interruptions(AggregateRun.steps)),
        loads=draw(some.booleans()),
        load=draw(interruptions(LoadRun.steps)),
        clearing=draw(some.one_of(some.none(), some.none(), clearings())),
    )


def sequences() -> some.SearchStrategy[Sequence]:
    return some.builds(
        Sequence,
        some.lists(rounds(), min_size=1, max_size=4).map(tuple),
        some.sampled_from(("month", "month", "day")),
    )
