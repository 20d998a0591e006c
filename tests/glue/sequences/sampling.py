"""Sequences by chance. `random` alone decides: the same one gives the same sequence.

Each is independent of the others. Hypothesis' own strategies would try most sequences again in slightly other forms, to
which a test of many seconds each has no time.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from random import Random

from tests.glue.sequences import deliveries
from tests.glue.sequences.deliveries import (
    AGAIN,
    ARRIVAL,
    CLEARED,
    KILL,
    LATER,
    NEVER,
    BadRow,
    Clearing,
    Delivered,
    Interruption,
    MeterFile,
    NewFile,
    Round,
    Row,
    SameBytes,
    SameReadings,
)
from tests.glue.sequences.runs import AggregateRun, DagRun, IngestRun, LoadRun

METERS = ("MAC000001", "MAC000002", "MAC000003")
# Two months and a year end between them; 2012-12-31 is in ISO week 1 of 2013. The last one makes a third month, so
# that a month is also followed by one that was written before it.
DAYS = ("2012-12-29", "2012-12-30", "2012-12-31", "2013-01-01", "2013-01-06", "2013-01-07", "2013-02-01")
TIMES = ("00:00", "23:30", "12:07")
MOST_EIGHTHS = 24
# How many points a step has on the way to its end, about.
POINTS = {
    "find_new_meter_files": 10,
    "raw_to_clean": 26,
    "check_rejected_share": 3,
    "clean_to_business": 24,
    "publish_readings": 9,
    "record_ledger": 17,
    "choose_dates": 1,
    "aggregate_consumption": 47,
    "check_completeness": 5,
    "publish_consumption": 37,
    "plan_load": 31,
    "merge_readings": 9,
    "merge_consumption": 40,
}
# How often a run is interrupted, and what follows a kill.
HOW_OFTEN, AFTER = (0, 1, 1, 2), (AGAIN, AGAIN, AGAIN, CLEARED, LATER, NEVER)


def sequence(random: Random) -> deliveries.Sequence:
    """Two to four rounds; the first begins with a file."""
    first = some_round(random, NewFile(meter_file(random)))
    others = [some_round(random) for _ in range(random.randint(1, 3))]
    return deliveries.Sequence((first, *others), random.choice(("month", "month", "day")))


def some_round(random: Random, *delivered: Delivered) -> Round:
    return Round(
        delivered=(*delivered, *(delivery(random) for _ in range(random.randint(0 if delivered else 1, 2)))),
        at_once=random.random() < 0.5,
        arriving=tuple(delivery(random) for _ in range(random.randint(1, 2))),
        ingest=interruptions(random, IngestRun, (KILL, KILL, KILL, ARRIVAL)),
        aggregates=random.random() < 0.7,
        aggregate=interruptions(random, AggregateRun),
        loads=random.random() < 0.5,
        load=interruptions(random, LoadRun),
        clearing=clearing(random) if random.random() < 0.4 else None,
    )


def delivery(random: Random) -> Delivered:
    """A new file half of the time."""
    earlier = random.randrange(6)
    return random.choice(
        (
            NewFile(meter_file(random)),
            NewFile(meter_file(random)),
            NewFile(meter_file(random), replaces=earlier),
            SameBytes(earlier, own_name=random.random() < 0.5),
            SameReadings(earlier),
            SameReadings(earlier, tuple(eighths(random) for _ in range(random.randint(1, 5)))),
        )
    )


def meter_file(random: Random) -> MeterFile:
    """Readings, conflicts among them, and bad rows: those that name a day lie in a month of which the file has an
    interval reading, so that this month is summed, and its bad rows counted, when the file is loaded.
    """
    days = random.choices(DAYS, k=random.choice((1, 1, 2, 4)))
    rows = [Row(random.choice(METERS), moment(random, days), eighths(random)) for _ in range(random.randint(1, 5))]
    for row in random.choices(rows, k=random.randint(0, 2)):
        rows.append(Row(row.meter, row.moment, eighths(random)))
    months = {row.day[:6] for row in rows if row.value is not None}
    bad = [
        BadRow(random.choice(METERS), moment(random, DAYS), is_attributed=random.random() < 0.7)
        for _ in range(random.randint(0, 2))
    ]
    kept = [row for row in bad if not row.is_attributed or row.day[:6] in months]
    return MeterFile((*rows, *kept), has_tariff=random.random() < 0.5)


def moment(random: Random, days: Sequence[str]) -> datetime:
    return datetime.fromisoformat(f"{random.choice(days)} {random.choice(TIMES)}")


def eighths(random: Random) -> int | None:
    """None, for an error reading, once in five times."""
    return None if random.random() < 0.2 else random.randint(0, MOST_EIGHTHS)


def interruptions(random: Random, kind: type[DagRun], whats: tuple[str, ...] = (KILL,)) -> tuple[Interruption, ...]:
    """In the order of the steps; the more points a step has, the more often it is hit."""
    points = [(number, point) for number, step in enumerate(kind.steps) for point in range(POINTS[step])]
    found = [
        Interruption(step, point, random.choice(whats), random.choice(AFTER), random.randrange(1000))
        for step, point in random.choices(points, k=random.choice(HOW_OFTEN))
    ]
    return tuple(sorted(found, key=lambda interruption: interruption.step))


def clearing(random: Random) -> Clearing:
    kills = interruptions(random, random.choice((IngestRun, AggregateRun, LoadRun)))
    return Clearing(random.randrange(10), random.randrange(6), kills[0] if kills else None)
