-- The columns of a published file in its own order: COPY of Parquet goes by position. The year is a folder, no column.
CREATE TEMP TABLE aggregated_monthly_copied (
    meter_id VARCHAR(64),
    month_start VARCHAR(8),
    month INTEGER,
    consumption DOUBLE PRECISION,
    interval_count INTEGER
)
DISTKEY (meter_id)
