-- The columns of a clean file in its own order: COPY of Parquet goes by position.
CREATE TEMP TABLE daily_copied (
    meter_id VARCHAR(64),
    reading_value DOUBLE PRECISION,
    reading_type VARCHAR(3),
    reading_date_time TIMESTAMP,
    date_str VARCHAR(8),
    obis_code VARCHAR(32),
    error_code VARCHAR(32),
    iso_year INTEGER,
    week_of_year INTEGER,
    day_of_month INTEGER,
    month INTEGER,
    year INTEGER,
    hour INTEGER,
    minute INTEGER,
    source_file VARCHAR(1024),
    delivered_at TIMESTAMP,
    source_row BIGINT,
    source_batch VARCHAR(32)
)
DISTKEY (meter_id)
