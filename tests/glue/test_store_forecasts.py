"""store_forecasts: results of transforms become rows of kWh, or are refused with the batch to look at."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import store_forecasts as job
from meter_data.lake.summaries import summary_uri
from meter_data.series import forecast_results

from tests.glue import folder_lake
from tests.glue.folder_lake import FolderLake

QUANTILES = ["0.1", "0.5", "0.9"]
COLUMNS = ["meter_id", "datetime", "p10", "p50", "p90", "model_name"]


def line(meter: str, p10: Any, p50: Any, p90: Any, start: str = "2013-12-31 23:00:00") -> dict[str, Any]:
    """A line as AssembleWith and the output filter leave it."""
    quantiles = dict(zip(QUANTILES, (p10, p50, p90), strict=True))
    return {"meter_id": meter, "forecast_start": start, "SageMakerOutput": {"quantiles": quantiles}}


GOOD = line("M9", [1, 2], [3, 4], [5, 6])


ARGUMENTS = {
    "batch": "b1",
    "model_name": "consumption",
    "scale": "0.001",
    "quantiles": "0.1,0.5,0.9",
    "prediction_length": "2",
}
PLACE = "s3://business/forecast/run=b1/"


@pytest.fixture
def lake(tmp_path: Path) -> FolderLake:
    return FolderLake(tmp_path)


@pytest.fixture
def stored(lake: FolderLake) -> Callable[..., list[dict[str, Any]]]:
    """stored({number: [lines]}, meters of each batch, …): the rows that lie in the run's folder."""

    def make(
        batches: dict[int, list[Any]], meters: dict[int, int] | None = None, **changed: str
    ) -> list[dict[str, Any]]:
        for number, lines in batches.items():
            body = "".join(f"{each if isinstance(each, str) else json.dumps(each)}\n" for each in lines)
            lake.store.write(f"s3://working/forecast/b1/transformed/{number:04d}.jsonl.out", body.encode())
        expected = meters or {number: len(lines) for number, lines in batches.items()}
        entries = [{"number": number, "uri": "", "meters": count} for number, count in expected.items()]
        lake.store.write_json(summary_uri("clean", "b1", job.PREPARED_BY), {"batches": entries})
        job.store_rows({**folder_lake.ARGUMENTS, **ARGUMENTS, **changed}, lake.connect)
        return lake.rows(PLACE)

    return make


def values(rows: list[dict[str, Any]]) -> list[tuple[float, ...]]:
    return [(row["p10"], row["p50"], row["p90"]) for row in rows]


def test_a_line_becomes_a_row_of_kwh_for_each_hour_from_its_start(stored: Callable[..., Any]) -> None:
    found = stored({1: [line("M1", [100, 200], [300.5, 400], [500, 600])], 2: [GOOD]})
    assert [tuple(row.values()) for row in found[:2]] == [
        ("M1", datetime(2013, 12, 31, 23, tzinfo=UTC), 0.1, 0.3005, 0.5, "consumption"),
        ("M1", datetime(2014, 1, 1, tzinfo=UTC), 0.2, 0.4, 0.6, "consumption"),
    ]
    assert [row["meter_id"] for row in found[2:]] == ["M9", "M9"]


def test_values_of_a_model_of_kwh_are_kwh(stored: Callable[..., Any]) -> None:
    assert values(stored({1: [GOOD]}, scale="1")) == [(1.0, 3.0, 5.0), (2.0, 4.0, 6.0)]


def test_quantiles_that_cross_are_put_in_order(stored: Callable[..., Any]) -> None:
    assert values(stored({1: [line("M1", [3, 1], [2, 3], [1, 2])]}, scale="1")) == [(1.0, 2.0, 3.0), (1.0, 2.0, 3.0)]


@pytest.mark.parametrize(("scale", "expected"), [("0.001", (0.0, 0.0, 0.2)), ("1", (-100.0, -1.0, 200.0))])
def test_a_count_is_not_below_zero_and_kwh_may_be(
    stored: Callable[..., Any], scale: str, expected: tuple[float, ...]
) -> None:
    given = {1: [line("M1", [-100], [-1], [200])]}
    assert values(stored(given, scale=scale, prediction_length="1")) == [expected]


def test_columns_are_named_by_their_quantiles(stored: Callable[..., Any]) -> None:
    given = {"meter_id": "M1", "forecast_start": "2013-12-31 23:00:00"}
    lines = [{**given, "SageMakerOutput": {"quantiles": {"0.05": [1], "0.5": [2]}}}]
    (row,) = stored({1: lines}, quantiles="0.05,0.5", prediction_length="1")
    assert list(row) == ["meter_id", "datetime", "p5", "p50", "model_name"]


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
def test_a_line_that_is_no_complete_forecast_is_refused(
    lake: FolderLake, stored: Callable[..., Any], bad: Any, fault: str
) -> None:
    with pytest.raises(job.BadForecastError) as refused:
        stored({3: [line("M1", [1, 2], [3, 4], [5, 6]), bad]})
    assert fault in str(refused.value)
    assert str(refused.value).endswith("Clear transform_batch of this batch, with its downstream tasks.")
    assert lake.store.listed("s3://business/") == []


def test_a_few_of_many_bad_lines_are_told(stored: Callable[..., Any]) -> None:
    with pytest.raises(job.BadForecastError) as refused:
        stored(
            {1: [{**GOOD, "meter_id": f"M{number}", "forecast_start": "2014-02-30 00:00:00"} for number in range(9)]}
        )
    assert str(refused.value).count("no forecast_start") == 3


def test_each_batch_has_one_forecast_for_each_of_its_meters(stored: Callable[..., Any]) -> None:
    two = [line("M1", [1, 2], [3, 4], [5, 6]), GOOD]
    with pytest.raises(job.IncompleteBatchError, match="batch 0001 has 2 forecasts; the batch has 3 meters"):
        stored({1: two}, {1: 3})
    with pytest.raises(job.IncompleteBatchError, match="batch 0002 has 0 forecasts; the batch has 1 meters"):
        stored({1: two, 2: []}, {1: 2, 2: 1})
    with pytest.raises(job.IncompleteBatchError, match="more than one forecast of meter M9"):
        stored({1: [GOOD], 2: [GOOD]})


def test_what_an_earlier_try_stored_stays_until_all_results_are_whole(
    lake: FolderLake, stored: Callable[..., Any]
) -> None:
    before = stored({1: [GOOD]})
    with pytest.raises(job.IncompleteBatchError):
        stored({1: [line("M1", [1, 2], [3, 4], [5, 6])], 2: []}, {1: 1, 2: 1})
    assert lake.rows(PLACE) == before


def test_a_run_without_any_result_is_refused(stored: Callable[..., Any]) -> None:
    with pytest.raises(job.NoForecastsError, match="See why transform_batch failed"):
        stored({}, {1: 2})
    with pytest.raises(job.NoForecastsError):
        stored({7: [GOOD]}, {1: 2})


@pytest.mark.parametrize(("rows_a_file", "files"), [(2_000_000, 1), (9, 2)])
def test_rows_are_sorted_in_few_files_that_replace_those_before(
    lake: FolderLake,
    stored: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    rows_a_file: int,
    files: int,
) -> None:
    monkeypatch.setattr(forecast_results, "ROWS_A_FILE", rows_a_file)
    lake.store.write(f"{PLACE}part-9.parquet", b"of an earlier try")
    names = ["M4", "M2", "M3", "M1"]
    batches = {1: [line(name, [1, 2], [3, 4], [5, 6]) for name in names], 3: [line("M5", [1, 2], [3, 4], [5, 6])]}
    rows = stored(batches, {1: 4, 2: 7, 3: 1})

    assert [(row["meter_id"], row["datetime"].hour) for row in rows] == [
        (name, hour) for name in sorted([*names, "M5"]) for hour in (23, 0)
    ]
    found = lake.store.parquet_files(PLACE)
    assert found == [f"{PLACE}{number:04d}.parquet" for number in range(1, files + 1)]
    schema = pq.read_schema(lake.store.place(found[0]))
    assert schema.names == COLUMNS
    kinds = [pa.string(), pa.timestamp("us", "UTC"), pa.float64(), pa.float64(), pa.float64(), pa.string()]
    assert schema.types == kinds
    assert lake.summary("b1", job.JOB) == {
        "batch": "b1",
        "uri": PLACE,
        "rows": 10,
        "meters": 5,
        "first": "2013-12-31 23:00:00",
        "last": "2014-01-01 00:00:00",
        "batches_stored": [1, 3],
        "batches_missing": [2],
    }
    assert lake.store.listed("s3://working/forecast/b1/rows/") == []
