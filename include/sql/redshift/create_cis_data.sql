-- Who is supplied at which meter, each meter once. Personal data: see revoke_cis_data.
CREATE TABLE IF NOT EXISTS cis_data (
    customer_id VARCHAR(64),
    name VARCHAR(256),
    zip VARCHAR(32),
    city VARCHAR(256),
    state VARCHAR(64),
    street VARCHAR(256),
    phone VARCHAR(64),
    meter_id VARCHAR(64) NOT NULL
)
DISTSTYLE KEY
DISTKEY (meter_id)
SORTKEY (meter_id)
