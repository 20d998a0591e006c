-- The columns of a published file in its own order: COPY of Parquet goes by position. The year is a folder, no column.
CREATE TEMP TABLE aggregated_daily_copied (
    meter_id VARCHAR(64),
    date_str VARCHAR(8),
    consumption DOUBLE PRECISION,
    interval_count INTEGER
)
DISTKEY (meter_id)
