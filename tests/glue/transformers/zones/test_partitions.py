"""Partitions of the business zone."""

from __future__ import annotations

from typing import Any

import pytest
from transformers.zones import partitions


class Catalog:
    """Answers GetPartitions in two pages."""

    def get_paginator(self, operation: str) -> Catalog:
        assert operation == "get_partitions"
        return self

    def paginate(self, **request: Any) -> list[dict[str, Any]]:
        assert request == {"DatabaseName": "metering", "TableName": "daily", "ExcludeColumnSchema": True}
        place = {"Location": "s3://business/daily/run=1/reading_type=INT/month=201301/"}
        first = {"Values": ["INT", "201301"], "StorageDescriptor": place, "Parameters": {"rows": "7"}}
        second = {"Values": ["ERR", "201301"], "StorageDescriptor": {"Location": "s3://x/"}}
        return [{"Partitions": [first]}, {"Partitions": [second]}]


def test_published_partitions_are_found_on_all_pages() -> None:
    found = partitions.published(Catalog(), "metering", "daily")
    assert list(found) == [("INT", "201301"), ("ERR", "201301")]
    assert found["INT", "201301"].location == "s3://business/daily/run=1/reading_type=INT/month=201301/"
    assert (found["INT", "201301"].rows, found["ERR", "201301"].rows) == (7, 0)


def test_each_new_partition_says_which_version_it_replaces() -> None:
    known = partitions.published(Catalog(), "metering", "daily")
    new = [
        {
            "values": ["INT", "201301"],
            "location": "s3://business/daily/run=2/reading_type=INT/month=201301/",
            "rows": 9,
        },
        {
            "values": ["INT", "201302"],
            "location": "s3://business/daily/run=2/reading_type=INT/month=201302/",
            "rows": 1,
        },
    ]

    assert partitions.replacing(new, known) == [
        {**new[0], "replaces": "s3://business/daily/run=1/reading_type=INT/month=201301/"},
        {**new[1], "replaces": None},
    ]


def test_a_predicate_lists_the_last_key_by_the_keys_before() -> None:
    wanted = {("INT", "201302"), ("ERR", "201301"), ("INT", "201301")}
    assert partitions.predicate(["reading_type", "month"], wanted) == (
        "(reading_type = 'ERR' AND month IN ('201301')) OR (reading_type = 'INT' AND month IN ('201301', '201302'))"
    )
    assert partitions.predicate(["year"], {("2014",), ("2013",)}) == "(year IN ('2013', '2014'))"


@pytest.mark.parametrize("value", ["2013'", "", "x y", "٢٠١٣"])
def test_a_predicate_is_made_of_plain_values_only(value: str) -> None:
    with pytest.raises(ValueError, match="are no values of year"):
        partitions.predicate(["year"], {(value,)})


@pytest.mark.parametrize(
    ("rows", "files"), [(0, 1), (1, 1), (8_000_000, 1), (8_000_001, 2), (72_000_000, 9), (72_000_001, 10)]
)
def test_a_partition_is_cut_into_files_by_its_rows(rows: int, files: int) -> None:
    assert partitions.files_for(rows) == files
