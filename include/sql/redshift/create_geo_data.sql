-- Where the meters are, each meter once. Degrees, WGS 84.
CREATE TABLE IF NOT EXISTS geo_data (
    meter_id VARCHAR(64) NOT NULL,
    lat DOUBLE PRECISION NOT NULL,
    long DOUBLE PRECISION NOT NULL
)
DISTSTYLE KEY
DISTKEY (meter_id)
SORTKEY (meter_id)
