-- The winner of each key among the copied batches: the newest delivery, then the later file (files of one upload time
-- are ordered by their keys), then the later row of that file. The business zone follows the same rule
-- (include/glue/meter_data/lake/merging.py). Texts are ordered by the bytes of UTF-8 here as there.
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
            ORDER BY delivered_at DESC, source_file DESC, source_row DESC
        ) AS place
    FROM daily_copied
) AS ranked
WHERE place = 1
