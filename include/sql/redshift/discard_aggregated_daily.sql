-- Whole partitions are copied; only sums that changed are written.
DELETE FROM aggregated_daily_copied
USING aggregated_daily
WHERE
    aggregated_daily.meter_id = aggregated_daily_copied.meter_id
    AND aggregated_daily.date_str = aggregated_daily_copied.date_str
    AND aggregated_daily.consumption = aggregated_daily_copied.consumption
    AND aggregated_daily.interval_count = aggregated_daily_copied.interval_count
