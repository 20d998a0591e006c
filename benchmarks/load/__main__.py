"""Measure the load beside the predecessor's way, in the same run:

    .venv-local/bin/python -m benchmarks.load ingest    [--rows N …]   loads of 1, 4 and 16 million rows
    .venv-local/bin/python -m benchmarks.load increment [--rows N]     a day onto 4 million rows, and nothing new
    .venv-local/bin/python -m benchmarks.load queries   [--rows N]     what queries of 16 million rows read
    .venv-local/bin/python -m benchmarks.load grain     [--rows N]     partitions of a month beside those of a day
    .venv-local/bin/python -m benchmarks.load worst     [--rows N]     a file without repetition, one of 8 million rows
    .venv-local/bin/python -m benchmarks.load described [--rows N]     quoted CSV and Parquet by the transformer default
    .venv-local/bin/python -m benchmarks.load all                      the six, one after the other
    .venv-local/bin/python -m benchmarks.load page                     the page and the plot of the results, anew

Each writes its results to benchmarks/results/load_<command>.json, then the page and the plot. `ingest` replaces the
results of the sizes that it is given and keeps the others. With --work the loaded zones stay in that folder, and
`queries` takes those that `ingest` left there. The meter files are made of the London households in SHARED_DATA
(default ../shared/data), or of a generated fleet where they are missing.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks.load import REPOSITORY, described, fleet, grain, increment, ingest, queries, report, worst
from local_aws.glue import spark
from local_aws.glue.java import java_home
from local_aws.settings import Settings

RESULTS = REPOSITORY / "benchmarks" / "results"
PAGE = Path(__file__).with_name("README.md")
PLOT = REPOSITORY / "docs" / "images" / "load_growth.svg"
COMMANDS = ("ingest", "queries", "increment", "grain", "worst", "described")
MODULES: dict[str, Any] = {
    "increment": increment,
    "queries": queries,
    "grain": grain,
    "worst": worst,
    "described": described,
}


def main(arguments: list[str] | None = None) -> None:
    words = parser()
    options = words.parse_args(arguments)
    if options.rows and options.command == "all":
        words.error("--rows goes with one command")
    if options.command != "page":
        given = fleet.sample()
        print(given.source)
        with work(options.work) as folder:
            for command in COMMANDS if options.command == "all" else [options.command]:
                measure(command, given, options.rows, folder)
    write_page()


def parser() -> argparse.ArgumentParser:
    words = argparse.ArgumentParser(
        prog="python -m benchmarks.load", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    words.add_argument("command", choices=[*COMMANDS, "all", "page"])
    words.add_argument("--rows", type=int, nargs="+", help="how many; several for ingest only, none for all")
    words.add_argument("--work", type=Path, help="folder that keeps the data (default: a temporary one)")
    return words


def measure(command: str, given: fleet.Sample, rows: list[int] | None, folder: Path) -> None:
    """Run a command, writing its results after each size."""
    if command == "ingest":
        for size in rows or ingest.SIZES:
            shutil.rmtree(folder / str(size), ignore_errors=True)
            found = ingest.run(given, size, folder / str(size))
            others = [other for other in read("ingest").get("sizes", []) if other["rows"] != found["rows"]]
            sizes = sorted([*others, found], key=lambda measured: measured["rows"])
            save("ingest", {"source": given.source, "versions": versions(), "sizes": sizes})
        return
    module = MODULES[command]
    (size,) = rows or [module.ROWS]
    # Queries ask what a load of that size has left.
    place = folder / (str(size) if command == "queries" else command)
    if command != "queries":
        shutil.rmtree(place, ignore_errors=True)
    found = module.run(given, size, place)
    save(command, {"source": given.source, "versions": versions(), **found})


def versions() -> dict[str, Any]:
    """What the numbers depend on, beside the code."""
    settings = Settings()
    java = [java_home(settings.glue_environment) / "bin" / "java", "-version"]
    said = subprocess.run(java, capture_output=True, text=True, check=True)
    of_glue = ("pyspark", "pyarrow", "numpy", "boto3")
    script = "import sys, importlib.metadata as m; print(*(m.version(name) for name in sys.argv[1:]), sys.version)"
    answer = subprocess.run([settings.glue_python, "-c", script, *of_glue], capture_output=True, text=True, check=True)
    spark_version, *libraries, python = answer.stdout.split()[: len(of_glue) + 1]
    return {
        "spark": spark_version,
        "java": said.stderr.split('"')[1],
        "java_flags": spark.JAVA_OPTIONS,
        "python": python,
        **dict(zip(of_glue[1:], libraries, strict=True)),
        **{name: metadata.version(name) for name in ("duckdb", "polars")},
        "cores": os.cpu_count(),
    }


def read(command: str) -> dict[str, Any]:
    """The results of a command; empty when it has not run."""
    path = RESULTS / f"load_{command}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def save(command: str, results: dict[str, Any]) -> None:
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps(results, indent=1, ensure_ascii=False)
    (RESULTS / f"load_{command}.json").write_text(f"{text}\n", encoding="utf-8")


def write_page() -> None:
    """The page and the plot, when there are results of all commands."""
    results = {command: read(command) for command in COMMANDS}
    if missing := [command for command, found in results.items() if not found]:
        print(f"The page waits for: {', '.join(missing)}")
        return
    PAGE.write_text(report.page(results), encoding="utf-8")
    PLOT.write_text(report.plot(results), encoding="utf-8")
    print(report.page(results))


@contextlib.contextmanager
def work(given: Path | None) -> Iterator[Path]:
    """The folder of the data: the one given, which stays, or a temporary one."""
    if given is not None:
        given.mkdir(parents=True, exist_ok=True)
        yield given.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="load-") as name:
        yield Path(name)


if __name__ == "__main__":
    main()
