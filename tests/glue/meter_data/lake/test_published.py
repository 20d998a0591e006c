"""Which partitions the catalog publishes, and what new ones replace."""

from __future__ import annotations

from typing import Any

from meter_data.lake import published
from meter_data.lake.published import Published


class Catalog:
    """Answers GetPartitions in two pages."""

    def get_paginator(self, operation: str) -> Catalog:
        assert operation == "get_partitions"
        return self

    def paginate(self, **request: Any) -> list[dict[str, Any]]:
        assert request == {"DatabaseName": "metering", "TableName": "daily", "ExcludeColumnSchema": True}
        place = {"Location": "s3://business/daily/run=1/reading_type=INT/month=201301"}
        first = {"Values": ["INT", "201301"], "StorageDescriptor": place, "Parameters": {"rows": "7"}}
        second = {"Values": ["ERR", "201301"], "StorageDescriptor": {"Location": "s3://x/"}}
        return [{"Partitions": [first]}, {"Partitions": [second]}]


def test_published_partitions_are_found_on_all_pages_and_their_locations_are_folders() -> None:
    location = "s3://business/daily/run=1/reading_type=INT/month=201301/"
    assert published.partitions(Catalog(), "metering", "daily") == {
        ("INT", "201301"): Published(("INT", "201301"), location, 7),
        ("ERR", "201301"): Published(("ERR", "201301"), "s3://x/", 0),
    }


def test_the_rows_of_the_files_of_a_new_version_are_added_up() -> None:
    rows = [(("INT", "201302"), 5), (("INT", "201301"), 1), (("INT", "201302"), 2)]
    assert published.new_versions(rows, lambda values: f"s3://new/{'/'.join(values)}/") == [
        {"values": ["INT", "201301"], "location": "s3://new/INT/201301/", "rows": 1},
        {"values": ["INT", "201302"], "location": "s3://new/INT/201302/", "rows": 7},
    ]


def test_each_new_partition_says_which_version_it_replaces() -> None:
    known = {("INT", "201301"): Published(("INT", "201301"), "s3://old/", 7)}
    new = [{"values": ["INT", month], "location": f"s3://new/{month}/", "rows": 9} for month in ("201301", "201302")]
    assert published.replacing(new, known) == [{**new[0], "replaces": "s3://old/"}, {**new[1], "replaces": None}]
