-- Consumption by meter and ISO week, kWh. The ISO year: 2013-12-30 is in week 1 of 2014.
CREATE TABLE IF NOT EXISTS aggregated_weekly (
    meter_id VARCHAR(64) NOT NULL,
    year INTEGER NOT NULL,
    week_start VARCHAR(8) NOT NULL,
    week_of_year INTEGER NOT NULL,
    consumption DOUBLE PRECISION NOT NULL,
    interval_count INTEGER NOT NULL
)
DISTSTYLE KEY
DISTKEY (meter_id)
SORTKEY (year, meter_id)
