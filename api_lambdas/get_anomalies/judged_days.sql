-- sqlfluff:dialect:athena
-- sqlfluff:templater:placeholder:param_style:question_mark
-- The judged days of a meter in the order of time: all of them, or (1) only the anomalies.
SELECT
    meter_id,
    ds,
    consumption,
    yhat_lower,
    yhat_upper,
    anomaly,
    importance,
    temperature,
    apparenttemperature
FROM anomaly
WHERE
    meter_id = ?
    -- Partitions are months, yyyyMM: others are not read.
    AND month >= ?
    AND month <= ?
    AND ds >= CAST(? AS DATE)
    AND ds < CAST(? AS DATE)
    AND ABS(anomaly) >= CAST(? AS INTEGER)
ORDER BY ds
