-- What loses against the warehouse, or is there already, is not merged: an older delivery, or a batch that was merged
-- earlier. As daily keeps both times of each reading, it makes no difference with which others, in which order and how
-- often a batch is loaded.
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
