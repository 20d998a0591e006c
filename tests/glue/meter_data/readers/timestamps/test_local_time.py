"""Times that the clocks of a zone show: what Spark 3.5 answered is kept in times_as_spark_reads_them.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from meter_data.readers.timestamps import local_time

KEPT: dict[str, Any] = json.loads((Path(__file__).parents[1] / "times_as_spark_reads_them.json").read_text())


@pytest.mark.parametrize("zone", KEPT["clocks"])
def test_clocks_of_a_zone_are_the_instants_that_spark_gives(zone: str) -> None:
    clocks, instants, exist, later = zip(*KEPT["clocks"][zone], strict=True)
    found = local_time.instants(np.array(clocks), zone)
    assert found.earlier.tolist() == list(instants)
    assert found.exists.tolist() == list(exist)
    assert found.is_ambiguous.tolist() == [each is not None for each in later]
    assert [late for late, twice in zip(found.later.tolist(), found.is_ambiguous, strict=True) if twice] == [
        each for each in later if each is not None
    ]


@pytest.mark.parametrize("name", ["Europe/London", "UTC", "+01:00", "-18:00", "Etc/GMT+5", "GMT"])
def test_zones_are_known_by_their_names(name: str) -> None:
    assert local_time.is_zone(name)


@pytest.mark.parametrize("name", ["London", "", "+1:00", "+18:30", "+19:00", "Europe", "localtime", "../UTC", "CEST"])
def test_other_names_are_no_zones(name: str) -> None:
    assert not local_time.is_zone(name)
