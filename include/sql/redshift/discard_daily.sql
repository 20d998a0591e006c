-- What loses against the warehouse, or is there already, is not merged. The rule is that of rank_daily.sql. As daily
-- keeps delivered_at and merged_at of each reading, it makes no difference in which loads, in which order and how often
-- batches are loaded.
DELETE FROM daily_staged
USING daily
WHERE
    daily.meter_id = daily_staged.meter_id
    AND daily.reading_type = daily_staged.reading_type
    AND daily.reading_date_time = daily_staged.reading_date_time
    AND (
        daily.delivered_at > daily_staged.delivered_at
        OR (daily.delivered_at = daily_staged.delivered_at AND daily.merged_at >= daily_staged.merged_at)
    )
