-- sqlfluff:dialect:athena
-- sqlfluff:templater:placeholder:param_style:question_mark
-- The hours (since 1970, UTC) that have all their interval readings, up to so many before the last of them, and kWh.
WITH known AS (
    SELECT
        DATE_DIFF('hour', TIMESTAMP '1970-01-01 00:00:00', reading_date_time) AS hour_number,
        SUM(reading_value) AS kwh
    FROM daily
    WHERE
        meter_id = ?
        AND reading_type = 'INT'
        -- Partitions are months (yyyyMM) or days (yyyyMMdd): from yyyyMM to yyyyMMdd both are found.
        AND month >= ?
        AND month <= ?
        AND reading_date_time >= CAST(? AS TIMESTAMP)
        AND reading_date_time < CAST(? AS TIMESTAMP)
    GROUP BY DATE_DIFF('hour', TIMESTAMP '1970-01-01 00:00:00', reading_date_time)
    HAVING COUNT(reading_value) >= CAST(? AS BIGINT)
),

placed AS (
    SELECT
        hour_number,
        kwh,
        MAX(hour_number) OVER () AS last_hour
    FROM known
)

SELECT
    hour_number,
    kwh
FROM placed
WHERE hour_number > last_hour - CAST(? AS BIGINT)
ORDER BY hour_number
