-- sqlfluff:dialect:athena
-- sqlfluff:templater:placeholder:param_style:question_mark
-- A row when there is consumption of the meter, judged or not.
SELECT DISTINCT meter_id
FROM aggregated_monthly
WHERE meter_id = ?
