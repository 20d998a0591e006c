-- No row: nobody knows the meter. One row with nulls: it is known, and has nothing in this ISO year.
SELECT
    known.meter_id,
    weeks.year,
    weeks.week_of_year,
    weeks.consumption
FROM (
    SELECT DISTINCT meter_id
    FROM public.aggregated_monthly
    WHERE meter_id = :meter_id
) AS known
LEFT JOIN public.aggregated_weekly AS weeks
    ON known.meter_id = weeks.meter_id AND weeks.year = CAST(:year AS INTEGER)
ORDER BY weeks.week_of_year
