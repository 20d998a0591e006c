"""store_forecasts: results of transforms become rows of kWh, or are refused with the batch to look at."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet
import pytest
import store_forecasts as job
from transformers.zones import partitions
from transformers.zones.hourly import Unit

Rows = Callable[..., list[tuple[Any, ...]]]

QUANTILES = ["0.1", "0.5", "0.9"]
WH, KWH = Unit(0.001), Unit(1.0)
COLUMNS = ["meter_id", "datetime", "p10", "p50", "p90", "model_name"]


def line(meter: str, p10: Any, p50: Any, p90: Any, start: str = "2013-12-31 23:00:00") -> dict[str, Any]:
    """A line as AssembleWith and the output filter leave it."""
    quantiles = dict(zip(QUANTILES, (p10, p50, p90), strict=True))
    return {"meter_id": meter, "forecast_start": start, "SageMakerOutput": {"quantiles": quantiles}}


GOOD = line("M9", [1, 2], [3, 4], [5, 6])


@pytest.fixture
def read(spark: Any, tmp_path: Path) -> Callable[..., Any]:
    """read({number: [lines]}): the frame of lines, of objects named as transforms name them."""

    def make(batches: dict[int, list[Any]], length: int = 2) -> Any:
        results = {}
        for number, lines in batches.items():
            path = tmp_path / f"{number:04d}.jsonl.out"
            path.write_text("".join(f"{each if isinstance(each, str) else json.dumps(each)}\n" for each in lines))
            results[number] = f"file://{path}"
        return job.read(spark, results, QUANTILES, length)

    return make


def test_a_line_becomes_a_row_of_kwh_for_each_hour_from_its_start(read: Callable[..., Any], rows: Rows) -> None:
    lines = read({1: [line("M1", [100, 200], [300.5, 400], [500, 600])], 2: [GOOD]})
    job.require_whole(lines, {1: 1, 2: 1})
    found = rows(job.forecasts(lines, QUANTILES, WH, "consumption").where("meter_id = 'M1'"), *COLUMNS)
    assert found == [
        ("M1", "2013-12-31 23:00:00", 0.1, 0.3005, 0.5, "consumption"),
        ("M1", "2014-01-01 00:00:00", 0.2, 0.4, 0.6, "consumption"),
    ]
    of_kwh = rows(job.forecasts(lines, QUANTILES, KWH, "consumption").where("meter_id = 'M9'"), *COLUMNS[2:5])
    assert of_kwh == [(1.0, 3.0, 5.0), (2.0, 4.0, 6.0)]


def test_quantiles_that_cross_are_put_in_order(read: Callable[..., Any], rows: Rows) -> None:
    lines = read({1: [line("M1", [3, 1], [2, 3], [1, 2])]})
    found = rows(job.forecasts(lines, QUANTILES, KWH, "m"), "p10", "p50", "p90")
    assert found == [(1.0, 2.0, 3.0), (1.0, 2.0, 3.0)]


def test_a_count_is_not_below_zero_and_kwh_may_be(read: Callable[..., Any], rows: Rows) -> None:
    lines = read({1: [line("M1", [-100], [-1], [200])]}, 1)
    assert rows(job.forecasts(lines, QUANTILES, WH, "m"), "p10", "p50", "p90") == [(0.0, 0.0, 0.2)]
    assert rows(job.forecasts(lines, QUANTILES, KWH, "m"), "p10", "p50", "p90") == [(-100.0, -1.0, 200.0)]


@pytest.mark.parametrize(
    ("bad", "fault"),
    [
        ({**GOOD, "meter_id": None}, "batch 0003, meter None: no meter_id"),
        ("{broken", "meter None: no meter_id"),
        ("", "meter None: no meter_id"),
        ({**GOOD, "forecast_start": "soon"}, "batch 0003, meter M9: no forecast_start"),
        ({name: GOOD[name] for name in ("meter_id", "forecast_start")}, "meter M9: no quantile 0.1"),
        ({**GOOD, "SageMakerOutput": {"quantiles": {"0.1": [1, 2], "0.9": [1, 2]}}}, "meter M9: no quantile 0.5"),
        (line("M9", [1, 2], [3], [5, 6]), "meter M9: not 2 values of quantile 0.5"),
        (line("M9", [1, 2], [3, 4, 5], [5, 6]), "meter M9: not 2 values of quantile 0.5"),
        (line("M9", [1, 2], [3, 4], [5, None]), "meter M9: no finite number in quantile 0.9"),
        (line("M9", [1, "NaN"], [3, 4], [5, 6]), "meter M9: no finite number in quantile 0.1"),
        (line("M9", [1, 2], ["Infinity", 4], [5, 6]), "meter M9: no finite number in quantile 0.5"),
        ({**GOOD, "SageMakerOutput": {"error": "out of memory"}}, "meter M9: no quantile 0.1"),
    ],
)
def test_a_line_that_is_no_complete_forecast_is_refused(read: Callable[..., Any], bad: Any, fault: str) -> None:
    lines = read({3: [line("M1", [1, 2], [3, 4], [5, 6]), bad]})
    with pytest.raises(job.BadForecastError) as refused:
        job.require_whole(lines, {3: 2})
    assert fault in str(refused.value)
    assert str(refused.value).endswith("Clear transform_batch of this batch, with its downstream tasks.")


def test_each_batch_has_one_forecast_for_each_of_its_meters(read: Callable[..., Any]) -> None:
    lines = read({1: [line("M1", [1, 2], [3, 4], [5, 6]), GOOD], 2: []})
    with pytest.raises(job.IncompleteBatchError, match="batch 0001 has 2 forecasts; the batch has 3 meters"):
        job.require_whole(lines, {1: 3})
    with pytest.raises(job.IncompleteBatchError, match="batch 0002 has 0 forecasts; the batch has 1 meters"):
        job.require_whole(lines, {1: 2, 2: 1})
    twice = read({1: [GOOD], 2: [GOOD]})
    with pytest.raises(job.IncompleteBatchError, match="more than one forecast of meter M9"):
        job.require_whole(twice, {1: 1, 2: 1})


def test_a_run_without_any_result_is_refused(spark: Any) -> None:
    with pytest.raises(job.NoForecastsError, match="See why transform_batch failed"):
        job.read(spark, {}, QUANTILES, 2)


@pytest.mark.parametrize(("rows_a_file", "files"), [(8_000_000, 1), (5, 2)])
def test_rows_are_sorted_in_few_files_that_replace_those_before(
    spark: Any,
    read: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    rows_a_file: int,
    files: int,
) -> None:
    monkeypatch.setattr(partitions, "ROWS_A_FILE", rows_a_file)
    uri = f"file://{tmp_path}/forecast/run=b1/"
    names = ["M4", "M2", "M3", "M1"]
    before = read({1: [GOOD]})
    job.write(job.forecasts(before, QUANTILES, WH, "old"), 2, uri)
    lines = read({1: [line(name, [1, 2], [3, 4], [5, 6]) for name in names], 3: [line("M5", [1, 2], [3, 4], [5, 6])]})
    job.write(job.forecasts(lines, QUANTILES, WH, "consumption"), 10, uri)

    found = [parquet.read_table(path, partitioning=None) for path in sorted(tmp_path.glob("forecast/run=b1/*.parquet"))]
    assert len(found) == files
    assert found[0].column_names == COLUMNS
    assert [str(kind) for kind in found[0].schema.types] == [
        "string",
        "timestamp[us, tz=UTC]",
        "double",
        "double",
        "double",
        "string",
    ]
    meters = [row["meter_id"] for table in found for row in table.to_pylist()]
    assert meters == [name for name in sorted([*names, "M5"]) for _ in range(2)]
    for table in found:
        keys = list(zip(table["meter_id"].to_pylist(), table["datetime"].to_pylist(), strict=True))
        assert keys == sorted(keys)

    assert job.summary(spark, "b1", {1: 4, 2: 7, 3: 1}, {1: "", 3: ""}, uri) == {
        "batch": "b1",
        "uri": uri,
        "rows": 10,
        "meters": 5,
        "first": "2013-12-31 23:00:00",
        "last": "2014-01-01 00:00:00",
        "batches_stored": [1, 3],
        "batches_missing": [2],
    }
