"""Objects by number."""

from __future__ import annotations

from typing import Any

from transformers.zones import numbered_files


def test_objects_are_found_by_the_number_in_their_name(s3: Any) -> None:
    for name in ("0010.jsonl.out", "0002.jsonl.out", "0002.jsonl.manifest", "12.jsonl", "1000.jsonl"):
        s3.put_object(Bucket="landing", Key=f"forecast/b1/transformed/{name}", Body=b"")
    s3.put_object(Bucket="landing", Key="forecast/b10/transformed/0003.jsonl", Body=b"")
    place = "s3://landing/forecast/b1/transformed/"
    assert list(numbered_files.found(s3, place).items()) == [
        (2, f"{place}0002.jsonl.out"),
        (10, f"{place}0010.jsonl.out"),
        (1000, f"{place}1000.jsonl"),
    ]
    assert numbered_files.found(s3, "s3://landing/forecast/b2/transformed/") == {}


def test_the_number_is_read_from_a_name_by_spark_too(spark: Any) -> None:
    from pyspark.sql import functions as sql

    names = spark.createDataFrame([("s3://w/forecast/b1/0012.jsonl.out",), ("file:/b/0003.jsonl",)], "name string")
    found = names.select(numbered_files.number_of(sql.col("name"))).collect()
    assert [row[0] for row in found] == [12, 3]
