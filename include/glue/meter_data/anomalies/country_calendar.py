"""The public holidays of a country, from a file beside this module."""

from __future__ import annotations

import json
from datetime import date
from functools import cache
from importlib import resources
from typing import Any


class UnknownCountryError(ValueError):
    """A country whose holidays are not known."""


def holidays(country: str) -> set[date]:
    """Returns all holidays that are known, of the years of `known_years`. Raises UnknownCountryError."""
    dates = _known()["dates"]
    if country not in dates:
        raise UnknownCountryError(
            f"The holidays of {country!r} are not known. Give one of {', '.join(dates)}, or add the country to "
            "environments/public_holidays.py."
        )
    given: dict[str, str] = dates[country]
    years = {name: known_years() if name == "every" else (int(name),) for name in given}
    return {
        date(year, int(text[:2]), int(text[2:]))
        for name, texts in given.items()
        for text in texts.split()
        for year in years[name]
    }


def known_years() -> range:
    """Returns the years of which holidays are known."""
    return range(_known()["first_year"], _known()["last_year"] + 1)


def unknown_years(days: list[date]) -> list[int]:
    """Returns the years of these days of which no holidays are known."""
    return sorted({day.year for day in days} - set(known_years()))


@cache
def _known() -> Any:
    # Not by a path: the package may be a zip.
    return json.loads(resources.files(__package__).joinpath("public_holidays.json").read_text(encoding="utf-8"))
