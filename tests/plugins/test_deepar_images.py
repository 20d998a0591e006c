"""The table of DeepAR's images as the DAGs use it; that it is up to date is tested beside the SDK, in tests/tools."""

from __future__ import annotations

import re

import pytest
from metering.deepar_images import IMAGES


@pytest.mark.parametrize("region", ["cn-north-1", "cn-northwest-1"])
def test_an_image_in_china_lies_in_a_registry_of_its_own_region(region: str) -> None:
    assert re.fullmatch(rf"\d{{12}}\.dkr\.ecr\.{region}\.amazonaws\.com\.cn/forecasting-deepar:1", IMAGES[region])


def test_every_image_is_that_of_deepar_in_its_region() -> None:
    for region, image in IMAGES.items():
        assert re.fullmatch(rf"\d{{12}}\.dkr\.ecr\.{region}\.[a-z0-9.]+/forecasting-deepar:1", image), region


def test_no_other_region_is_in_the_partition_of_china() -> None:
    assert sorted(region for region, image in IMAGES.items() if ".amazonaws.com.cn/" in image) == [
        "cn-north-1",
        "cn-northwest-1",
    ]
