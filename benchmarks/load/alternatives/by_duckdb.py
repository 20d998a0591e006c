"""The core of a load in DuckDB's SQL: parse, keep one reading of a meter, type and time, sum by day.

    by_duckdb.py <folder for the result> <meter file> …

It rejects nothing, keeps no history and publishes nothing. Of equal readings the one of the later file wins.
"""

import sys

import duckdb


def main() -> None:
    folder, *files = sys.argv[1:]
    engine = duckdb.connect()
    engine.execute("SET threads = 2; SET preserve_insertion_order = false")
    engine.execute(
        """
        CREATE TABLE readings AS
        SELECT
            LCLid AS meter_id,
            if(trim("KWH/hh (per half hour)") = 'Null', 'ERR', 'INT') AS reading_type,
            CAST(left(DateTime, 19) AS TIMESTAMP) AS reading_date_time,
            arg_max(TRY_CAST(trim("KWH/hh (per half hour)") AS DOUBLE), filename) AS reading_value
        FROM read_csv(?, header = true, all_varchar = true, union_by_name = true, filename = true)
        GROUP BY ALL
        """,
        [files],
    )
    engine.execute(
        f"""
        COPY (
            SELECT *, strftime(reading_date_time, '%Y%m') AS month
            FROM readings
            ORDER BY reading_type, month, meter_id, reading_date_time
        ) TO '{folder}/daily' (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (reading_type, month))
        """  # noqa: S608 (a folder of the benchmark)
    )
    engine.execute(
        f"""
        COPY (
            SELECT meter_id, CAST(reading_date_time AS DATE) AS day, sum(reading_value) AS consumption, count(*) AS n
            FROM readings
            WHERE reading_type = 'INT'
            GROUP BY ALL
        ) TO '{folder}/aggregated_daily.parquet' (FORMAT parquet, COMPRESSION zstd)
        """  # noqa: S608
    )


if __name__ == "__main__":
    main()
