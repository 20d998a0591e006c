-- Staged rows are winners, each key once: MERGE refuses two source rows for one target row.
MERGE INTO daily
USING daily_staged
    ON
        daily.meter_id = daily_staged.meter_id
        AND daily.reading_type = daily_staged.reading_type
        AND daily.reading_date_time = daily_staged.reading_date_time
WHEN MATCHED THEN
    UPDATE SET
        reading_value = daily_staged.reading_value,
        date_str = daily_staged.date_str,
        obis_code = daily_staged.obis_code,
        error_code = daily_staged.error_code,
        iso_year = daily_staged.iso_year,
        week_of_year = daily_staged.week_of_year,
        day_of_month = daily_staged.day_of_month,
        month = daily_staged.month,
        year = daily_staged.year,
        hour = daily_staged.hour,
        minute = daily_staged.minute,
        delivered_at = daily_staged.delivered_at,
        merged_at = daily_staged.merged_at
WHEN NOT MATCHED THEN
    INSERT (
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
    )
    VALUES (
        daily_staged.meter_id,
        daily_staged.reading_value,
        daily_staged.reading_type,
        daily_staged.reading_date_time,
        daily_staged.date_str,
        daily_staged.obis_code,
        daily_staged.error_code,
        daily_staged.iso_year,
        daily_staged.week_of_year,
        daily_staged.day_of_month,
        daily_staged.month,
        daily_staged.year,
        daily_staged.hour,
        daily_staged.minute,
        daily_staged.delivered_at,
        daily_staged.merged_at
    )
