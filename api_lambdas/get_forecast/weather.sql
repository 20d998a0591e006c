-- sqlfluff:dialect:athena
-- sqlfluff:templater:placeholder:param_style:question_mark
-- The weather of each hour (since 1970, UTC) from the first to the last, both included. What is not known is the mean
-- of that hour of the year over all years, else of that hour of day in the month, else null.
WITH asked AS (
    SELECT
        hours.hour_number,
        DATE_FORMAT(DATE_ADD('hour', hours.hour_number, TIMESTAMP '1970-01-01 00:00:00'), '%Y-%m-%d %H:00:00')
            AS hour_text
    FROM UNNEST(SEQUENCE(CAST(? AS BIGINT), CAST(? AS BIGINT))) AS hours (hour_number)
),

of_year AS (
    SELECT
        SUBSTR(weather.time, 6, 8) AS hour_of_year,
        AVG(weather.temperature) AS temperature,
        AVG(weather.apparenttemperature) AS apparenttemperature,
        AVG(weather.humidity) AS humidity
    FROM weather
    GROUP BY SUBSTR(weather.time, 6, 8)
),

of_month AS (
    SELECT
        SUBSTR(weather.time, 6, 2) AS month_of_year,
        SUBSTR(weather.time, 12, 2) AS hour_of_day,
        AVG(weather.temperature) AS temperature,
        AVG(weather.apparenttemperature) AS apparenttemperature,
        AVG(weather.humidity) AS humidity
    FROM weather
    GROUP BY SUBSTR(weather.time, 6, 2), SUBSTR(weather.time, 12, 2)
)

SELECT
    asked.hour_number,
    COALESCE(weather.temperature, of_year.temperature, of_month.temperature) AS temperature,
    COALESCE(weather.apparenttemperature, of_year.apparenttemperature, of_month.apparenttemperature)
        AS apparenttemperature,
    COALESCE(weather.humidity, of_year.humidity, of_month.humidity) AS humidity
FROM asked
LEFT JOIN weather ON asked.hour_text = weather.time
LEFT JOIN of_year ON SUBSTR(asked.hour_text, 6, 8) = of_year.hour_of_year
LEFT JOIN of_month
    ON
        SUBSTR(asked.hour_text, 6, 2) = of_month.month_of_year
        AND SUBSTR(asked.hour_text, 12, 2) = of_month.hour_of_day
ORDER BY asked.hour_number
