-- Whole partitions are copied; only sums that changed are written.
DELETE FROM aggregated_monthly_copied
USING aggregated_monthly
WHERE
    aggregated_monthly.meter_id = aggregated_monthly_copied.meter_id
    AND aggregated_monthly.month_start = aggregated_monthly_copied.month_start
    AND aggregated_monthly.consumption = aggregated_monthly_copied.consumption
    AND aggregated_monthly.interval_count = aggregated_monthly_copied.interval_count
