-- Consumption by meter and calendar month, kWh.
CREATE TABLE IF NOT EXISTS aggregated_monthly (
    meter_id VARCHAR(64) NOT NULL,
    year INTEGER NOT NULL,
    month_start VARCHAR(8) NOT NULL,
    month INTEGER NOT NULL,
    consumption DOUBLE PRECISION NOT NULL,
    interval_count INTEGER NOT NULL
)
DISTSTYLE KEY
DISTKEY (meter_id)
SORTKEY (year, meter_id)
