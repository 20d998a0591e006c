"""Tables of the catalog are read at their published locations, and only where the query needs them."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.local_aws.athena.conftest import Lake, readings


def scanned(lake: Lake, sql: str) -> int:
    execution = lake.run(sql)
    assert execution["Status"]["State"] == "SUCCEEDED", execution["Status"].get("StateChangeReason")
    return int(execution["Statistics"]["DataScannedInBytes"])


def test_published_partitions_are_read_with_their_values_and_nothing_else(lake: Lake) -> None:
    assert lake.rows("SELECT * FROM daily ORDER BY meter_id, month") == [
        ("M1", "1.5", "2013-01-01 00:30:00.000", "0", None, "INT", "201301"),
        ("M1", "4.0", "2013-02-01 23:00:00.000", "23", None, "INT", "201302"),
        ("M2", "2.0", "2013-01-01 00:30:00.000", "0", None, "INT", "201301"),
        ("M3", None, "2013-01-01 00:30:00.000", "0", None, "ERR", "201301"),
    ]


def test_conditions_on_partition_keys_spare_the_other_partitions(lake: Lake) -> None:
    everything = scanned(lake, "SELECT sum(reading_value) FROM daily")
    one = scanned(lake, "SELECT sum(reading_value) FROM daily WHERE reading_type = 'INT' AND month = '201302'")
    two = scanned(lake, "SELECT sum(reading_value) FROM daily AS d WHERE d.month BETWEEN '201301' AND '201301'")

    assert 0 < one < two < everything


def test_a_condition_that_no_partition_meets_reads_nothing(lake: Lake) -> None:
    assert lake.rows("SELECT count(*), max(meter_id) FROM daily WHERE month = '201401'") == [("0", None)]
    assert scanned(lake, "SELECT count(*) FROM daily WHERE month = '201401'") == 0


def test_a_partition_whose_files_are_gone_is_not_opened_when_the_query_does_not_need_it(lake: Lake) -> None:
    location = lake.put("v9/d/part.parquet", readings(("M9", 1.0, datetime(2019, 1, 1, tzinfo=UTC))))
    lake.publish(["AGG", "201901"], location)
    lake.s3.put_object(Bucket=lake.bucket, Key="v9/d/part.parquet", Body=b"this is no Parquet file")
    try:
        assert lake.rows("SELECT count(*) FROM daily WHERE month < '201901'") == [("4",)]
        assert lake.failure("SELECT count(*) FROM daily").startswith("HIVE_CANNOT_OPEN_SPLIT: ")
    finally:
        lake.glue.delete_partition(DatabaseName=lake.database, TableName="daily", PartitionValues=["AGG", "201901"])


def test_a_join_of_differently_pruned_tables_gives_each_its_own_partitions(lake: Lake) -> None:
    sql = """
    SELECT a.meter_id, a.reading_value, b.reading_value
    FROM daily AS a JOIN daily AS b ON a.meter_id = b.meter_id
    WHERE a.month = '201301' AND b.month = '201302'
    """

    assert lake.rows(sql) == [("M1", "1.5", "4.0")]


def test_an_outer_join_keeps_rows_that_a_pruned_partition_would_have_answered(lake: Lake) -> None:
    sql = """
    SELECT a.meter_id, b.month
    FROM daily AS a LEFT JOIN daily AS b ON a.meter_id = b.meter_id AND b.month = '201302'
    WHERE a.month = '201301' AND a.reading_type = 'INT' AND (b.month IS NULL OR b.month = '201302')
    ORDER BY 1
    """

    assert lake.rows(sql) == [("M1", "201302"), ("M2", None)]


def test_with_queries_subqueries_and_unions_reach_the_tables(lake: Lake) -> None:
    sql = """
    WITH daily AS (SELECT meter_id, month FROM {database}.daily WHERE reading_type = 'INT')
    SELECT meter_id FROM daily WHERE month = '201302'
    UNION ALL
    SELECT meter_id FROM (SELECT meter_id FROM {database}.daily WHERE reading_type = 'ERR') AS errors
    ORDER BY 1
    """

    assert lake.rows(sql.format(database=lake.database)) == [("M1",), ("M3",)]


def test_a_new_version_of_a_partition_is_seen_once_it_is_published(lake: Lake) -> None:
    moment = datetime(2013, 3, 1, tzinfo=UTC)
    lake.publish(["INT", "201303"], lake.put("v1/march/part.parquet", readings(("M1", 1.0, moment))))
    sql = "SELECT reading_value FROM daily WHERE month = '201303'"
    before = lake.rows(sql)

    location = lake.put("v2/march/part.parquet", readings(("M1", 2.0, moment)))
    unpublished = lake.rows(sql)
    lake.glue.update_partition(
        DatabaseName=lake.database,
        TableName="daily",
        PartitionValueList=["INT", "201303"],
        PartitionInput={"Values": ["INT", "201303"], "StorageDescriptor": lake.parquet(location)},
    )
    published = lake.rows(sql)
    lake.glue.delete_partition(DatabaseName=lake.database, TableName="daily", PartitionValues=["INT", "201303"])

    assert (before, unpublished, published) == ([("1.0",)], [("1.0",)], [("2.0",)])


def test_a_csv_table_is_read_by_its_types_and_hidden_files_are_not(lake: Lake) -> None:
    assert lake.rows("SELECT meter_id, lat FROM geo ORDER BY 1") == [("M1", "51.5"), ("M3", None)]


def test_parquet_and_csv_tables_can_be_joined(lake: Lake) -> None:
    sql = "SELECT d.meter_id, g.lat FROM daily AS d JOIN geo AS g USING (meter_id) WHERE d.month = '201302'"

    assert lake.rows(sql) == [("M1", "51.5")]
