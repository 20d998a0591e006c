"""Low Carbon London: half-hourly kWh of households, in the three layouts in which the data set goes round.

A row becomes
- an interval reading (INT) when it has a value. A time off the half-hour grid makes no difference: the energy was
  metered, and leaving it out would falsify the day's sum.
- an error reading (ERR, error_code NULL, no value) when its value is the word Null, on the grid or off it.
- a reject otherwise; `REASONS` are its possible reasons, the first that applies is given.

Times are UTC all year. obis_code is unknown. Tariff and Acorn columns are not used, so whatever they hold is no fault.
"""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as sql

from transformers.zones import fields as field
from transformers.zones.schemas import ERROR, INTERVAL, READING, REASON

HEADERS = (
    ("LCLid", "stdorToU", "DateTime", "KWH/hh (per half hour)"),
    ("LCLid", "stdorToU", "DateTime", "KWH/hh (per half hour)", "Acorn", "Acorn_grouped"),
    ("LCLid", "tstp", "energy(kWh/hh)"),
)
METER, TIMES, VALUES = "LCLid", ("DateTime", "tstp"), ("KWH/hh (per half hour)", "energy(kWh/hh)")

NULL_WORD = "null"  # in any case
LARGEST_KWH = 1000.0  # in half an hour: 2 MW, more than any low-voltage supply gives
REASONS = (
    field.MISSING_METER_ID,
    field.METER_ID_LOST_DIGITS,
    field.INVALID_METER_ID,
    field.MALFORMED_TIMESTAMP,
    field.IMPOSSIBLE_TIMESTAMP,
    field.MISSING_VALUE,
    field.NOT_A_NUMBER,
    field.NEGATIVE_VALUE,
    field.VALUE_TOO_LARGE,
)


def transform(fields: DataFrame) -> DataFrame:
    """Fields of one layout to readings and reasons; see the package. Other columns are carried along."""
    (time_name,) = (name for name in TIMES if name in fields.columns)
    (value_name,) = (name for name in VALUES if name in fields.columns)
    carried = [name for name in fields.columns if all(name not in header for header in HEADERS)]
    texts = fields.select(
        *carried,
        field.trimmed(METER).alias("meter_id"),
        field.trimmed(time_name).alias("time_text"),
        field.trimmed(value_name).alias("value_text"),
    )
    meter_id, time_text, value_text = sql.col("meter_id"), sql.col("time_text"), sql.col("value_text")
    values = texts.select(
        "*",
        field.utc_timestamp(time_text).alias("reading_date_time"),
        value_text.cast("double").alias("value"),
        (sql.lower(value_text) == NULL_WORD).alias("is_error"),
    )
    is_error, value, time = sql.col("is_error"), sql.col("value"), sql.col("reading_date_time")
    reason = (
        field.meter_id_reason(meter_id)
        .when(~field.is_timestamp(time_text), field.MALFORMED_TIMESTAMP)
        .when(time.isNull(), field.IMPOSSIBLE_TIMESTAMP)
        .when(value_text == "", field.MISSING_VALUE)
        .when(is_error, None)
        .when(~field.is_number(value_text), field.NOT_A_NUMBER)
        .when(value < 0, field.NEGATIVE_VALUE)
        .when(value > LARGEST_KWH, field.VALUE_TOO_LARGE)
    )
    readings = values.select(
        *carried,
        "meter_id",
        # -0 is 0.
        sql.when(~is_error, sql.abs(value)).alias("reading_value"),
        sql.when(is_error, ERROR).otherwise(INTERVAL).alias("reading_type"),
        "reading_date_time",
        sql.lit(None).cast("string").alias("obis_code"),
        sql.when(is_error, NULL_WORD.upper()).alias("error_code"),
        reason.alias(REASON),
    )
    return readings.select(*carried, *READING, REASON)
