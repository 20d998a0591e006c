"""What people say about meter files of their own: their format, their columns, and how times and values are written.

A description is a JSON object. It comes from the trigger form of ingest_meter_readings, by way of the batch's manifest,
or from a file _transformer.json beside the meter files, which then counts for its folder and those below. Its names are
the attributes of `Description`; what is left out has the default. docs/loading-your-files.md explains each.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, fields
from sys import float_info
from typing import Any

from meter_data.meter_files.lines import UnreadableFileError
from meter_data.readers.timestamps import local_time
from meter_data.readers.timestamps.grammar import PatternError
from meter_data.readers.timestamps.pattern import Pattern

# Where a description comes from that is a parameter of the run.
TRIGGER_FORM = "the trigger form"
# The one name that may stand in a file _transformer.json and is none of Description: the reader of the files.
TRANSFORMER = "transformer"

CSV, JSON, PARQUET, ORC, AVRO = "csv", "json", "parquet", "orc", "avro"
FORMATS = (CSV, JSON, PARQUET, ORC, AVRO)
ENDINGS = {
    ".csv": CSV, ".txt": CSV, ".tsv": CSV, ".psv": CSV,
    ".json": JSON, ".jsonl": JSON, ".ndjson": JSON,
    ".parquet": PARQUET, ".orc": ORC, ".avro": AVRO,
}  # fmt: skip
PACKED = ".gz"

EPOCHS = {"epoch_seconds": 1000, "epoch_milliseconds": 1}  # their milliseconds
UNITS = ("kWh", "Wh", "MWh")
READING_TYPES = ("INT", "AGG")
REJECT, ERROR = "reject", "error"

_CHOICES: dict[str, tuple[str | None, ...]] = {
    "file_format": (None, *FORMATS),
    "unit": UNITS,
    "reading_type": READING_TYPES,
    "decimal_mark": (".", ","),
    "missing_value": (REJECT, ERROR),
}
# What a row of readings has and a header has not. A row is not quoted in messages.
_READING = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{1,2}[./][0-9]{1,2}[./][0-9]{2,4}|^[0-9]*[.,][0-9]+$|^[0-9]{5,}$"
)
# Each opening bracket of a pattern is a level of recursion.
_LONGEST_PATTERN = 200
_POSITION = re.compile(r"[1-9][0-9]{0,3}")


class DescriptionError(ValueError):
    """A description says what cannot be. The message names each fault and what to set."""


class FileDescriptionError(DescriptionError, UnreadableFileError):
    """The description in a file _transformer.json says what cannot be. The files that it describes cannot be read."""


class UnknownFormatError(UnreadableFileError):
    """Neither the name of a file nor its description says its format."""


class UnmatchedColumnsError(UnreadableFileError):
    """A file does not have the columns that its description names."""


@dataclass(frozen=True)
class Description:
    """How meter files are to be read. A column is named as in the header, or by its position, counted from 1."""

    file_format: str | None = None  # by the ending of the file's name
    delimiter: str = ","
    header: bool = True
    meter_id_column: str = "meter_id"
    date_time_column: str | None = "reading_date_time"
    date_column: str | None = None  # with time_column, instead of date_time_column
    time_column: str | None = None
    value_column: str = "reading_value"
    reading_type_column: str | None = None
    error_code_column: str | None = None
    unit_column: str | None = None
    obis_code_column: str | None = None
    timestamp_pattern: str | None = None  # ISO 8601
    time_zone: str = "UTC"
    unit: str = "kWh"
    decimal_mark: str = "."
    reading_type: str = "INT"
    reading_types: tuple[tuple[str, str], ...] = ()  # word of the files, INT, AGG or ERR
    no_error_codes: tuple[str, ...] = ("0",)
    missing_value: str = REJECT
    largest_kwh: float = 100_000.0
    origin: str = TRIGGER_FORM  # where it comes from, for messages

    @property
    def columns(self) -> dict[str, str]:
        """Returns the mapped columns by role: meter_id, date_time or date and time, value, …"""
        named = {name.removesuffix("_column"): getattr(self, name) for name in _COLUMNS}
        if self.date_column and self.time_column:
            named["date_time"] = None
        return {role: name for role, name in named.items() if name}

    def format_of(self, uri: str) -> str:
        """Returns the format of a file. Raises UnknownFormatError when neither the description nor its name says it."""
        if self.file_format:
            return self.file_format
        name = uri.rpartition("/")[2].lower().removesuffix(PACKED)
        for ending, file_format in ENDINGS.items():
            if name.endswith(ending):
                return file_format
        raise UnknownFormatError(
            f"The name of {uri} does not tell its format. Set file_format ({self.origin}), or let the name end in "
            f"{', '.join(ENDINGS)}."
        )


_COLUMNS = [known.name for known in fields(Description) if known.name.endswith("_column")]


def parsed(document: dict[str, Any], origin: str) -> Description:
    """Returns the description in a JSON document.

    Raises DescriptionError with all of its faults, and FileDescriptionError if it does not come from the trigger form.
    """
    known = {each.name: each for each in fields(Description) if each.name != "origin"}
    unknown = sorted(set(document) - set(known) - {TRANSFORMER})
    faults = [f"{name} is no setting; there are: {', '.join(known)}" for name in unknown]
    given = {name: value for name, value in document.items() if name in known and value not in (None, "")}
    faults += [fault for name, value in given.items() if (fault := _fault(name, value))]
    if faults:
        raise error(origin, faults)
    described = Description(**{name: _cleaned(name, value) for name, value in given.items()}, origin=origin)
    if faults := _contradictions(described) + _faults_of_times(described):
        raise error(origin, faults)
    return described


def delimiter_of(described: Description) -> str:
    """Returns the sign itself: a form can hold `tab` or `\\t` only."""
    return "\t" if described.delimiter in ("tab", "\\t") else described.delimiter


def position_of(column: str, header: Iterable[str], exact: bool = False) -> int | None:
    """Returns the place of a column in the header, from 0; None if it is not there. Digits are a position.

    A name that is not found in its very case is looked for in any case. A name that two columns have is not there.
    `exact`: names are looked for in their very case, and digits are a name.
    """
    names = list(header)
    if exact:
        return names.index(column) if column in names else None
    if _POSITION.fullmatch(column):
        return int(column) - 1 if int(column) <= len(names) else None
    for same in (str, str.lower):
        places = [place for place, name in enumerate(names) if same(name) == same(column.strip())]
        if places:
            return places[0] if len(places) == 1 else None
    return None


def require_columns(
    described: Description, header: tuple[str, ...], uri: str, sparse: Iterable[str] = (), exact: bool = False
) -> None:
    """Raises UnmatchedColumnsError unless the file has every mapped column. Those of the roles `sparse` may be absent.

    `exact`: columns have names in their very case, and no positions.
    """
    missing = {
        role: name
        for role, name in described.columns.items()
        if role not in sparse and position_of(name, header, exact) is None
    }
    if not missing:
        return
    wanted = "\n".join(f"  {role}_column = {name}" for role, name in missing.items())
    if described.format_of(uri) == JSON and not header:
        raise UnmatchedColumnsError(
            f"No line at the beginning of {uri} is an object of JSON. Deliver JSON Lines: each reading an object on a "
            "line of its own, without line ends in it."
        )
    if described.header and not any(header):
        raise UnmatchedColumnsError(
            f"{uri} begins with a line without names of columns. Deliver the file with a header as its first line."
        )
    if described.format_of(uri) == CSV and described.header and any(map(_READING.search, header)):
        raise UnmatchedColumnsError(
            f"{uri} begins with a line that holds a time or a number, so it is no header. If the files have no header, "
            f"set header ({described.origin}) to false and give the columns by their positions. Otherwise deliver the "
            "file with a header as its first line. docs/loading-your-files.md explains each setting."
        )
    shown = "\n".join(f"  {place}  {name}" for place, name in enumerate(header, start=1))
    hint = ""
    if described.format_of(uri) == CSV and len(header) == 1:
        hint = f"\nIt has one column only: set delimiter, which is now {described.delimiter!r}."
    raise UnmatchedColumnsError(
        f"{uri} has the columns\n{shown}\nbut the description of the files ({described.origin}) names columns that are "
        f"not there, or there twice:\n{wanted}{hint}\nSet these to names or positions of the list above and trigger "
        "ingest_meter_readings again; docs/loading-your-files.md explains each setting."
    )


def _fault(name: str, value: Any) -> str | None:
    if name in _CHOICES:
        choices = ", ".join(str(choice) for choice in _CHOICES[name] if choice)
        return None if value in _CHOICES[name] else f"{name} must be one of {choices}, not {value!r}"
    if name == "header":
        return None if isinstance(value, bool) else f"header must be true or false, not {value!r}"
    if name == "largest_kwh":
        is_number = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= float_info.max
        return None if is_number else f"largest_kwh must be a number above 0, not {value!r}"
    if name == "no_error_codes":
        is_list = isinstance(value, list) and all(isinstance(code, str) for code in value)
        return None if is_list else f"no_error_codes must be a list of texts, not {value!r}"
    if name == "reading_types":
        words = isinstance(value, dict) and all(kind in (*READING_TYPES, "ERR") for kind in value.values())
        return None if words else f"reading_types must give INT, AGG or ERR for each word of the files, not {value!r}"
    if name in _COLUMNS and isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return None
    return None if isinstance(value, str) and value else f"{name} must be a text, not {value!r}"


def _contradictions(described: Description) -> list[str]:
    faults = []
    if bool(described.date_column) != bool(described.time_column):
        faults.append("date_column and time_column go together: set both, or date_time_column alone")
    delimiter = delimiter_of(described)
    if len(delimiter) > 5 or '"' in delimiter or "\n" in delimiter or "\r" in delimiter:
        faults.append(f"delimiter must be one to five signs, tab for a tabulator, not {described.delimiter!r}")
    if not described.header:
        faults += [
            f"{role}_column must be a position (1, 2, …) as header is false, not {name!r}"
            for role, name in described.columns.items()
            if not _POSITION.fullmatch(name)
        ]
    return faults


def _faults_of_times(described: Description) -> list[str]:
    faults = []
    zone, pattern = described.time_zone, described.timestamp_pattern
    if not local_time.is_zone(zone):
        faults.append(f"time_zone must be a name such as Europe/London, or an offset such as +01:00, not {zone!r}")
    if pattern and len(pattern) > _LONGEST_PATTERN:
        faults.append(f"timestamp_pattern must be of at most {_LONGEST_PATTERN} signs, not of {len(pattern):,}")
    elif pattern and pattern not in EPOCHS:
        try:
            Pattern(pattern)
        except PatternError as refused:
            faults.append(f"timestamp_pattern {pattern!r} cannot be used: {refused}")
    return faults


def _cleaned(name: str, value: Any) -> Any:
    """Returns the value in the type of its attribute. A position may have been given as a number."""
    if isinstance(value, list):
        return tuple(text.strip() for text in value)
    if isinstance(value, dict):
        return tuple((word.strip().lower(), kind) for word, kind in value.items())
    if name == "largest_kwh":
        return float(value)
    return str(value) if name in _COLUMNS else value


def error(origin: str, faults: list[str]) -> DescriptionError:
    """Returns the error of a description with these faults."""
    listed = "\n".join(f"  {fault}" for fault in faults)
    advice = "Correct it and trigger ingest_meter_readings again."
    kind = DescriptionError if origin == TRIGGER_FORM else FileDescriptionError
    return kind(f"The description of the meter files ({origin}) cannot be used:\n{listed}\n{advice}")
