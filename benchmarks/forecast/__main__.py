"""Forecast three weeks of London households by DeepAR as deployed and by what it is compared with, in the same run:

    .venv-local/bin/python -m benchmarks.forecast --weather           writes results/forecast.json
    .venv-local/bin/python -m benchmarks.forecast --configurations    writes results/forecast_configurations.json

and, of both, the page beside this file. Needs lightgbm. Some ten minutes of one core, with weather twenty. Without the
households' file a made-up fleet takes their place: its results are named so and are not on the page.
"""

from __future__ import annotations

import argparse
import json
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.anomalies.households import FILE, REPOSITORY, SHARED_DATA
from benchmarks.forecast import configurations, households, product, report
from benchmarks.forecast.backtest import DAYS, HORIZON, WINDOWS, Backtest, last_weeks
from benchmarks.forecast.baselines import Climatology, SeasonalNaive
from benchmarks.forecast.boosting import Boosting
from benchmarks.forecast.deepar import DeepAR, Trained, say
from benchmarks.forecast.households import Households
from benchmarks.forecast.weather import FILE as WEATHER_FILE
from benchmarks.forecast.weather import Weather, read
from local_aws.sagemaker.deepar.__main__ import keep_freed_memory

RESULTS = REPOSITORY / "benchmarks" / "results" / "forecast.json"
CHOICE = RESULTS.with_stem("forecast_configurations")
PAGE = Path(__file__).with_name("README.md")
LIBRARIES = ("gluonts", "torch", "lightgbm", "numpy")

Results = dict[str, Any]


def main() -> None:
    keep_freed_memory()
    options = parser().parse_args()
    file = options.households if options.households.exists() else None
    given = households.read([file]) if file else households.made_up()
    say(f"{file.name if file else f'{options.households} is not there: a made-up fleet'}, {len(given.meters)} meters")
    changes = {} if options.epochs is None else {"epochs": options.epochs}
    path = CHOICE if options.configurations else RESULTS
    path = path if file else path.with_stem(f"{path.stem}_made_up")
    about = {"data": households.identity(file), "libraries": libraries()}
    if options.configurations:
        results = about | compare(given, options.epochs or configurations.EPOCHS)
    else:
        results = about | run(given, changes, options.weather)
    # Not before the end: what an interrupted run has found would not be what the page says.
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    if file:
        write_page()
    print(report.choice(results) if options.configurations else report.table(results))


def parser() -> argparse.ArgumentParser:
    words = argparse.ArgumentParser(prog="python -m benchmarks.forecast", description=(__doc__ or "").split("\n")[0])
    words.add_argument("--households", type=Path, default=SHARED_DATA / FILE, help="a file of London's meters")
    words.add_argument("--epochs", type=int, help="of DeepAR; default: as deployed")
    words.add_argument(
        "--weather", type=Path, nargs="?", const=WEATHER_FILE, help="DeepAR with weather too; of this file"
    )
    words.add_argument("--configurations", action="store_true", help="compare hyperparameters, on earlier weeks")
    return words


def run(given: Households, changes: dict[str, Any], weather: Path | None) -> Results:
    """The results of all methods."""
    backtest = last_weeks(given, product.QUANTILES)
    methods: Results = {}
    for name, method in (
        ("seasonal_naive", SeasonalNaive(product.QUANTILES)),
        ("climatology", Climatology(product.QUANTILES)),
        ("lightgbm", Boosting(product.QUANTILES)),
        ("deepar", DeepAR("DeepAR", changes)),
    ):
        methods[name] = tell(name, backtest.run(method))
    if weather:
        features = Weather(read(weather))
        with_weather = DeepAR("DeepAR with weather", changes, features)
        methods["deepar_weather_foreseen"] = tell("deepar_weather_foreseen", backtest.run(with_weather))
        features.is_foreseen = False
        methods["deepar_weather_usual"] = tell("deepar_weather_usual", backtest.run(Trained(with_weather)))
    naive = methods["seasonal_naive"]["mean_wQuantileLoss"]
    for found in methods.values():
        found["to_seasonal_naive"] = found["mean_wQuantileLoss"] / naive - 1
    return {**about_data(backtest), "methods": methods}


def compare(given: Households, epochs: int) -> Results:
    """The results of the configurations."""
    backtest = last_weeks(given, product.QUANTILES, weeks_earlier=WINDOWS)
    found = configurations.compare(backtest, configurations.CONFIGURATIONS, epochs, tell)
    start = {"epochs": epochs, "starting_point": configurations.STARTING_POINT}
    return {**about_data(backtest), **start, "configurations": found}


def about_data(backtest: Backtest) -> Results:
    """Which hours of how many meters were forecast."""
    given, first = backtest.households, backtest.windows[0]
    scored = np.isfinite(given.kwh[:, first:])
    return {
        "first_day": given.first.date().isoformat(),
        "days": DAYS,
        "windows": WINDOWS,
        "horizon": HORIZON,
        "quantiles": list(backtest.quantiles),
        "meters": int(np.isfinite(given.kwh).any(axis=1).sum()),
        "meters_in_windows": int(scored.any(axis=1).sum()),
        "hours_in_windows": int(scored.sum()),
    }


def libraries() -> dict[str, str]:
    return {"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}}


def tell(name: str, found: Results) -> Results:
    coverage = "" if found["coverage"] is None else f", coverage {found['coverage']:.2f}"
    say(f"{name}: mean wQuantileLoss {found['mean_wQuantileLoss']:.4f}{coverage}")
    return found


def write_page() -> None:
    """Of both kept results, if there are both."""
    if RESULTS.exists() and CHOICE.exists():
        kept = (json.loads(path.read_text(encoding="utf-8")) for path in (RESULTS, CHOICE))
        PAGE.write_text(report.page(*kept), encoding="utf-8")


if __name__ == "__main__":
    main()
