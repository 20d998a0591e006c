-- No row: nobody knows the meter. One row with nulls: it is known, and has nothing in this year.
SELECT
    known.meter_id,
    months.year,
    months.month,
    months.consumption
FROM (
    SELECT DISTINCT meter_id
    FROM public.aggregated_monthly
    WHERE meter_id = :meter_id
) AS known
LEFT JOIN public.aggregated_monthly AS months
    ON known.meter_id = months.meter_id AND months.year = CAST(:year AS INTEGER)
ORDER BY months.month
