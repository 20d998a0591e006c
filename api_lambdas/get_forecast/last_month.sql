-- sqlfluff:dialect:athena
-- sqlfluff:templater:placeholder:param_style:question_mark
-- One row; null when nobody knows the meter. yyyyMMdd, the first day of the newest month with interval readings.
SELECT MAX(month_start) AS month_start
FROM aggregated_monthly
WHERE meter_id = ?
