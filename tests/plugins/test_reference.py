"""Which reference data a run loads, and what it writes for the tables."""

from __future__ import annotations

import pytest
from metering import clients, reference
from metering.reference_tables import ReferenceFileError

from tests.plugins.object_store import ObjectStore

HEADER = "time,temperature,apparenttemperature,humidity\n"
ALL: dict[str, list[str]] = {"kinds": []}


@pytest.fixture
def zones(s3: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
    monkeypatch.setattr(clients, "s3", lambda: s3)
    return s3


def hour(number: int, temperature: int) -> str:
    return f"2013-01-01 {number:02d}:00:00,{temperature},0,0\n"


def test_what_was_delivered_is_loaded(zones: ObjectStore) -> None:
    zones.put_object("landing", "reference/geodata/a.csv", "MAC1,1,1")
    zones.put_object("landing", "reference/cisdata/a.csv", "1;Ada;;;;;;MAC1")

    assert reference.find_reference_files("landing", ALL) == ["publish_geodata", "crawl_cisdata", "replace_cis_data"]


def test_nothing_delivered_loads_nothing(zones: ObjectStore) -> None:
    zones.put_object("landing", "readings/a.csv", "x")
    zones.put_object("landing", "reference/weather/", "")
    zones.put_object("landing", "reference/weather/_note.csv", "x")
    zones.put_object("landing", "reference/weather_archive/a.csv", "x")

    assert reference.find_reference_files("landing", ALL) == []


def test_only_what_is_asked_for_is_loaded(zones: ObjectStore) -> None:
    zones.put_object("landing", "reference/weather/a.csv", HEADER)
    zones.put_object("landing", "reference/geodata/a.csv", "MAC1,1,1")

    assert reference.find_reference_files("landing", {"kinds": ["weather"]}) == ["publish_weather"]
    with pytest.raises(reference.NoReferenceFilesError, match="no file in s3://landing/reference/cisdata/"):
        reference.find_reference_files("landing", {"kinds": ["weather", "cisdata"]})


def test_the_newest_delivery_wins_whatever_its_name(zones: ObjectStore) -> None:
    zones.put_object("landing", "reference/weather/z.csv", HEADER + hour(0, 1) + hour(1, 1))
    zones.put_object("landing", "reference/weather/a.csv", HEADER + hour(1, 2) + hour(2, 2))

    said = reference.publish_weather("landing", "business")

    assert said == {"files": 2, "hours": 3, "first": "2013-01-01 00:00:00", "last": "2013-01-01 02:00:00"}
    rows = [
        line.split("\t")[:2] for line in zones.objects["business", "weather/weather.tsv"]["Body"].decode().split("\n")
    ]
    assert rows[:-1] == [["2013-01-01 00:00:00", "1"], ["2013-01-01 01:00:00", "2"], ["2013-01-01 02:00:00", "2"]]


def test_positions_of_all_files_become_one_and_a_file_taken_away_is_gone(zones: ObjectStore) -> None:
    zones.put_object("landing", "reference/geodata/north.csv", "MAC2,2,2\nMAC1,1,1")
    zones.put_object("landing", "reference/geodata/south/2.csv", "meter_id,lat,long\nMAC3,3,3")

    assert reference.publish_geodata("landing", "business") == {"files": 2, "meters": 3}
    del zones.objects["landing", "reference/geodata/north.csv"]
    assert reference.publish_geodata("landing", "business") == {"files": 1, "meters": 1}

    assert zones.keys("business") == ["geodata/geodata.tsv"]
    assert zones.objects["business", "geodata/geodata.tsv"]["Body"] == b"MAC3\t3\t3\n"


def test_a_bad_file_is_named_and_the_table_stays(zones: ObjectStore) -> None:
    zones.put_object("landing", "reference/geodata/good.csv", "MAC1,1,1")
    reference.publish_geodata("landing", "business")
    zones.put_object("landing", "reference/geodata/bad.csv", "MAC2,here,1")

    with pytest.raises(ReferenceFileError, match=r"^s3://landing/reference/geodata/bad.csv holds 1 lines"):
        reference.publish_geodata("landing", "business")

    assert zones.objects["business", "geodata/geodata.tsv"]["Body"] == b"MAC1\t1\t1\n"
