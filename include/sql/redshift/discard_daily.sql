-- What loses against the warehouse, or is there already, is not merged: an older delivery that is loaded late, or a
-- batch that is loaded again, changes nothing. The rule is that of the business zone: the newest delivery wins. Of two
-- rows of one upload time the one that is loaded now wins, e.g. because its file was loaded again after its transformer
-- was mended.
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
            AND (
                daily.reading_value = daily_staged.reading_value
                OR (daily.reading_value IS NULL AND daily_staged.reading_value IS NULL)
            )
            AND (
                daily.obis_code = daily_staged.obis_code
                OR (daily.obis_code IS NULL AND daily_staged.obis_code IS NULL)
            )
            AND (
                daily.error_code = daily_staged.error_code
                OR (daily.error_code IS NULL AND daily_staged.error_code IS NULL)
            )
        )
    )
