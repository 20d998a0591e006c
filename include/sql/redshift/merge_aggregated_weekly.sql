-- A published partition holds each key once.
MERGE INTO aggregated_weekly
USING aggregated_weekly_copied
    ON
        aggregated_weekly.meter_id = aggregated_weekly_copied.meter_id
        AND aggregated_weekly.week_start = aggregated_weekly_copied.week_start
WHEN MATCHED THEN
    UPDATE SET
        year = CAST(TO_CHAR(TO_DATE(aggregated_weekly_copied.week_start, 'YYYYMMDD'), 'IYYY') AS INTEGER),
        week_of_year = aggregated_weekly_copied.week_of_year,
        consumption = aggregated_weekly_copied.consumption,
        interval_count = aggregated_weekly_copied.interval_count
WHEN NOT MATCHED THEN
    INSERT (
        meter_id,
        year,
        week_start,
        week_of_year,
        consumption,
        interval_count
    )
    VALUES (
        aggregated_weekly_copied.meter_id,
        CAST(TO_CHAR(TO_DATE(aggregated_weekly_copied.week_start, 'YYYYMMDD'), 'IYYY') AS INTEGER),
        aggregated_weekly_copied.week_start,
        aggregated_weekly_copied.week_of_year,
        aggregated_weekly_copied.consumption,
        aggregated_weekly_copied.interval_count
    )
