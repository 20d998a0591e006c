"""Delivered weather and geography as rows of their tables: columns in order, every key once.

Suppliers order the columns as they like, quote texts (Dark Sky's hold a line break), write NULL, add a header or not; a
table of the catalog finds its columns by place, its rows by line breaks, and knows no quotes. So the rows are written
anew in the columns that infra/catalog.yaml declares.

A file is text in UTF-8 (plain or gzip), fields separated by commas. A bad line fails its file, with the line's number:
the values stay out of the message, since a position is a household's.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
from collections.abc import Callable
from datetime import UTC, datetime

WEATHER_COLUMNS = (
    "time",
    "temperature",
    "apparenttemperature",
    "humidity",
    "visibility",
    "windbearing",
    "dewpoint",
    "pressure",
    "windspeed",
    "preciptype",
    "icon",
    "summary",
)
WEATHER_REQUIRED = WEATHER_COLUMNS[:4]
WEATHER_TEXTS = ("preciptype", "icon", "summary")
POSITION_COLUMNS = ("meter_id", "lat", "long")
NULLS = {"", "null", "na", "\\n"}
DEGREES = {"lat": 90.0, "long": 180.0}
SHOWN = 5

# Rows of a table by their key, each value as it is written; "" is null.
Rows = dict[str, tuple[str, ...]]

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_GZIP = b"\x1f\x8b"


class ReferenceFileError(ValueError):
    """A delivered file cannot be read; the message names the file, the lines and what to do."""


class _BadFieldError(ValueError):
    """What is wrong with a field of a line."""


def weather(name: str, content: bytes) -> Rows:
    """Hourly weather by time, "yyyy-MM-dd HH:mm:ss" in UTC. Times without a zone are UTC; those off the hour are left
    out; of two rows of an hour the last counts.

    The file has a header, in any order and case; columns of other names are passed over. Raises ReferenceFileError.
    """
    lines = _lines(name, content)
    header = [field.lower() for field in lines[0][1]] if lines else []
    if missing := [column for column in WEATHER_REQUIRED if column not in header]:
        raise ReferenceFileError(
            f"{name} has no column {', '.join(missing)}. Its first line must name {', '.join(WEATHER_REQUIRED)}, and "
            f"may name {', '.join(WEATHER_COLUMNS[4:])}, in any order. Mend the file in the landing zone."
        )

    def row(fields: list[str]) -> tuple[str, ...] | None:
        given = dict(zip(header, fields, strict=True))
        time = _hour(given["time"])
        values = (
            _text(given.get(column, "")) if column in WEATHER_TEXTS else _number(column, given.get(column, ""))
            for column in WEATHER_COLUMNS[1:]
        )
        return None if time is None else (time, *values)

    return _rows(name, lines[1:], len(header), row)


def positions(name: str, content: bytes) -> Rows:
    """Where meters are, in degrees (WGS 84), by meter; of two rows of a meter the last counts.

    A first line that names the columns says their order; without it they are meter_id, lat, long. Raises
    ReferenceFileError.
    """
    lines = _lines(name, content)
    first = [field.lower() for field in lines[0][1]] if lines else []
    named = set(POSITION_COLUMNS) <= set(first)
    columns = first if named else list(POSITION_COLUMNS)

    def row(fields: list[str]) -> tuple[str, ...]:
        given = dict(zip(columns, fields, strict=True))
        meter = _text(given["meter_id"])
        if not meter:
            raise _BadFieldError("meter_id is empty")
        return meter, _degrees("lat", given["lat"]), _degrees("long", given["long"])

    return _rows(name, lines[1:] if named else lines, len(columns), row)


def text_of(rows: Rows) -> str:
    """The rows in the order of their keys, as the tables of the catalog read them."""
    return "".join("\t".join(row) + "\n" for _, row in sorted(rows.items()))


def _lines(name: str, content: bytes) -> list[tuple[int, list[str]]]:
    """Number and fields of every line that is not blank."""
    try:
        plain = gzip.decompress(content) if content.startswith(_GZIP) else content
        reader = csv.reader(io.StringIO(plain.decode("utf-8-sig"), newline=""))
        return [(reader.line_num, [field.strip() for field in fields]) for fields in reader if any(fields)]
    except (UnicodeDecodeError, OSError, EOFError, csv.Error) as error:
        raise ReferenceFileError(
            f"{name} is no text in UTF-8 with commas between its fields ({type(error).__name__}). Deliver it anew."
        ) from None


def _rows(
    name: str, lines: list[tuple[int, list[str]]], fields_each: int, row: Callable[[list[str]], tuple[str, ...] | None]
) -> Rows:
    found: Rows = {}
    wrong = []
    for number, fields in lines:
        try:
            if len(fields) != fields_each:
                raise _BadFieldError(f"{len(fields)} fields instead of {fields_each}")
            made = row(fields)
        except _BadFieldError as error:
            wrong.append(f"line {number}: {error}")
            continue
        if made is not None:
            found[made[0]] = made
    if wrong:
        more = f" and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
        raise ReferenceFileError(
            f"{name} holds {len(wrong)} lines that cannot be read: {'; '.join(wrong[:SHOWN])}{more}. Mend the file in "
            "the landing zone and clear this task. What was loaded before stays until then."
        )
    return found


def _hour(text: str) -> str | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise _BadFieldError("time is no yyyy-MM-dd HH:mm:ss") from None
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC)
    on_the_hour = not (moment.minute or moment.second or moment.microsecond)
    return f"{moment:%Y-%m-%d %H}:00:00" if on_the_hour else None


def _number(column: str, text: str) -> str:
    if text.lower() in NULLS:
        return ""
    if not _NUMBER.fullmatch(text):
        raise _BadFieldError(f"{column} is no number")
    return text


def _degrees(column: str, text: str) -> str:
    most = DEGREES[column]
    if not _NUMBER.fullmatch(text) or abs(float(text)) > most:
        raise _BadFieldError(f"{column} is no number from {-most:g} to {most:g}")
    return text


def _text(text: str) -> str:
    """Without what the table would take for a new field, a new row or a quote."""
    return "" if text.lower() in NULLS else " ".join(text.replace('"', "").split())
