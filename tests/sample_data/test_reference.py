"""Reference data of a generated fleet: the files of suppliers, about that fleet and no real person."""

from __future__ import annotations

import csv
import math
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from metering import reference_tables

from sample_data.comparison import series_of
from sample_data.fleet import Fleet
from sample_data.reference import main, write

START = date(2013, 1, 1)
FILES = ["weather/weather_hourly.csv", "geodata/meter-geo-data.csv", "cisdata/cis-data.csv"]


def fleet(**options: int) -> Fleet:
    return Fleet(**{"meters": 60, "days": 365, "seed": 7} | options, start=START)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("reference")
    assert write(fleet(), made) == [made / name for name in FILES]
    return made


@pytest.fixture(scope="module")
def hours(folder: Path) -> dict[str, dict[str, str]]:
    with (folder / FILES[0]).open(newline="") as file:
        return {row["time"]: row for row in csv.DictReader(file)}


def fields(folder: Path, name: str, delimiter: str) -> list[list[str]]:
    return [line.split(delimiter) for line in (folder / name).read_bytes().decode().splitlines()]


def test_the_same_options_give_the_same_bytes_and_another_seed_others(folder: Path, tmp_path: Path) -> None:
    write(fleet(), tmp_path / "again")
    write(fleet(seed=8), tmp_path / "other")

    for name in FILES:
        assert (tmp_path / "again" / name).read_bytes() == (folder / name).read_bytes()
        assert (tmp_path / "other" / name).read_bytes() != (folder / name).read_bytes()


def test_a_meter_has_the_same_place_and_customer_in_a_larger_fleet(folder: Path, tmp_path: Path) -> None:
    write(fleet(meters=80), tmp_path)

    for name in FILES[1:]:
        assert (tmp_path / name).read_bytes().startswith((folder / name).read_bytes())


def test_the_weather_has_every_hour_of_the_fleet_and_of_the_year_before(hours: dict[str, dict[str, str]]) -> None:
    first = datetime(2012, 1, 1, tzinfo=UTC)
    expected = [f"{first + timedelta(hours=hour):%Y-%m-%d %H:%M:%S}" for hour in range((366 + 365) * 24)]

    assert list(hours) == expected


def test_the_weather_has_the_quirks_of_the_real_file(folder: Path) -> None:
    content = (folder / FILES[0]).read_bytes()

    assert content.startswith(b"visibility,windBearing,temperature,time,dewPoint,pressure,apparentTemperature,")
    assert re.search(rb',"2013-01-01 00:00:00",', content)
    assert b',"Clear\r"\n' in content
    assert b",NULL," in content


def test_the_weather_is_that_of_a_temperate_place(hours: dict[str, dict[str, str]]) -> None:
    def mean(name: str, month: str) -> float:
        return float(np.mean([float(row[name]) for time, row in hours.items() if time[5:7] == month]))

    assert 2 < mean("temperature", "01") < 7
    assert 15 < mean("temperature", "07") < 21
    assert all(0 < float(row["humidity"]) <= 1 for row in hours.values())
    assert all(0 < float(row["windSpeed"]) <= 15 for row in hours.values())
    # By the rounding of humidity to a hundredth a dew point may come out this much above the air.
    assert all(float(row["dewPoint"]) <= float(row["temperature"]) + 0.02 for row in hours.values())


def test_it_feels_as_warm_as_the_formula_says(hours: dict[str, dict[str, str]]) -> None:
    row = hours["2013-07-01 12:00:00"]
    air, humidity, wind = (float(row[name]) for name in ("temperature", "humidity", "windSpeed"))
    vapour = humidity * 6.105 * math.exp(17.27 * air / (237.7 + air))

    # Humidity stands in the file to a hundredth, which is up to 0.04 degrees.
    assert float(row["apparentTemperature"]) == pytest.approx(air + 0.33 * vapour - 0.7 * wind - 4.0, abs=0.06)


def test_the_fleet_uses_more_when_its_weather_is_colder(hours: dict[str, dict[str, str]], tmp_path: Path) -> None:
    list(fleet().write(tmp_path, 250_000))
    used, cold = np.zeros(365), np.zeros(365)
    first = (START - date(1970, 1, 1)).days
    for series in series_of(tmp_path).values():
        for slot, kwh in series.items():
            used[slot // 48 - first] += kwh
    for day in range(365):
        moment = START + timedelta(days=day)
        cold[day] = -np.mean([float(hours[f"{moment} {hour:02d}:00:00"]["temperature"]) for hour in range(24)])

    def without_season(values: np.ndarray) -> np.ndarray:
        return values[7:-7] - np.convolve(values, np.ones(15) / 15, mode="valid")

    winter = (np.arange(7, 358) < 90) | (np.arange(7, 358) > 300)
    together = np.corrcoef(without_season(used)[winter], without_season(cold)[winter])[0, 1]
    assert together > 0.5, "spells of cold must show, not the season alone"


def test_all_but_one_meter_in_thirty_have_a_place_in_london(folder: Path) -> None:
    places = {meter: (float(lat), float(long)) for meter, lat, long in fields(folder, FILES[1], ",")}
    customers = {row[7] for row in fields(folder, FILES[2], ";")}

    assert len(customers) == 60
    assert places.keys() < customers
    assert len(places) == 58
    assert len(set(places.values())) == 58
    assert all(51.2 < lat < 51.8 and -0.6 < long < 0.35 for lat, long in places.values())


def test_the_people_are_nobody(folder: Path) -> None:
    for customer, name, postcode, city, state, street, phone, meter in fields(folder, FILES[2], ";"):
        assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", customer)
        assert re.search(r"(Example|Sample|Specimen)$", name)
        assert re.search(r"(Example|Sample|Specimen|Placeholder) ", street)
        assert re.fullmatch(r"ZZ\d{1,2} \dZZ", postcode)
        assert re.fullmatch(r"020 7946 0\d{3}", phone), "numbers that Ofcom keeps for drama"
        assert (city, state) == ("London", "England")
        assert re.fullmatch(r"MAC\d{6}", meter)


def test_the_meters_are_those_of_the_fleet(folder: Path, tmp_path: Path) -> None:
    list(fleet(days=2).write(tmp_path, 10**6))

    assert {row[7] for row in fields(folder, FILES[2], ";")} == set(series_of(tmp_path))


def test_the_product_reads_the_files(folder: Path) -> None:
    weather = reference_tables.weather("w", (folder / FILES[0]).read_bytes())
    places = reference_tables.positions("g", (folder / FILES[1]).read_bytes())

    assert len(weather) == (366 + 365) * 24
    assert len(places) == 58


def test_the_command_says_what_it_wrote(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--meters", "2", "--days", "1", "--out", str(tmp_path)]) == 0

    said = capsys.readouterr().err
    assert all(name in said for name in FILES)
    assert len((tmp_path / FILES[2]).read_text().splitlines()) == 2
