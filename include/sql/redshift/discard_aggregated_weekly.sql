-- Whole partitions are copied; only sums that changed are written.
DELETE FROM aggregated_weekly_copied
USING aggregated_weekly
WHERE
    aggregated_weekly.meter_id = aggregated_weekly_copied.meter_id
    AND aggregated_weekly.week_start = aggregated_weekly_copied.week_start
    AND aggregated_weekly.consumption = aggregated_weekly_copied.consumption
    AND aggregated_weekly.interval_count = aggregated_weekly_copied.interval_count
