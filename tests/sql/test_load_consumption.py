"""Loading published sums: changed sums are replaced, others stay, twice changes nothing."""

from __future__ import annotations

import psycopg
import pytest

from local_aws.engines.postgres import Postgres
from tests.sql.conftest import ENDED, Warehouse

DAILY = "SELECT meter_id, year, date_str, consumption, interval_count FROM aggregated_daily ORDER BY meter_id, date_str"
WEEKLY = (
    "SELECT meter_id, year, week_start, week_of_year, consumption, interval_count FROM aggregated_weekly ORDER BY 3"
)
MONTHLY = "SELECT meter_id, year, month_start, month, consumption, interval_count FROM aggregated_monthly ORDER BY 3"


def load(
    warehouse: Warehouse,
    daily: str = "('MAC1', '20131230', 9.5, 48)",
    weekly: str = "('MAC1', '20131230', 1, 60.5, 336)",
    monthly: str = "('MAC1', '20131201', 12, 300.5, 1488)",
) -> None:
    rows = {"aggregated_daily": daily, "aggregated_weekly": weekly, "aggregated_monthly": monthly}
    copied = {table: f"INSERT INTO {table}_copied VALUES {values}" for table, values in rows.items()}
    warehouse.load("merge_consumption", copied)


def test_sums_of_every_grain_come_out_with_their_year(tables: Warehouse) -> None:
    load(tables)

    assert tables.rows(DAILY) == [("MAC1", 2013, "20131230", 9.5, 48)]
    assert tables.rows(WEEKLY) == [("MAC1", 2014, "20131230", 1, 60.5, 336)]
    assert tables.rows(MONTHLY) == [("MAC1", 2013, "20131201", 12, 300.5, 1488)]


@pytest.mark.parametrize(
    ("monday", "week", "iso_year"),
    [
        ("20121231", 1, 2013),
        ("20130107", 2, 2013),
        ("20141229", 1, 2015),
        ("20151228", 53, 2015),
        ("20160104", 1, 2016),
    ],
)
def test_a_week_belongs_to_its_iso_year(tables: Warehouse, monday: str, week: int, iso_year: int) -> None:
    load(tables, weekly=f"('MAC1', '{monday}', {week}, 60.5, 336)")

    assert tables.rows("SELECT year, week_of_year FROM aggregated_weekly") == [(iso_year, week)]


def test_sums_loaded_twice_change_nothing(tables: Warehouse) -> None:
    load(tables)
    before = [tables.rows(query) for query in (DAILY, WEEKLY, MONTHLY)]

    load(tables)

    assert [tables.rows(query) for query in (DAILY, WEEKLY, MONTHLY)] == before


def test_a_late_correction_replaces_its_day_and_leaves_the_others(tables: Warehouse) -> None:
    load(tables, daily="('MAC1', '20131230', 9.5, 48), ('MAC1', '20131231', 8.5, 48), ('MAC2', '20131230', 1.5, 48)")

    load(tables, daily="('MAC1', '20131230', 7.25, 47), ('MAC1', '20131231', 8.5, 48)")

    assert tables.rows(DAILY) == [
        ("MAC1", 2013, "20131230", 7.25, 47),
        ("MAC1", 2013, "20131231", 8.5, 48),
        ("MAC2", 2013, "20131230", 1.5, 48),
    ]


def test_a_count_that_changed_alone_is_replaced_too(tables: Warehouse) -> None:
    load(tables, daily="('MAC1', '20131230', 9.5, 47)")
    load(tables, daily="('MAC1', '20131230', 9.5, 48)")

    assert tables.rows(DAILY) == [("MAC1", 2013, "20131230", 9.5, 48)]


def test_a_load_waits_for_the_load_before_and_readers_wait_for_nobody(tables: Warehouse, postgres: Postgres) -> None:
    load(tables)
    statements = [tables.statement("redshift/lock_load_turn.sql"), "DELETE FROM aggregated_daily"]
    with psycopg.connect(postgres.dsn(tables.database)) as other_load:
        other_load.execute(tables.statement("redshift/lock_load_turn.sql"))
        other_load.execute("UPDATE aggregated_daily SET consumption = 1")
        waiting = tables.submit(*statements)

        assert tables.rows("SELECT consumption FROM aggregated_daily") == [(9.5,)]
        assert tables.status(waiting) not in ENDED

    tables.finish(waiting)
    assert tables.rows(DAILY) == []
