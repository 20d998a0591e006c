"""Random readings, delivered date by date in any order, with corrections, rejects and tallies: the published tables
are those of loops over all readings, however the work is cut.
"""

from __future__ import annotations

import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import hypothesis.strategies as st
from hypothesis import given, settings
from meter_data.consumption.shares import Limits

from tests.glue.consumption_by_hand import Expected, Readings, Tally
from tests.glue.consumption_lake import ConsumptionLake

METERS = ["A", "M 1", "M10", "M2", "m", "é"]
FIRST = date(2012, 12, 27)
VALUES = st.floats(0, 1e6).map(lambda value: value or 0.0)  # no negative zero
days = st.integers(0, 70).map(lambda number: FIRST + timedelta(days=number))
times = st.integers(0, 47).map(lambda number: timedelta(minutes=30 * number))
readings = st.dictionaries(
    st.tuples(st.sampled_from(METERS), days, times), st.tuples(VALUES, st.sampled_from([None, None, "E1"])), max_size=12
)
tallies = st.lists(
    st.builds(
        Tally,
        st.sampled_from(["b1", "b2", "b3"]),
        st.sampled_from(["a.csv", "b.csv"]),
        st.sampled_from([datetime(2014, 1, day, tzinfo=UTC) for day in (1, 2)]),
        st.sampled_from(METERS),
        days,
        st.integers(0, 3),
        st.integers(0, 2),
    ),
    max_size=12,
)
# So small that even a few readings are cut, and so large that nothing is.
limits = st.sampled_from(
    [Limits(), Limits(readings=4, days=2), Limits(readings=2, days=1), Limits(readings=10, days=1)]
)


@settings(max_examples=25, deadline=None)
@given(
    runs=st.lists(st.tuples(readings, limits), min_size=1, max_size=3),
    tallies=tallies,
    rows_a_file=st.sampled_from([1, 3, 1000]),
    rows_a_group=st.sampled_from([1, 2, 1000]),
)
def test_published_tables_are_those_of_all_readings(
    runs: list[tuple[dict, Limits]], tallies: list[Tally], rows_a_file: int, rows_a_group: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        lake = ConsumptionLake(Path(folder))
        for batch in sorted({tally.batch for tally in tallies}):
            of_batch = [tally for tally in tallies if tally.batch == batch]
            lake.deliver(
                batch,
                *(
                    (row.source_file, row.delivered_at, row.meter, f"{row.day:%Y%m%d}", row.readings, row.rejected)
                    for row in of_batch
                ),
            )
        known: Readings = {}
        for number, (delivered, cut) in enumerate(runs):
            known |= {
                (meter, datetime.combine(day, datetime.min.time()) + time): read
                for (meter, day, time), read in delivered.items()
            }
            rows = [(meter, f"{time:%Y-%m-%d %H:%M}", *read) for (meter, time), read in known.items()]
            lake.publish_readings(*rows, rows_a_file=rows_a_file, rows_a_group=rows_a_group)
            touched = sorted({f"{day:%Y%m%d}" for _, day, _ in delivered})
            if touched:
                summary = lake.aggregate(",".join(f"{day}-{day}" for day in touched), str(number), cut)
                lake.publish_sums(summary)

        expected = Expected(known, tallies)
        assert lake.published("aggregated_daily") == expected.daily()
        assert lake.published("aggregated_weekly") == expected.weekly()
        assert lake.published("aggregated_monthly") == expected.monthly()
        found = lake.published("completeness")
        assert found == sorted(expected.completeness(), key=lambda row: [(part is None, part) for part in row])
