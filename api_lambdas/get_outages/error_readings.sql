-- sqlfluff:dialect:athena
-- sqlfluff:templater:placeholder:param_style:question_mark
-- Error readings in the order of time and meter, at most so many, with the place of each meter.
WITH found AS (
    SELECT
        meter_id,
        reading_date_time,
        date_str,
        error_code
    FROM daily
    WHERE
        reading_type = 'ERR'
        -- Partitions are months (yyyyMM) or days (yyyyMMdd): from yyyyMM to yyyyMMdd both are found.
        AND month >= ?
        AND month <= ?
        AND reading_date_time >= CAST(? AS TIMESTAMP)
        AND reading_date_time < CAST(? AS TIMESTAMP)
        -- '' asks for readings of any code, and of none.
        AND ? IN ('', error_code)
        -- A meter has one error reading at a time: the next page begins after the last meter of the one before.
        AND (reading_date_time > CAST(? AS TIMESTAMP) OR meter_id > ?)
    ORDER BY reading_date_time, meter_id
    LIMIT ?
),

-- A meter may be listed twice: of several places one is taken, always the same. What is no place on earth is none.
places AS (
    SELECT
        meter_id,
        lat,
        long,
        ROW_NUMBER() OVER (PARTITION BY meter_id ORDER BY lat, long) AS place_number
    FROM (
        SELECT
            meter_id,
            TRY_CAST(lat AS DOUBLE) AS lat,
            TRY_CAST(long AS DOUBLE) AS long -- noqa: RF04
        FROM geodata
    ) AS given
    WHERE lat BETWEEN -90 AND 90 AND long BETWEEN -180 AND 180
)

SELECT
    found.meter_id,
    found.reading_date_time,
    found.date_str,
    found.error_code,
    places.lat,
    places.long
FROM found
LEFT JOIN places ON found.meter_id = places.meter_id AND places.place_number = 1
ORDER BY found.reading_date_time, found.meter_id
