-- Readings, each once: (meter_id, reading_type, reading_date_time). Times are UTC. merged_at is when the reading's
-- batch was merged into the business zone.
CREATE TABLE IF NOT EXISTS daily (
    meter_id VARCHAR(64) NOT NULL,
    reading_value DOUBLE PRECISION,
    reading_type VARCHAR(3) NOT NULL,
    reading_date_time TIMESTAMP NOT NULL,
    date_str VARCHAR(8) NOT NULL,
    obis_code VARCHAR(32),
    error_code VARCHAR(32),
    iso_year INTEGER,
    week_of_year INTEGER,
    day_of_month INTEGER,
    month INTEGER,
    year INTEGER NOT NULL,
    hour INTEGER,
    minute INTEGER,
    delivered_at TIMESTAMP NOT NULL,
    merged_at TIMESTAMP NOT NULL
)
DISTSTYLE KEY
DISTKEY (meter_id)
SORTKEY (year, meter_id)
