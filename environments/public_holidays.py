"""Write the public holidays that detect_anomalies knows, as the library `holidays` has them:

    .venv-local/bin/python -m environments.public_holidays

They are generated and not asked for when the job runs, so that a job of AWS Glue needs no package from the internet,
which a private subnet does not reach and a Region in China only sometimes. Run it again when the year ends: some
countries set their holidays for one year at a time.
"""

from __future__ import annotations

import textwrap
from collections import Counter
from datetime import date
from pathlib import Path

import holidays

PATH = Path(__file__).resolve().parents[1] / "include" / "glue" / "transformers" / "anomalies" / "public_holidays.py"
YEARS = range(2011, 2031)
# fmt: off
COUNTRIES = [
    "AE", "AT", "AU", "BE", "BR", "CA", "CH", "CN", "CZ", "DE", "DK", "ES", "FI", "FR", "GB", "GB-ENG", "GB-NIR",
    "GB-SCT", "GB-WLS", "GR", "HK", "IE", "IN", "IT", "JP", "KR", "MX", "NL", "NO", "NZ", "PL", "PT", "SA", "SE", "SG",
    "US", "ZA",
]
# fmt: on
WIDTH = 120 - len('        "" ')

HEADER = f'''\
"""Public holidays of countries (ISO 3166-1) and of the nations of the UK (ISO 3166-2), {YEARS[0]} to {YEARS[-1]}.

Generated from the library holidays {holidays.__version__} by `python -m environments.public_holidays`; do not edit.
MMdd stands for a date of every year; those after `yyyy:` are the others of that year.
"""

FIRST_YEAR, LAST_YEAR = {YEARS[0]}, {YEARS[-1]}

DATES = {{
'''


def generate() -> str:
    """The text of the module."""
    return HEADER + "".join(_entry(country) for country in COUNTRIES) + "}\n"


def dates(country: str) -> set[date]:
    """The public holidays of YEARS, for the whole country or, with `country-subdivision`, for that part of it."""
    code, _, subdivision = country.partition("-")
    return set(holidays.country_holidays(code, subdiv=subdivision or None, years=YEARS))


def _entry(country: str) -> str:
    found = dates(country)
    counts = Counter(f"{day:%m%d}" for day in found)
    every_year = {text for text, count in counts.items() if count == len(YEARS)}
    words = sorted(every_year)
    for year in YEARS:
        others = sorted(f"{day:%m%d}" for day in found if day.year == year and f"{day:%m%d}" not in every_year)
        words += [f"{year}:", *others] if others else []
    lines = textwrap.wrap(" ".join(words), WIDTH)
    quoted = "".join(f'        "{line} "\n' for line in lines[:-1]) + f'        "{lines[-1]}"\n'
    if len(lines) == 1:
        return f'    "{country}": "{lines[0]}",\n'
    return f'    "{country}": (\n{quoted}    ),\n'


if __name__ == "__main__":
    PATH.write_text(generate(), encoding="utf-8")
