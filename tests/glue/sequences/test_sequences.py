"""Any sequence of deliveries, re-deliveries, corrections and kills ends in the tables of one delivery of the newest
values.

METERING_SEQUENCES=200 tries that many sequences, other ones each time. Without it a few are tried, always the same.
With pytest's -s the kills are counted at the end: in which step, at which point, and what followed them.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as some

from tests.glue.sequences import found, kills, sampling
from tests.glue.sequences.deliveries import MeterFile, NewFile, Sequence
from tests.glue.sequences.expected import Expected, Tables
from tests.glue.sequences.redshift import Redshift
from tests.glue.sequences.session_platform import BUSINESS, Platform
from tests.glue.sequences.world import World

ASKED_FOR = os.environ.get("METERING_SEQUENCES", "")
SEQUENCES = int(ASKED_FOR or 3)
SECONDS_A_SEQUENCE = 120

pytestmark = pytest.mark.timeout(SEQUENCES * SECONDS_A_SEQUENCE)


@pytest.fixture(scope="module")
def after(platform: Platform) -> Iterator[Counter[str]]:
    """What followed the kills of all sequences; printed at the end."""
    counted: Counter[str] = Counter()
    yield counted
    print(f"\n{kills.told(platform.killer, counted)}")


@pytest.fixture(scope="module")
def redshift(platform: Platform, postgres: Any, tmp_path_factory: pytest.TempPathFactory) -> Redshift:
    postgres.ensure_database("sequences")
    results = tmp_path_factory.mktemp("results")
    return Redshift(postgres.dsn("sequences"), platform.s3, BUSINESS, results)


@settings(
    max_examples=SEQUENCES,
    derandomize=not ASKED_FOR,
    database=None,
    deadline=None,
    # A sequence takes seconds: what fails is told as it happened, in its log, and not tried again in hundreds of forms.
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)
@given(some.randoms(use_true_random=True).map(sampling.sequence))
def test_any_sequence_ends_in_the_tables_of_one_delivery_of_the_newest_values(
    platform: Platform, redshift: Redshift, after: Counter[str], sequence: Sequence
) -> None:
    told: list[str] = []
    try:
        check(sequence, World(platform, redshift, sequence.grain, told.append), after)
    finally:
        note("\n".join(told))


def check(sequence: Sequence, world: World, after: Counter[str]) -> None:
    for event in sequence.rounds:
        world.happen(event)
    world.settle()
    after.update(world.after)
    if ASKED_FOR:
        print(f"{len(world.files)} files, {len(world.runs)} runs, {world.after.total()} kills", flush=True)
    expected = world.expected()
    assert set(world.landing.values()) <= {version.file for batch in world.published for version in batch}
    assert_same(expected.tables(), world)

    once = World(world.platform, world.redshift, sequence.grain, world.log)
    once.deliver([NewFile(the_newest(expected))])
    once.settle()

    assert without_history(found.in_business_zone(world.platform)) == without_history(expected.tables())


def the_newest(expected: Expected) -> MeterFile:
    """One file of the newest values, and of the bad rows."""
    return MeterFile((*expected.newest_rows(), *expected.bad_rows()))


def assert_same(expected: Tables, world: World) -> None:
    assert found.in_business_zone(world.platform) == expected
    assert found.in_warehouse(world.redshift) == {
        name: rows for name, rows in expected.items() if name != "completeness"
    }


def without_history(tables: Tables) -> Tables:
    """Without what tells of other deliveries: when a reading came, and how often."""
    told = {"daily", "completeness"}
    return {table: [row[:-1] if table in told else row for row in rows] for table, rows in tables.items()}
