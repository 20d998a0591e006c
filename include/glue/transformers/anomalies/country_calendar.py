"""The public holidays of a country."""

from __future__ import annotations

from datetime import date

from transformers.anomalies.public_holidays import DATES, FIRST_YEAR, LAST_YEAR

COUNTRIES = tuple(DATES)


class UnknownCountryError(ValueError):
    """A country whose holidays are not known."""


def holidays(country: str) -> set[date]:
    """All holidays that are known, from FIRST_YEAR to LAST_YEAR. Raises UnknownCountryError."""
    if country not in DATES:
        raise UnknownCountryError(
            f"The holidays of {country!r} are not known. Give one of {', '.join(COUNTRIES)}, or add the country to "
            "environments/public_holidays.py."
        )
    found: set[date] = set()
    years = range(FIRST_YEAR, LAST_YEAR + 1)
    for word in DATES[country].split():
        if word.endswith(":"):
            years = range(int(word[:-1]), int(word[:-1]) + 1)
        else:
            found.update(date(year, int(word[:2]), int(word[2:])) for year in years)
    return found


def unknown_years(days: list[date]) -> list[int]:
    """The years of these days of which no holidays are known."""
    return sorted({day.year for day in days if not FIRST_YEAR <= day.year <= LAST_YEAR})
