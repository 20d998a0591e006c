-- What loses against the warehouse, or is there already, is not merged: an old batch loaded again changes nothing.
-- The rule is that of the business zone: the latest delivery wins, in a tie the larger value.
DELETE FROM daily_staged
USING daily
WHERE
    daily.meter_id = daily_staged.meter_id
    AND daily.reading_type = daily_staged.reading_type
    AND daily.reading_date_time = daily_staged.reading_date_time
    AND (
        daily.delivered_at > daily_staged.delivered_at
        OR (
            daily.delivered_at = daily_staged.delivered_at
            AND (daily_staged.reading_value IS NULL OR daily.reading_value >= daily_staged.reading_value)
        )
    )
