-- A published partition holds each key once.
MERGE INTO aggregated_monthly
USING aggregated_monthly_copied
    ON
        aggregated_monthly.meter_id = aggregated_monthly_copied.meter_id
        AND aggregated_monthly.month_start = aggregated_monthly_copied.month_start
WHEN MATCHED THEN
    UPDATE SET
        year = CAST(LEFT(aggregated_monthly_copied.month_start, 4) AS INTEGER),
        month = aggregated_monthly_copied.month,
        consumption = aggregated_monthly_copied.consumption,
        interval_count = aggregated_monthly_copied.interval_count
WHEN NOT MATCHED THEN
    INSERT (
        meter_id,
        year,
        month_start,
        month,
        consumption,
        interval_count
    )
    VALUES (
        aggregated_monthly_copied.meter_id,
        CAST(LEFT(aggregated_monthly_copied.month_start, 4) AS INTEGER),
        aggregated_monthly_copied.month_start,
        aggregated_monthly_copied.month,
        aggregated_monthly_copied.consumption,
        aggregated_monthly_copied.interval_count
    )
