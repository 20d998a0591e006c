"""What the trigger form asks about meter files for the transformer `default`, and how the answers reach raw_to_clean.

The names and defaults are those of `Description` in include/glue/meter_data/readers/description.py; a test compares
them. docs/loading-your-files.md explains each.
"""

from __future__ import annotations

from typing import Any

FILE_NAME = "_transformer.json"

_SECTION = "Default transformer"
_COLUMN = {"pattern": r"^\S(.*\S)?$", "maxLength": 200, "section": _SECTION}
_NAMED = "Its name in the header, or its position (1, 2, …)."

# Keyword arguments of airflow.sdk.Param by name.
PARAMS: dict[str, dict[str, Any]] = {
    "file_format": {
        "default": None,
        "type": ["null", "string"],
        "enum": [None, "csv", "json", "parquet", "orc", "avro"],
        "section": _SECTION,
        "description": "Format of the files (json: one object a line). Empty: the ending of each name tells.",
    },
    "delimiter": {
        "default": ",",
        "type": "string",
        "pattern": r'^[^"\r\n]{1,5}$',
        "section": _SECTION,
        "description": "CSV: what stands between two fields; the word tab for a tabulator.",
    },
    "header": {
        "default": True,
        "type": "boolean",
        "enum": [True, False],
        "section": _SECTION,
        "description": "CSV: whether the first line names the columns. If not, give columns by position.",
    },
    "meter_id_column": {
        "default": "meter_id",
        "type": "string",
        **_COLUMN,
        "description": f"The column of the meter's id. {_NAMED}",
    },
    "date_time_column": {
        "default": "reading_date_time",
        "type": ["null", "string"],
        **_COLUMN,
        "description": f"The column of date and time. {_NAMED} Not used when date and time have a column each.",
    },
    "date_column": {
        "default": None,
        "type": ["null", "string"],
        **_COLUMN,
        "description": "The column of the date, when date and time have a column each.",
    },
    "time_column": {
        "default": None,
        "type": ["null", "string"],
        **_COLUMN,
        "description": "The column of the time of day, when date and time have a column each.",
    },
    "value_column": {
        "default": "reading_value",
        "type": "string",
        **_COLUMN,
        "description": f"The column of the value. {_NAMED}",
    },
    "reading_type_column": {
        "default": None,
        "type": ["null", "string"],
        **_COLUMN,
        "description": "The column that says INT (energy of an interval), AGG (register) or ERR; empty: there is none.",
    },
    "error_code_column": {
        "default": None,
        "type": ["null", "string"],
        **_COLUMN,
        "description": "The column of error codes: a row with one is an error reading, whatever its value.",
    },
    "unit_column": {
        "default": None,
        "type": ["null", "string"],
        **_COLUMN,
        "description": "The column that says kWh, Wh or MWh; empty: all rows have the unit below.",
    },
    "obis_code_column": {
        "default": None,
        "type": ["null", "string"],
        **_COLUMN,
        "description": "The column of the OBIS code; empty: there is none.",
    },
    "timestamp_pattern": {
        "default": None,
        "type": ["null", "string"],
        "pattern": r"^\S(.*\S)?$",
        "maxLength": 100,
        "section": _SECTION,
        "description": "How times are written, e.g. dd.MM.yyyy HH:mm (of two columns: the date, a space, the time), or"
        " epoch_seconds, epoch_milliseconds. Empty: 2013-12-31 23:30:00, with T and offset if they have.",
    },
    "time_zone": {
        "default": "UTC",
        "type": "string",
        "pattern": r"^([A-Za-z_]+(/[A-Za-z0-9_+-]+)*|[+-][0-9]{2}:[0-9]{2})$",
        "section": _SECTION,
        "description": "Whose clocks the times are, e.g. Europe/London or +01:00. They are stored as UTC.",
    },
    "unit": {
        "default": "kWh",
        "type": "string",
        "enum": ["kWh", "Wh", "MWh"],
        "section": _SECTION,
        "description": "Unit of the values. They are stored as kWh.",
    },
    "decimal_mark": {
        "default": ".",
        "type": "string",
        "enum": [".", ","],
        "section": _SECTION,
        "description": "What stands before the decimals of values that are text.",
    },
    "reading_type": {
        "default": "INT",
        "type": "string",
        "enum": ["INT", "AGG"],
        "section": _SECTION,
        "description": "Type of rows that do not say it: INT energy of an interval, AGG register.",
    },
    "reading_types": {
        "default": {},
        "type": "object",
        "additionalProperties": {"type": "string", "enum": ["INT", "AGG", "ERR"]},
        "format": "json",
        "section": _SECTION,
        "description": 'What the words of reading_type_column mean, e.g. {"I": "INT", "R": "AGG"}.',
    },
    "no_error_codes": {
        "default": ["0"],
        "type": "array",
        "items": {"type": "string", "maxLength": 32},
        "section": _SECTION,
        "description": "What stands in error_code_column, one a line, when there is no error.",
    },
    "missing_value": {
        "default": "reject",
        "type": "string",
        "enum": ["reject", "error"],
        "section": _SECTION,
        "description": "What a row with neither value nor error code becomes; error: an error reading (code NULL).",
    },
    "largest_kwh": {
        "default": 100_000,
        "type": "number",
        "minimum": 0.001,
        "maximum": 1e9,
        "section": _SECTION,
        "description": "A larger value of an interval, in kWh, is a reject.",
    },
}


def described(params: dict[str, Any]) -> dict[str, Any]:
    """What the parameters of a run say about its files; what is left empty is left out."""
    return {name: params[name] for name in PARAMS if params.get(name) not in (None, "")}
