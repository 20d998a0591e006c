-- A COPY knows no order of lines and files: of two lines of a meter the one that sorts last is kept, at every load the
-- same one.
INSERT INTO cis_data (
    customer_id,
    name,
    zip,
    city,
    state,
    street,
    phone,
    meter_id
)
SELECT
    customer_id,
    name,
    zip,
    city,
    state,
    street,
    phone,
    meter_id
FROM (
    SELECT
        customer_id,
        name,
        zip,
        city,
        state,
        street,
        phone,
        meter_id,
        ROW_NUMBER() OVER (
            PARTITION BY meter_id
            ORDER BY customer_id DESC, name DESC, zip DESC, city DESC, state DESC, street DESC, phone DESC
        ) AS place
    FROM cis_data_copied
) AS ranked
WHERE place = 1
