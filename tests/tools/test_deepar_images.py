"""The table of DeepAR's images is what the SageMaker SDK says today. Runs in .venv-tools."""

from __future__ import annotations

import runpy

from environments import deepar_images

IMAGES = runpy.run_path(str(deepar_images.PATH))["IMAGES"]


def test_the_table_is_as_generated() -> None:
    assert deepar_images.PATH.read_text(encoding="utf-8") == deepar_images.generate()


def test_both_regions_in_china_have_their_own_registries() -> None:
    assert IMAGES["cn-north-1"] == "390948362332.dkr.ecr.cn-north-1.amazonaws.com.cn/forecasting-deepar:1"
    assert IMAGES["cn-northwest-1"] == "387376663083.dkr.ecr.cn-northwest-1.amazonaws.com.cn/forecasting-deepar:1"


def test_no_region_has_the_image_of_another() -> None:
    assert all(f".ecr.{region}." in uri for region, uri in IMAGES.items())
