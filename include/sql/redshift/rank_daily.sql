-- The winner of each key among the copied rows: the newest delivery, then the batch that was merged later, then the
-- later file (files of one upload time are ordered by their keys), then the later row of that file. The business
-- zone follows the same rule (include/glue/meter_data/merging/winners.py); it merges batches one by one, so that its
-- order is merged_at. Texts are ordered by the bytes of UTF-8 here as there. A batch that is missing in
-- batches_copied would have no merged_at, which daily refuses.
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
    delivered_at,
    merged_at
FROM (
    SELECT
        daily_copied.meter_id,
        daily_copied.reading_value,
        daily_copied.reading_type,
        daily_copied.reading_date_time,
        daily_copied.date_str,
        daily_copied.obis_code,
        daily_copied.error_code,
        daily_copied.iso_year,
        daily_copied.week_of_year,
        daily_copied.day_of_month,
        daily_copied.month,
        daily_copied.year,
        daily_copied.hour,
        daily_copied.minute,
        daily_copied.delivered_at,
        batches_copied.merged_at,
        ROW_NUMBER() OVER (
            PARTITION BY daily_copied.meter_id, daily_copied.reading_type, daily_copied.reading_date_time
            ORDER BY
                daily_copied.delivered_at DESC,
                batches_copied.merged_at DESC,
                daily_copied.source_file DESC,
                daily_copied.source_row DESC
        ) AS place
    FROM daily_copied
    LEFT JOIN batches_copied ON daily_copied.source_batch = batches_copied.batch
) AS ranked
WHERE place = 1
