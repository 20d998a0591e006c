"""Write the public holidays that detect_anomalies knows, as the library `holidays` has them:

    .venv-local/bin/python -m environments.public_holidays

They are generated and not asked for when the job runs, so that a job of AWS Glue needs no package from the internet,
which a private subnet does not reach and a Region in China only sometimes. Run it again when the year ends: some
countries set their holidays for one year at a time.
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from pathlib import Path

import holidays

PATH = Path(__file__).resolve().parents[1] / "include" / "glue" / "meter_data" / "anomalies" / "public_holidays.json"
YEARS = range(2011, 2031)
# fmt: off
COUNTRIES = [
    "AE", "AT", "AU", "BE", "BR", "CA", "CH", "CN", "CZ", "DE", "DK", "ES", "FI", "FR", "GB", "GB-ENG", "GB-NIR",
    "GB-SCT", "GB-WLS", "GR", "HK", "IE", "IN", "IT", "JP", "KR", "MX", "NL", "NO", "NZ", "PL", "PT", "SA", "SE", "SG",
    "US", "ZA",
]
# fmt: on
ABOUT = (
    f"Public holidays of countries (ISO 3166-1) and of the nations of the UK (ISO 3166-2). Generated from the library "
    f"holidays {holidays.__version__} by `python -m environments.public_holidays`; do not edit. `every` are the dates "
    "(MMdd) of every year from `first_year` to `last_year`; under a year stand its others."
)


def generate() -> str:
    """Returns the text of the file: a line for each country."""
    entries = [f'  "{country}": {json.dumps(_entry(country))}' for country in COUNTRIES]
    head = {"about": ABOUT, "first_year": YEARS[0], "last_year": YEARS[-1]}
    members = "".join(f' "{name}": {json.dumps(value)},\n' for name, value in head.items())
    return "{\n" + members + ' "dates": {\n' + ",\n".join(entries) + "\n }\n}\n"


def dates(country: str) -> set[date]:
    """The public holidays of YEARS, for the whole country or, with `country-subdivision`, for that part of it."""
    code, _, subdivision = country.partition("-")
    return set(holidays.country_holidays(code, subdiv=subdivision or None, years=YEARS))


def _entry(country: str) -> dict[str, str]:
    """Dates by year as MMdd, separated by spaces; those that every year has under `every`."""
    found = dates(country)
    counts = Counter(f"{day:%m%d}" for day in found)
    every_year = {text for text, count in counts.items() if count == len(YEARS)}
    entry = {"every": " ".join(sorted(every_year))}
    for year in YEARS:
        others = sorted(f"{day:%m%d}" for day in found if day.year == year and f"{day:%m%d}" not in every_year)
        entry |= {str(year): " ".join(others)} if others else {}
    return entry


if __name__ == "__main__":
    PATH.write_text(generate(), encoding="utf-8")
