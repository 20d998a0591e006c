"""The README's table says what the kept results of the benchmarks say."""

from __future__ import annotations

import json

from documentation import measured


def test_the_readme_is_made_of_the_results() -> None:
    assert measured.PAGE.read_text(encoding="utf-8") == measured.generate(), "Run `make docs`."


def test_a_share_is_that_of_the_results() -> None:
    sizes = json.loads((measured.RESULTS / "load_ingest.json").read_text(encoding="utf-8"))["sizes"]
    (million,) = (size for size in sizes if size["rows"] == 1_000_000)

    (row,) = (line for line in measured.table().splitlines() if line.startswith("| load of 1 million rows"))

    share = 100 * million["platform"]["cpu_seconds"] / million["predecessor"]["cpu_seconds"]
    assert f"| {share:.0f}% of the CPU time, " in row
    assert f"{million['platform']['files']} files instead of {million['predecessor']['files']:,} |" in row


def test_what_stands_around_the_table_stays() -> None:
    before, _, rest = measured.PAGE.read_text(encoding="utf-8").partition(measured.BEGIN)

    assert measured.generate().startswith(before + measured.BEGIN + measured.HEADER)
    assert measured.generate().endswith(measured.END + rest.partition(measured.END)[2])
