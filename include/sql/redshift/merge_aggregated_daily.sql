-- A published partition holds each key once.
MERGE INTO aggregated_daily
USING aggregated_daily_copied
    ON
        aggregated_daily.meter_id = aggregated_daily_copied.meter_id
        AND aggregated_daily.date_str = aggregated_daily_copied.date_str
WHEN MATCHED THEN
    UPDATE SET
        year = CAST(LEFT(aggregated_daily_copied.date_str, 4) AS INTEGER),
        consumption = aggregated_daily_copied.consumption,
        interval_count = aggregated_daily_copied.interval_count
WHEN NOT MATCHED THEN
    INSERT (
        meter_id,
        year,
        date_str,
        consumption,
        interval_count
    )
    VALUES (
        aggregated_daily_copied.meter_id,
        CAST(LEFT(aggregated_daily_copied.date_str, 4) AS INTEGER),
        aggregated_daily_copied.date_str,
        aggregated_daily_copied.consumption,
        aggregated_daily_copied.interval_count
    )
