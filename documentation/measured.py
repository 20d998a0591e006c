"""README.md: the table of what was measured beside what, between two marks, made of benchmarks/results.

Shares and quality only: times differ from machine to machine.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]
PAGE = REPOSITORY / "README.md"
RESULTS = REPOSITORY / "benchmarks" / "results"
BEGIN, END = "<!-- measured, by `make docs` -->\n", "<!-- end of measured -->\n"
HEADER = "| measured | beside | here |\n|---|---|---|\n"


def generate() -> str:
    """The text of the page with the table made anew."""
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{table()}{END}{after}"


def table() -> str:
    """The table in Markdown."""
    rows = [*_load(), *_models()]
    return HEADER + "".join(f"| {what} | {beside} | {here} |\n" for what, beside, here in rows)


def _load() -> list[tuple[str, str, str]]:
    sizes = {size["rows"]: size for size in _results("load_ingest")["sizes"]}
    day, queries = _results("load_increment"), _results("load_queries")
    way = "[the predecessor's five jobs](benchmarks/load/README.md)"
    found = []
    for rows, size in sizes.items():
        new, old = size["platform"], size["predecessor"]
        found.append(
            (
                f"load of {rows / 1e6:g} million rows through to sums",
                way,
                f"{_share(new, old, 'cpu_seconds')} of the CPU time, {_share(new, old, 'peak_rss_mb')} of the memory, "
                f"{new['files']:,} files instead of {old['files']:,}",
            )
        )
    found.append(
        (
            f"one more day onto {day['rows'] / 1e6:.2g} million rows",
            "the same",
            f"{_share(day['platform'], day['predecessor'], 'cpu_seconds')} of the CPU time",
        )
    )
    asked = queries["questions"][0]
    new, old = asked["platform"], asked["predecessor"]
    found.append(
        (
            f"{asked['name']}, of {queries['rows'] / 1e6:.2g} million rows",
            "the same",
            f"{new['files']} files instead of {old['files']:,}, {_share(new, old, 'bytes')} of the bytes",
        )
    )
    return found


def _models() -> list[tuple[str, str, str]]:
    methods = _results("forecast")["methods"]
    detectors = _results("anomalies")["detectors"]
    ours, prophet = detectors["detect_anomalies"], detectors["prophet"]
    precision, others = (found["scores"]["all"]["average_precision"] for found in (ours, prophet))
    cpu = prophet["cpu_ms_a_meter_year"] / ours["cpu_ms_a_meter_year"]
    loss = {name: method["mean_wQuantileLoss"] for name, method in methods.items()}
    return [
        (
            "forecast of a week of London: weighted quantile loss",
            "[seasonal-naive, LightGBM](benchmarks/forecast/README.md)",
            f"{loss['deepar']:.2f} against {loss['seasonal_naive']:.2f} and {loss['lightgbm']:.2f}",
        ),
        (
            "unusual days of London: average precision",
            "[Prophet](benchmarks/anomalies/README.md)",
            f"{precision:.2f} against {others:.2f}, in {1 / cpu:.2%} of the CPU time",
        ),
    ]


def _share(new: dict[str, Any], old: dict[str, Any], name: str) -> str:
    return f"{new[name] / old[name]:.0%}"


def _results(name: str) -> Any:
    return json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
