-- Consumption by meter and day, kWh. The calendar year of the day.
CREATE TABLE IF NOT EXISTS aggregated_daily (
    meter_id VARCHAR(64) NOT NULL,
    year INTEGER NOT NULL,
    date_str VARCHAR(8) NOT NULL,
    consumption DOUBLE PRECISION NOT NULL,
    interval_count INTEGER NOT NULL
)
DISTSTYLE KEY
DISTKEY (meter_id)
SORTKEY (year, meter_id)
