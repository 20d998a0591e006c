-- The columns of a delivered file in its own order: COPY of CSV goes by position. A line without a meter is refused.
CREATE TEMP TABLE cis_data_copied (
    customer_id VARCHAR(64),
    name VARCHAR(256),
    zip VARCHAR(32),
    city VARCHAR(256),
    state VARCHAR(64),
    street VARCHAR(256),
    phone VARCHAR(64),
    meter_id VARCHAR(64) NOT NULL
)
DISTKEY (meter_id)
