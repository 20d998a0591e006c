-- The winner of each key among the copied batches: the latest delivery, in a tie the larger value.
CREATE TEMP TABLE daily_staged AS
SELECT
    meter_id,
    reading_value,
    reading_type,
    reading_date_time,
    date_str,
    obis_code,
    error_code,
    iso_year,
    week_of_year,
    day_of_month,
    month,
    year,
    hour,
    minute,
    delivered_at
FROM (
    SELECT
        meter_id,
        reading_value,
        reading_type,
        reading_date_time,
        date_str,
        obis_code,
        error_code,
        iso_year,
        week_of_year,
        day_of_month,
        month,
        year,
        hour,
        minute,
        delivered_at,
        ROW_NUMBER() OVER (
            PARTITION BY meter_id, reading_type, reading_date_time
            ORDER BY delivered_at DESC, reading_value DESC NULLS LAST
        ) AS place
    FROM daily_copied
) AS ranked
WHERE place = 1
