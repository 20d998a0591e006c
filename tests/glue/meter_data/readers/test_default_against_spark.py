"""Extracts with rows of every fault, against what the Spark transformer of earlier versions made of them.

Its answers are kept in extracts_as_spark_cleaned_them.json: readings as meter, kWh, type, milliseconds since 1970, OBIS
code and error code, rejects as reason, line, meter and date.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.glue.deliveries import clean

KEPT: dict[str, Any] = json.loads((Path(__file__).parent / "extracts_as_spark_cleaned_them.json").read_text())


@pytest.mark.parametrize("name", KEPT)
def test_an_extract_becomes_what_spark_made_of_it(tmp_path: Path, name: str) -> None:
    kept = KEPT[name]

    cleaned = clean(tmp_path, {"a.csv": kept["text"].encode()}, "default", **kept["description"])

    readings = [
        [
            row["meter_id"],
            row["reading_value"],
            row["reading_type"],
            round(row["reading_date_time"].timestamp() * 1000),
            row["obis_code"],
            row["error_code"],
        ]
        for row in cleaned.readings().to_pylist()
    ]
    rejects = [[row["reason"], row["line"], row["meter_id"], row["date_str"]] for row in cleaned.rejects().to_pylist()]
    assert sorted(readings, key=str) == sorted(kept["readings"], key=str)
    assert sorted(rejects, key=str) == sorted(kept["rejects"], key=str)
    assert len(readings) > 40
    assert len(rejects) > 40
