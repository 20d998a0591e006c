-- No row: nobody knows the meter. One row with nulls: it is known, and has nothing in this year.
SELECT
    known.meter_id,
    days.date_str,
    days.consumption
FROM (
    SELECT DISTINCT meter_id
    FROM public.aggregated_monthly
    WHERE meter_id = :meter_id
) AS known
LEFT JOIN public.aggregated_daily AS days
    ON known.meter_id = days.meter_id AND days.year = CAST(:year AS INTEGER)
ORDER BY days.date_str
