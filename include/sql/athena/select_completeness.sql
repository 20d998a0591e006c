-- sqlfluff:dialect:athena
-- sqlfluff:templater:placeholder:param_style:question_mark
-- Meters and days from the first date to the last, both included, of which a smaller share of readings has come than
-- the one given; the worst first. Parameters: month (yyyyMM) of the first date, month of the last date, first date
-- (yyyyMMdd), last date, share (1: all days with a gap).
SELECT
    meter_id,
    date_str,
    expected,
    received,
    estimated,
    rejected,
    duplicates,
    first_reading,
    last_reading
FROM completeness
WHERE
    month >= ?
    AND month <= ?
    AND date_str >= ?
    AND date_str <= ?
    AND received < expected * CAST(? AS DOUBLE)
ORDER BY received - expected, date_str, meter_id
