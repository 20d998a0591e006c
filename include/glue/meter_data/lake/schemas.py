"""Columns of the zones, in the order of their files. Times are UTC, values kWh.

Texts with few distinct values are dictionaries in memory. In a Parquet file they are texts like others.
"""

from __future__ import annotations

import pyarrow as pa

INTERVAL, REGISTER, ERROR = "INT", "AGG", "ERR"
# The code of a reading type is its place here.
TYPES = (INTERVAL, REGISTER, ERROR)

TEXT, CODED = pa.string(), pa.dictionary(pa.int32(), pa.string())
INSTANT = pa.timestamp("us", "UTC")
INT, REAL = pa.int32(), pa.float64()

# One reading of a meter at a time: what makes two rows the same reading.
KEY = ("meter_id", "reading_type", "reading_date_time")

CLEAN = pa.schema(
    [
        ("meter_id", CODED),
        ("reading_value", REAL),
        ("reading_type", CODED),
        ("reading_date_time", INSTANT),
        ("date_str", CODED),
        ("obis_code", CODED),
        ("error_code", CODED),
        ("iso_year", INT),
        ("week_of_year", INT),
        ("day_of_month", INT),
        ("month", INT),
        ("year", INT),
        ("hour", INT),
        ("minute", INT),
        ("source_file", CODED),
        ("delivered_at", INSTANT),
        # The row's place in its file: a later row has a larger one. For a text file read as a whole, its line's number.
        ("source_row", pa.int64()),
        # The batch, which the name of the folder says too: Redshift's COPY does not see folders.
        ("source_batch", CODED),
    ]
)
# meter_id and date_str (yyyyMMdd, UTC) as far as they can be read in the row, else null.
QUARANTINE = pa.schema(
    [
        ("source_file", TEXT),
        ("line", TEXT),
        ("reason", TEXT),
        ("delivered_at", INSTANT),
        ("meter_id", TEXT),
        ("date_str", TEXT),
    ]
)
# Without the partition keys reading_type and month.
BUSINESS = pa.schema(
    [
        ("meter_id", CODED),
        ("reading_value", REAL),
        ("reading_date_time", INSTANT),
        ("date_str", CODED),
        ("obis_code", CODED),
        ("error_code", CODED),
        ("iso_year", INT),
        ("week_of_year", INT),
        ("day_of_month", INT),
        ("year", INT),
        ("hour", INT),
        ("minute", INT),
        ("delivered_at", INSTANT),
    ]
)
AGGREGATED_DAILY = pa.schema([("meter_id", TEXT), ("date_str", TEXT), ("consumption", REAL), ("interval_count", INT)])
AGGREGATED_WEEKLY = pa.schema(
    [("meter_id", TEXT), ("week_start", TEXT), ("week_of_year", INT), ("consumption", REAL), ("interval_count", INT)]
)
AGGREGATED_MONTHLY = pa.schema(
    [("meter_id", TEXT), ("month_start", TEXT), ("month", INT), ("consumption", REAL), ("interval_count", INT)]
)
# One row for each day on which a meter is expected, see completeness.
COMPLETENESS = pa.schema(
    [
        ("meter_id", TEXT),
        ("date_str", TEXT),
        ("expected", INT),
        ("received", INT),
        ("estimated", INT),
        ("rejected", INT),
        ("duplicates", INT),
        ("first_reading", INSTANT),
        ("last_reading", INSTANT),
    ]
)
ANOMALY = pa.schema(
    [
        ("meter_id", TEXT),
        ("ds", pa.date32()),
        ("consumption", REAL),
        ("yhat_lower", REAL),
        ("yhat_upper", REAL),
        ("anomaly", INT),
        ("importance", REAL),
        ("temperature", REAL),
        ("apparenttemperature", REAL),
    ]
)
# What a delivery brought of a meter and a day, see tallies.
TALLY = pa.schema(
    [
        ("source_file", TEXT),
        ("delivered_at", INSTANT),
        ("meter_id", TEXT),
        ("date_str", TEXT),
        ("readings", INT),
        ("rejected", INT),
    ]
)
