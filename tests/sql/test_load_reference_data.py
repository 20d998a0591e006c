"""Replacing customers and places: all of the new rows or all of the old ones, each meter once."""

from __future__ import annotations

import psycopg
import pytest
from metering import reference_tables, warehouse

from local_aws.engines.postgres import Postgres
from tests.sql.conftest import StatementFailedError, Warehouse

CUSTOMERS = "SELECT meter_id, customer_id, name, phone FROM cis_data ORDER BY meter_id"
PLACES = "SELECT meter_id, lat, long FROM geo_data ORDER BY meter_id"
HEADER = "customer_id;name;zip;city;state;street;phone;meter_id\r\n"


def customer(number: int, meter: str, name: str = "Ada Lovelace") -> str:
    return f'c-{number};{name};01234;"Ockham; Surrey";;1 Analytical Row;;{meter}\r\n'


def load_customers(tables: Warehouse, **files: str) -> None:
    for name, text in files.items():
        tables.s3.put_object(Bucket=tables.bucket, Key=f"reference/cisdata/{name}.csv", Body=text.encode())
    tables.run(*(tables.statement(file) for file in warehouse.REPLACEMENTS["replace_cis_data"]))


def load_places(tables: Warehouse, text: str) -> None:
    rows = reference_tables.positions("g.csv", text.encode())
    tables.s3.put_object(Bucket=tables.bucket, Key="geodata/geodata.tsv", Body=reference_tables.text_of(rows).encode())
    tables.run(*(tables.statement(file) for file in warehouse.REPLACEMENTS["replace_geo_data"]))


def test_customers_of_files_with_and_without_header_are_loaded(tables: Warehouse) -> None:
    load_customers(tables, a=customer(1, "MAC1"), b=HEADER + customer(2, "MAC2", "Grace Hopper") + "\r\n")

    assert tables.rows(CUSTOMERS) == [
        ("MAC1", "c-1", "Ada Lovelace", None),
        ("MAC2", "c-2", "Grace Hopper", None),
    ]
    assert tables.rows("SELECT zip, city, state, street FROM cis_data WHERE meter_id = 'MAC1'") == [
        ("01234", "Ockham; Surrey", None, "1 Analytical Row")
    ]


def test_a_load_replaces_what_was_there_and_twice_changes_nothing(tables: Warehouse) -> None:
    load_customers(tables, a=customer(1, "MAC1") + customer(2, "MAC2"))
    load_customers(tables, a=customer(3, "MAC2"))
    load_customers(tables)

    assert [row[:2] for row in tables.rows(CUSTOMERS)] == [("MAC2", "c-3")]


def test_a_meter_has_one_customer_the_same_at_every_load(tables: Warehouse) -> None:
    for lines in ([1, 3, 2], [3, 2, 1], [2, 3, 1, 3]):
        load_customers(tables, a="".join(customer(number, "MAC1") for number in lines))

        assert [row[:2] for row in tables.rows(CUSTOMERS)] == [("MAC1", "c-3")]


@pytest.mark.parametrize("bad", ["c-9;Too Few\r\n", customer(9, ""), customer(9, "M" * 65)])
def test_a_bad_line_refuses_the_load_and_the_old_rows_stay(tables: Warehouse, bad: str) -> None:
    load_customers(tables, a=customer(1, "MAC1"))

    with pytest.raises(StatementFailedError) as error:
        load_customers(tables, a=customer(2, "MAC2") + bad)

    assert "c-9" not in str(error.value), "a line of the file stands in the message"
    assert [row[:2] for row in tables.rows(CUSTOMERS)] == [("MAC1", "c-1")]


def test_places_are_replaced(tables: Warehouse) -> None:
    load_places(tables, "MAC2,51.5,-0.125\nMAC1,1,2\n")
    load_places(tables, "MAC2,51.5,-0.125\nMAC3,-33.86,151.2\n")

    assert tables.rows(PLACES) == [("MAC2", 51.5, -0.125), ("MAC3", -33.86, 151.2)]


def test_readers_see_the_old_customers_until_the_new_ones_are_there(tables: Warehouse, postgres: Postgres) -> None:
    load_customers(tables, a=customer(1, "MAC1"))
    with psycopg.connect(postgres.dsn(tables.database)) as load:
        load.execute(tables.statement("redshift/clear_cis_data.sql"))

        assert [row[:2] for row in tables.rows(CUSTOMERS)] == [("MAC1", "c-1")]
        load.rollback()


def test_nobody_but_its_owner_reads_customers_unless_he_grants_it(tables: Warehouse) -> None:
    tables.run("GRANT SELECT ON TABLE cis_data TO PUBLIC")
    tables.run(*(tables.statement(file) for file in warehouse.CREATE_TABLES))

    granted = (
        "SELECT COUNT(*) FROM information_schema.table_privileges WHERE table_name = 'cis_data' AND grantee = 'PUBLIC'"
    )
    assert tables.rows(granted) == [(0,)]
