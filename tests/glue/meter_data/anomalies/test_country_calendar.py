"""Public holidays: the generated file against the library that it is made of."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from meter_data.anomalies import country_calendar

from environments import public_holidays
from local_aws.infrastructure.artefacts import zipped


def test_the_file_is_as_fresh_as_the_library() -> None:
    fresh = public_holidays.PATH.read_text(encoding="utf-8") == public_holidays.generate()
    assert fresh, "Run `.venv-local/bin/python -m environments.public_holidays`."


@pytest.mark.parametrize("country", public_holidays.COUNTRIES)
def test_the_holidays_of_a_country_are_those_of_the_library(country: str) -> None:
    assert country_calendar.holidays(country) == public_holidays.dates(country)


@pytest.mark.parametrize(
    ("country", "day"),
    [
        ("GB", date(2013, 3, 29)),  # Good Friday
        ("GB-ENG", date(2013, 4, 1)),  # Easter Monday, not in Scotland
        ("US", date(2013, 11, 28)),  # Thanksgiving
        ("DE", date(2013, 10, 3)),  # Day of German Unity
        ("CN", date(2013, 2, 10)),  # Lunar New Year
    ],
)
def test_well_known_holidays_are_known(country: str, day: date) -> None:
    assert day in country_calendar.holidays(country)
    assert date(2013, 4, 1) not in country_calendar.holidays("GB-SCT")


def test_a_country_that_is_not_known_is_refused() -> None:
    with pytest.raises(country_calendar.UnknownCountryError, match=r"'XX' are not known. Give one of AE, .*, ZA"):
        country_calendar.holidays("XX")


def test_years_that_are_not_known_are_named() -> None:
    first, last = country_calendar.known_years()[0], country_calendar.known_years()[-1]
    days = [date(first - 1, 12, 31), date(first, 1, 1), date(last, 12, 31), date(last + 1, 1, 1)]
    assert country_calendar.unknown_years(days) == [first - 1, last + 1]


def test_holidays_are_read_from_a_package_in_a_zip(tmp_path: Path) -> None:
    package = tmp_path / "meter_data.zip"
    package.write_bytes(zipped(public_holidays.PATH.parents[1]))
    code = "from meter_data.anomalies.country_calendar import holidays as h; print(len(h('GB')))"
    environment = {"PYTHONPATH": str(package), "PATH": ""}
    said = subprocess.run([sys.executable, "-P", "-c", code], env=environment, capture_output=True, text=True)
    assert said.stdout.split() == [str(len(public_holidays.dates("GB")))], said.stderr
