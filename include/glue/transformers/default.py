"""Any extract of a meter data management system that a description can tell how to read (zones/description.py).

A row becomes
- an error reading (ERR, no value) when it has an error code, when its type says so or when its value is the word Null;
  the code is the row's, NULL for the word, UNKNOWN when only the type says it.
- an interval reading (INT) or a register reading (AGG) otherwise, by its type's column or by the description.
- a reject when something is wrong with it; `REASONS` are its possible reasons, the first that applies is given.

Times become UTC, values kWh. A wall clock that a change of the clocks repeats gets its instant later, when all rows
that show it are known (zones/local_time.py); one that a change leaves out does not exist and is a reject.
"""

from __future__ import annotations

import re

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as sql

from transformers.zones import described, local_time
from transformers.zones import fields as field
from transformers.zones.description import EPOCHS, Description
from transformers.zones.description import ERROR as KEPT_AS_ERROR
from transformers.zones.schemas import ERROR, INTERVAL, READING, REASON, REGISTER

HEADERS: tuple[tuple[str, ...], ...] = ()  # its files' columns are named by their description

NULL_WORD, NULL_CODE, UNKNOWN_CODE = "null", "NULL", "UNKNOWN"
LARGEST_REGISTER_KWH = 1e12

NONEXISTENT_LOCAL_TIME, UNKNOWN_READING_TYPE = "nonexistent_local_time", "unknown_reading_type"
UNKNOWN_UNIT, INVALID_ERROR_CODE, INVALID_OBIS_CODE = "unknown_unit", "invalid_error_code", "invalid_obis_code"
REASONS = (
    field.MISSING_METER_ID,
    field.METER_ID_LOST_DIGITS,
    field.INVALID_METER_ID,
    field.MALFORMED_TIMESTAMP,
    field.IMPOSSIBLE_TIMESTAMP,
    NONEXISTENT_LOCAL_TIME,
    UNKNOWN_READING_TYPE,
    INVALID_OBIS_CODE,
    INVALID_ERROR_CODE,
    field.MISSING_VALUE,
    field.NOT_A_NUMBER,
    UNKNOWN_UNIT,
    field.NEGATIVE_VALUE,
    field.VALUE_TOO_LARGE,
)

_ISO = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})?)?$"
_ISO_OFFSET = r"(Z|[+-][0-9]{2}:[0-9]{2})$"
_LETTERS_OF_OFFSETS = re.compile(r"[XxZzVO]")
_EPOCH = r"^[0-9]{1,14}(\.[0-9]{1,9})?$"


def transform(fields: DataFrame, description: Description | None = None) -> DataFrame:
    """Columns by role (described.ROLES) to readings and reasons; see the package. Other columns are carried along.

    Adds, beside what every transformer gives, local_time.AMBIGUOUS and what decides between two instants.
    """
    described_as = description or Description()
    carried = [name for name in fields.columns if name not in described.ROLES]
    times = _with_times(fields, described_as)
    texts = times.select(
        *carried,
        sql.trim("meter_id").alias("meter_id"),
        "wall_clock",
        "instant",
        "time_reason",
        _trimmed("reading_type").alias("type_text"),
        _trimmed("error_code").alias("code_text"),
        _trimmed("unit").alias("unit_text"),
        _trimmed("obis_code").alias("obis_text"),
        _number_text(described_as).alias("value_text"),
    )
    value_text = sql.col("value_text")
    values = texts.select(
        "*",
        _type(described_as).alias("type"),
        (sql.lower(value_text) == NULL_WORD).alias("is_null_word"),
        _code(described_as).alias("code"),
        _kwh(described_as).alias("kwh"),
    )
    return _readings(values, carried, described_as)


def _readings(values: DataFrame, carried: list[str], description: Description) -> DataFrame:
    meter_id, kind, kwh, code = sql.col("meter_id"), sql.col("type"), sql.col("kwh"), sql.col("code")
    value_text, obis = sql.col("value_text"), sql.col("obis_text")
    is_missing = (value_text == "") & (sql.lit(description.missing_value == KEPT_AS_ERROR))
    is_error = (kind == ERROR) | code.isNotNull() | sql.col("is_null_word") | is_missing
    largest = sql.when(kind == REGISTER, LARGEST_REGISTER_KWH).otherwise(description.largest_kwh)
    reason = (
        field.meter_id_reason(meter_id)
        .when(sql.col("time_reason").isNotNull(), sql.col("time_reason"))
        .when(kind.isNull(), UNKNOWN_READING_TYPE)
        .when(~field.is_code(obis), INVALID_OBIS_CODE)
        .when(code.isNotNull() & ~field.is_code(code), INVALID_ERROR_CODE)
        .when(is_error, None)
        .when(value_text == "", field.MISSING_VALUE)
        .when(~field.is_number(value_text), field.NOT_A_NUMBER)
        .when(kwh.isNull(), UNKNOWN_UNIT)
        .when(kwh < 0, field.NEGATIVE_VALUE)
        .when(kwh > largest, field.VALUE_TOO_LARGE)
    )
    null_code = sql.when(sql.col("is_null_word") | (value_text == ""), NULL_CODE).otherwise(UNKNOWN_CODE)
    judged = values.select(
        "*", is_error.alias("is_error"), reason.alias(REASON), _later(description).alias(local_time.LATER)
    )
    error = sql.col("is_error")
    return judged.select(
        *carried,
        "meter_id",
        # -0 is 0.
        sql.when(~error, sql.abs(kwh)).alias("reading_value"),
        sql.when(error, ERROR).otherwise(kind).alias("reading_type"),
        sql.col("instant").alias("reading_date_time"),
        sql.when(obis != "", obis).alias("obis_code"),
        sql.when(error, sql.coalesce(code, null_code)).alias("error_code"),
        REASON,
        (sql.col(REASON).isNull() & sql.col(local_time.LATER).isNotNull()).alias(local_time.AMBIGUOUS),
        sql.col("wall_clock").alias(local_time.WALL_CLOCK),
        local_time.LATER,
        (kind == REGISTER).alias(local_time.IS_REGISTER),
    ).select(
        *carried,
        *READING,
        REASON,
        local_time.AMBIGUOUS,
        local_time.WALL_CLOCK,
        local_time.LATER,
        local_time.IS_REGISTER,
    )


# Times.


def _with_times(fields: DataFrame, description: Description) -> DataFrame:
    """The fields with `wall_clock` (null for an instant), `instant` (the earlier one) and `time_reason`."""
    zone = description.time_zone
    kind = dict(fields.dtypes)["date_time"]
    if kind == "timestamp":
        return _finished(fields, sql.lit(None).cast("timestamp"), _to_millisecond(sql.col("date_time")), zone)
    if kind == "timestamp_ntz":
        return _finished(fields, _to_millisecond(sql.col("date_time").cast("timestamp")), None, zone)
    given = _trimmed("date_time")
    if "date_time" not in description.columns:
        given = sql.trim(sql.concat_ws(" ", _trimmed("date"), _trimmed("time")))
    texts = fields.withColumn("time_text", given)
    text, pattern = sql.col("time_text"), description.timestamp_pattern
    if pattern in EPOCHS:
        millis = (text.cast("decimal(30,9)") * EPOCHS[pattern]).cast("long")
        instant = sql.when(text.rlike(_EPOCH), sql.timestamp_millis(millis))
        return _finished(texts, sql.lit(None).cast("timestamp"), instant, zone)
    if pattern is None:
        shape = text.rlike(_ISO)
        read = texts.withColumn("read", sql.when(shape, _to_millisecond(text.cast("timestamp"))))
        reason = sql.when(~shape, field.MALFORMED_TIMESTAMP).when(sql.col("read").isNull(), field.IMPOSSIBLE_TIMESTAMP)
        has_offset = text.rlike(_ISO_OFFSET)
        clock, instant = sql.when(~has_offset, sql.col("read")), sql.when(has_offset, sql.col("read"))
        return _finished(read, clock, instant, zone, reason)
    read = texts.withColumn("read", _to_millisecond(sql.to_timestamp(text, pattern)))
    if has_offset_letters(pattern):
        return _finished(read, sql.lit(None).cast("timestamp"), sql.col("read"), zone)
    return _finished(read, sql.col("read"), None, zone)


def has_offset_letters(pattern: str) -> bool:
    """Whether texts of this pattern say their own offset from UTC."""
    return bool(_LETTERS_OF_OFFSETS.search(re.sub(r"'[^']*'", "", pattern)))


def _finished(
    fields: DataFrame, clock: Column, instant: Column | None, zone: str, reason: Column | None = None
) -> DataFrame:
    """The columns of `_with_times` out of a wall clock, or an instant where that is null."""
    given = fields.select("*", clock.alias("wall_clock"), (instant if instant is not None else clock).alias("given"))
    wall_clock = sql.col("wall_clock")
    if local_time.is_utc(zone):
        found = given.withColumn("instant", sql.coalesce("given", "wall_clock"))
        absent = sql.lit(None).cast("string")
    else:
        of_clock = local_time.earlier_instant(wall_clock, zone)
        found = given.withColumn("instant", sql.when(wall_clock.isNotNull(), of_clock).otherwise(sql.col("given")))
        absent = sql.when(~local_time.exists(wall_clock, sql.col("instant"), zone), NONEXISTENT_LOCAL_TIME)
    malformed = sql.when(sql.col("instant").isNull(), field.MALFORMED_TIMESTAMP)
    reasons = [reason, malformed, absent] if reason is not None else [malformed, absent]
    return found.withColumn("time_reason", sql.coalesce(*reasons))


def _later(description: Description) -> Column:
    """The second instant of an ambiguous wall clock, else null."""
    if local_time.is_utc(description.time_zone):
        return sql.lit(None).cast("timestamp")
    return local_time.later_instant(sql.col("wall_clock"), sql.col("instant"), description.time_zone)


def _to_millisecond(time: Column) -> Column:
    return sql.timestamp_millis(sql.unix_millis(time))


# Values, types and codes.


def _trimmed(role: str) -> Column:
    """The text of a field without the spaces around it; empty where there is none."""
    return sql.coalesce(sql.trim(sql.col(role).cast("string")), sql.lit(""))


def _number_text(description: Description) -> Column:
    """The value's text with a point as decimal mark; with a comma as mark a point is no part of a number."""
    text = _trimmed("value")
    return sql.translate(text, ",.", ".,") if description.decimal_mark == "," else text


def _type(description: Description) -> Column:
    """INT, AGG or ERR; null for an unknown word."""
    if "reading_type" not in description.columns:
        return sql.lit(description.reading_type)
    word = sql.lower("type_text")
    known = {kind.lower(): kind for kind in (INTERVAL, REGISTER, ERROR)} | dict(description.reading_types)
    found = sql.when(word == "", description.reading_type)
    for text, kind in known.items():
        found = found.when(word == text, kind)
    return found


def _code(description: Description) -> Column:
    """The row's error code; null when it has none."""
    code = sql.col("code_text")
    return sql.when(~code.isin("", *description.no_error_codes), code)


def _kwh(description: Description) -> Column:
    """The value in kWh; null for an unknown unit, or what is no number."""
    number = sql.col("value_text").cast("double")
    # Not times 0.001: 219 Wh are 0.219 kWh to the last digit. Nine decimals are a millionth of a watt-hour.
    by_unit = {"kwh": number, "wh": number / 1000, "mwh": sql.round(number * 1000, 9)}
    if "unit" not in description.columns:
        return by_unit[description.unit.lower()]
    unit = sql.lower("unit_text")
    found = sql.when(unit == "", by_unit[description.unit.lower()])
    for name, value in by_unit.items():
        found = found.when(unit == name, value)
    return found
