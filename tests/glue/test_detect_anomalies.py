"""detect_anomalies: complete days are judged once, and kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import detect_anomalies
import numpy as np
import pytest
from transformers.anomalies.daily_weather import DailyWeather
from transformers.zones import schemas
from transformers.zones.data_range import DataRange
from transformers.zones.weather import NoWeatherError

from local_aws.infrastructure.artefacts import zipped

# pyspark 3.5 compares versions of pandas by distutils.
pytestmark = pytest.mark.filterwarnings("ignore:.*distutils:DeprecationWarning")

Detect = Callable[..., dict[str, Any]]
Rows = Callable[..., list[tuple[Any, ...]]]
Frame = Callable[..., Any]

PACKAGE = Path(detect_anomalies.__file__).parent / "transformers"
FIRST = date(2013, 1, 1)
INTERVALS = 48
DAYS = f"{schemas.AGGREGATED_DAILY}, month string"
JUDGEMENT = ["meter_id", "ds", "consumption", "yhat_lower", "yhat_upper", "anomaly", "importance"]


@pytest.fixture(scope="module")
def _modules_of_workers(spark: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    """As --extra-py-files gives them to the Python workers."""
    package = tmp_path_factory.mktemp("package") / "transformers.zip"
    package.write_bytes(zipped(PACKAGE))
    spark.sparkContext.addPyFile(str(package))


@pytest.fixture
def detect(spark: Any, tmp_path: Path, _modules_of_workers: None) -> Detect:
    """detect(days, published, run="1", …): what the job says; it looks at 120 days from FIRST on."""

    def run(
        days: Any, published: Any = None, run: str = "1", length: int = 120, weather: DailyWeather | None = None
    ) -> dict[str, Any]:
        def read(months: set[str]) -> Any:
            chosen = published and published.where(published["month"].isin(sorted(months)))
            return chosen if chosen and chosen.count() else None

        settings = detect_anomalies.Settings(length, "GB", INTERVALS, 0.98)
        looked_at = DataRange(FIRST, FIRST + timedelta(days=length))
        return detect_anomalies.detect(spark, days, read, looked_at, settings, weather, f"file://{tmp_path}", run)

    return run


@pytest.fixture
def stored(spark: Any, tmp_path: Path) -> Callable[..., Any]:
    """stored(run): the rows that a run has written."""
    return lambda run="1": spark.read.parquet(f"{tmp_path}/anomaly/run={run}")


def series(meter: str, days: int, start: int = 0, seed: int = 1) -> list[list[Any]]:
    """Rows of aggregated_daily: about 10 kWh a day, more on weekends; no two alike."""
    noise = np.random.default_rng(seed).normal(0, 0.8, days)
    dates = [FIRST + timedelta(days=start + number) for number in range(days)]
    return [
        [meter, f"{day:%Y%m%d}", 10.0 + 3 * (day.weekday() >= 5) + float(noise[number]), INTERVALS, f"{day:%Y%m}"]
        for number, day in enumerate(dates)
    ]


def test_complete_days_are_judged_and_unusual_ones_found(
    detect: Detect, stored: Callable[..., Any], rows: Rows, frame: Frame
) -> None:
    given = series("M1", 120)
    given[40][2] *= 3
    given[70][2] *= 0.1
    given[90][3] = INTERVALS - 1
    given[90][2] = 99.0

    said = detect(frame(DAYS, *given))

    assert said["judged"] == 119
    assert said["incomplete"] == 1
    found = rows(stored(), "ds", "anomaly", "importance", "yhat_lower", "yhat_upper", "consumption")
    by_day = {row[0]: row for row in found}
    assert FIRST + timedelta(days=90) not in by_day
    assert by_day[date(2013, 2, 10)][1] == 1
    assert by_day[date(2013, 3, 12)][1] == -1
    assert sum(row[1] != 0 for row in found) <= 2 + 0.05 * 119
    assert said["anomalies"] == {
        "high": sum(row[1] == 1 for row in found),
        "low": sum(row[1] == -1 for row in found),
    }
    for _, anomaly, importance, lower, upper, consumption in found:
        assert 0 <= lower < upper
        assert (importance == 0) == (anomaly == 0)
        assert anomaly == (consumption > upper) - (consumption < lower)


def test_the_same_days_again_are_not_written_again(
    detect: Detect, stored: Callable[..., Any], frame: Frame, tmp_path: Path
) -> None:
    days = frame(DAYS, *series("M1", 60))
    first = detect(days)
    second = detect(days, stored(), run="2")

    assert (first["judged"], first["kept"]) == (60, 0)
    assert (second["judged"], second["kept"], second["partitions"], second["days"]) == (0, 60, [], [])
    assert not (tmp_path / "anomaly" / "run=2").exists()


def test_a_new_day_is_added_and_what_was_judged_stays_exactly_as_it_was(
    detect: Detect, stored: Callable[..., Any], rows: Rows, frame: Frame
) -> None:
    given = series("M1", 63) + series("M2", 62, seed=2)
    before = [row for row in given if row[1] != "20130304"]  # day 62 of M1
    detect(frame(DAYS, *before))
    # A correction that comes late: the judgement is kept as it was.
    corrected = [[*row[:2], row[2] * (5 if row[1] == "20130301" else 1), *row[3:]] for row in given]

    said = detect(frame(DAYS, *corrected), stored(), run="2")

    assert (said["judged"], said["kept"], said["days"]) == (1, 124, ["20130304-20130304"])
    assert [part["values"] for part in said["partitions"]] == [["201303"]]
    assert said["partitions"][0]["rows"] == 4 + 3
    old = rows(stored().where("month = '201303'"), *JUDGEMENT)
    new = rows(stored("2"), *JUDGEMENT)
    assert [row for row in new if row[:2] != ("M1", date(2013, 3, 4))] == old
    assert [row[1] for row in new if row not in old] == [date(2013, 3, 4)]


def test_a_meter_is_judged_once_it_has_28_complete_days(
    detect: Detect, stored: Callable[..., Any], rows: Rows, frame: Frame
) -> None:
    said = detect(frame(DAYS, *series("M1", 28, start=50), *series("M2", 27, seed=2)))

    assert (said["judged"], said["meters_with_short_history"]) == (28, 1)
    assert rows(stored().select("meter_id").distinct()) == [("M1",)]


def test_where_no_day_can_be_judged_nothing_is_written(detect: Detect, frame: Frame, tmp_path: Path) -> None:
    said = detect(frame(DAYS, *series("M1", 27)))

    assert (said["judged"], said["partitions"], said["days"]) == (0, [], [])
    assert list(tmp_path.glob("anomaly*")) == []


def test_a_day_is_complete_with_the_readings_that_its_meter_usually_has(
    detect: Detect, stored: Callable[..., Any], rows: Rows, frame: Frame
) -> None:
    hourly = [[*row[:3], 24, row[4]] for row in series("hourly", 40)]
    hourly[10][3] = 23
    # 47 does not cut a day into equal parts: this meter loses a reading every day.
    leaking = [[*row[:3], 47, row[4]] for row in series("leaking", 40)]

    said = detect(frame(DAYS, *hourly, *leaking))

    assert (said["judged"], said["incomplete"]) == (39, 41)
    assert {row[0] for row in rows(stored(), "meter_id")} == {"hourly"}


def test_the_meters_beside_it_never_matter_to_a_meter(
    detect: Detect, stored: Callable[..., Any], rows: Rows, frame: Frame, monkeypatch: pytest.MonkeyPatch
) -> None:
    meters = [series(f"M{number}", 90, start=number, seed=number) for number in range(6)]
    given = frame(DAYS, *(row for meter in meters for row in meter))
    detect(given, run="together")
    monkeypatch.setattr(detect_anomalies, "METERS_A_CHUNK", 1)
    detect(given, run="apart")

    together, apart = (rows(stored(run), *JUDGEMENT) for run in ("together", "apart"))
    assert [row[:2] for row in together] == [row[:2] for row in apart]
    for one, other in zip(together, apart, strict=True):
        assert one[2:] == pytest.approx(other[2:], abs=1e-9)


def test_the_weather_of_a_day_stands_beside_it_where_it_is_known(
    detect: Detect, stored: Callable[..., Any], rows: Rows, frame: Frame
) -> None:
    dates = [FIRST + timedelta(days=number) for number in range(30)]
    weather = DailyWeather(dict.fromkeys(dates[:20], 5.0), dict.fromkeys(dates[:20], 3.5))

    said = detect(frame(DAYS, *series("M1", 30)), length=30, weather=weather)

    assert said["weather"] == {"last_known": "2013-01-20", "days_filled": 10}
    found = rows(stored(), "ds", "temperature", "apparenttemperature")
    assert found[19] == (dates[19], 5.0, 3.5)
    assert found[20] == (dates[20], None, None)


def test_each_partition_is_one_file_of_the_columns_of_the_table(detect: Detect, frame: Frame, tmp_path: Path) -> None:
    import pyarrow.parquet as parquet

    said = detect(frame(DAYS, *series("M2", 40), *series("M1", 40, seed=2)))

    assert [(part["values"], part["rows"]) for part in said["partitions"]] == [(["201301"], 62), (["201302"], 18)]
    for part in said["partitions"]:
        month = part["values"][0]
        assert part["location"] == f"file://{tmp_path}/anomaly/run=1/month={month}/"
        (file,) = Path(part["location"].removeprefix("file://")).glob("*.parquet")
        found = parquet.read_table(file, partitioning=None)
        assert found.column_names == schemas.names(schemas.ANOMALY)
        keys = list(zip(found["meter_id"].to_pylist(), found["ds"].to_pylist(), strict=True))
        assert keys == sorted(keys)
    assert said["days"] == ["20130101-20130209"]


@pytest.mark.parametrize(
    ("changed", "message"),
    [({"days": "27"}, "28 days at least"), ({"level": "1.0"}, "below 1"), ({"level": "0.4"}, "from 0.5")],
)
def test_arguments_by_which_no_day_can_be_judged_are_refused(changed: dict[str, str], message: str) -> None:
    given = {"days": "365", "level": "0.98", "country": "GB", "intervals_per_hour": "2"}
    assert detect_anomalies.Settings.of(given) == detect_anomalies.Settings(365, "GB", 48, 0.98)
    with pytest.raises(detect_anomalies.SettingsError, match=message):
        detect_anomalies.Settings.of({**given, **changed})


def test_days_before_and_after_those_looked_at_are_passed_over(
    detect: Detect, stored: Callable[..., Any], rows: Rows, frame: Frame
) -> None:
    said = detect(frame(DAYS, *series("M1", 150, start=-10)))

    assert (said["judged"], said["incomplete"], said["days"]) == (120, 0, ["20130101-20130430"])
    assert (said["data_start"], said["data_end"]) == ("2013-01-01", "2013-05-01")


def test_weather_without_a_temperature_is_refused(frame: Frame) -> None:
    class Tables:
        def weather(self) -> Any:
            schema = "time string, temperature double, apparenttemperature double, humidity double"
            return frame(schema, ("2013-01-01 00:00:00", None, 1.0, 0.5))

    with pytest.raises(NoWeatherError, match="trigger load_reference_data"):
        detect_anomalies.read_weather(Tables())  # type: ignore[arg-type]
