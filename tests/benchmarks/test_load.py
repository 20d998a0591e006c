"""The benchmark of the load: its fleet, what it counts, and that its page says what its results say."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from datetime import date, datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as parquet
import pytest

from benchmarks.load import (
    REPOSITORY,
    described,
    estimate,
    fleet,
    growth,
    increment,
    ingest,
    loads,
    process_tree,
    report,
    worst,
)
from benchmarks.load.__main__ import COMMANDS, PAGE, PLOT, read
from benchmarks.load.fleet import Household
from benchmarks.load.folder_store import FolderStore, byte_range
from local_aws.ports import free_ports
from sample_data.london_files import Identity

ROWS = 5000


@pytest.fixture(scope="module")
def households() -> list[Household]:
    """Two, of one and of two days with a zero, an error and a gap."""
    found = []
    for number, days in ((2, ("2013-12-30",)), (5, ("2013-12-30", "2013-12-31"))):
        times = [f"{day} {at // 2:02}:{at % 2 * 30:02}:00.0000000,".encode() for day in days for at in range(48)]
        values = np.arange(len(times)) * 10
        values[7] = -1
        found.append(Household(Identity(f"MAC{number:06d}", "Std", "ACORN-A", "Affluent"), times, values))
    return found


def lines(folder: Path) -> list[str]:
    files = sorted(folder.glob("*.csv"), key=lambda file: int(file.stem.rpartition("_")[2]))
    return [line for file in files for line in file.read_text().splitlines()[1:]]


def test_a_fleet_goes_into_one_file_if_that_is_asked_for(households: list[Household], tmp_path: Path) -> None:
    assert [rows for _, rows in fleet.write(households, tmp_path, ROWS, file_rows=ROWS)] == [ROWS]


def test_no_text_repeats_in_the_dearest_file(tmp_path: Path) -> None:
    worst.write(tmp_path / "a_1.csv", ROWS)

    rows = [line.split(",") for line in lines(tmp_path)]
    times, values = ([row[at].strip() for row in rows] for at in (2, 3))
    assert len(set(times)) == len(set(values)) == len(rows) == ROWS
    assert times != sorted(times)
    assert 0 < min(map(float, values)) < max(map(float, values)) <= 10
    assert {row[0] for row in rows} == {f"MAC{number:06d}" for number in range(1, worst.METERS + 1)}


def test_both_extracts_hold_the_fleet(households: list[Household], tmp_path: Path) -> None:
    given = fleet.Sample("two households", households)

    csv_files, parquet_files = (described.write(given, tmp_path, 100, kind) for kind in ("csv", "parquet"))

    text = [file.read_bytes().decode().split("\r\n") for file in csv_files]
    assert text[0][:2] == ['"Meter";"Read at";"Energy";"Status"', '"MAC000002";"30.12.2013 00:00:00";"0,000";"0"']
    assert text[0][8] == '"MAC000002";"30.12.2013 03:30:00";"";"E05"'
    rows = [row for file in parquet_files for row in parquet.read_table(file).to_pylist()]
    assert len(rows) == sum(len(file) - 2 for file in text) == 100
    assert rows[7] == {"meter": "MAC000002", "read_at": datetime(2013, 12, 30, 3, 30), "energy": None, "status": "E05"}  # noqa: DTZ001 (as in the file)


@pytest.mark.parametrize("program", ["by_duckdb.py", "by_polars.py"])
def test_an_alternative_keeps_one_reading_and_sums_days(
    households: list[Household], tmp_path: Path, program: str
) -> None:
    import duckdb

    rows = sum(len(home.times) for home in households)
    landing, result = tmp_path / "landing", tmp_path / "result"
    files = [path for path, _ in fleet.write(households, landing, rows)]
    # The last file once more, with other values and a later name.
    again = landing / "z.csv"
    again.write_text(files[-1].read_text().replace(", 0.01 ", ", 0.02 "))
    result.mkdir()
    path = Path(loads.__file__).with_name("alternatives") / program
    subprocess.run([sys.executable, path, result, *files, again], check=True)

    found = duckdb.sql(f"SELECT reading_type, count(*) FROM '{result}/daily/*/*/*.parquet' GROUP BY ALL").fetchall()
    sums = duckdb.sql(f"SELECT meter_id, CAST(day AS TEXT), consumption FROM '{result}/*.parquet'").fetchall()
    errors = len(households)
    assert sorted(found) == [("ERR", errors), ("INT", rows - errors)]
    expected = []
    for home in households:
        for day in sorted({stamp[:10] for stamp in home.times}):
            chosen = [
                v for t, v in zip(home.times, home.watt_hours.tolist(), strict=True) if t.startswith(day) and v > 0
            ]
            expected.append((home.identity.meter_id, day.decode(), sum(chosen) / 1000))
    changed = sum(line.count(", 0.01 ") for line in files[-1].read_text().splitlines()) * 0.01
    assert sorted(row[:2] for row in sums) == [row[:2] for row in expected]
    assert sum(row[2] for row in sums) == pytest.approx(sum(row[2] for row in expected) + changed)


def test_a_fleet_has_as_many_rows_as_asked_for_in_both_layouts(households: list[Household], tmp_path: Path) -> None:
    written = fleet.write(households, tmp_path, ROWS)

    assert sum(rows for _, rows in written) == len(lines(tmp_path)) == ROWS
    headers = [file.read_bytes().split(b"\r\n", 1)[0] for file, _ in written]
    assert headers == [
        b"LCLid,stdorToU,DateTime,KWH/hh (per half hour) ",
        b"LCLid,stdorToU,DateTime,KWH/hh (per half hour) ,Acorn,Acorn_grouped",
    ]


def test_the_same_fleet_has_the_same_bytes(households: list[Household], tmp_path: Path) -> None:
    for name in ("a", "b"):
        fleet.write(households, tmp_path / name, ROWS)

    assert lines(tmp_path / "a") == lines(tmp_path / "b")


def test_copies_are_other_meters_with_values_a_little_changed(households: list[Household], tmp_path: Path) -> None:
    rows = sum(len(home.times) for home in households)
    fleet.write(households, tmp_path, 2 * rows)

    split = [line.split(",")[:4] for line in lines(tmp_path)]
    first, second = split[:rows], split[rows:]
    assert {row[0] for row in first} == {"MAC000002", "MAC000005"}
    assert {row[0] for row in second} == {"MAC006002", "MAC006005"}
    assert [row[2] for row in first] == [row[2] for row in second]
    pairs = [(one[3].strip(), other[3].strip()) for one, other in zip(first, second, strict=True)]
    assert pairs.count(("Null", "Null")) == pairs.count(("0", "0")) == len(households)
    moved = [float(other) - float(one) for one, other in pairs if one not in ("Null", "0")]
    assert 0 < max(map(abs, moved)) <= 0.0101
    assert len({round(value, 3) for value in moved}) > 10


def test_a_day_and_all_others_are_the_whole_fleet(households: list[Household], tmp_path: Path) -> None:
    day = date(2013, 12, 31)
    fleet.write(households, tmp_path / "all", 300)
    fleet.write(households, tmp_path / "before", 300, without=day)
    fleet.write(households, tmp_path / "day", 300, only=day)

    before, of_day = ([",".join(line.split(",")[:4]) for line in lines(tmp_path / name)] for name in ("before", "day"))
    assert {line.split(",")[2][:10] for line in of_day} == {"2013-12-31"}
    assert "2013-12-31" not in {line.split(",")[2][:10] for line in before}
    whole = [",".join(line.split(",")[:4]) for line in lines(tmp_path / "all")]
    assert Counter(before + of_day) == Counter(whole)


def test_without_the_london_households_a_generated_fleet_is_taken_and_said(tmp_path: Path) -> None:
    found = fleet.sample(tmp_path / "missing.csv.gz")

    assert "generated" in found.source
    assert len(found.households) == fleet.GENERATED.meters


# A process that starts one that outlives it, as pyspark does with its JVM; each burns half a second of CPU and holds
# 100 MB while it does.
BURN = "held = b'x' * 100_000_000; end = time.process_time() + 0.5\nwhile time.process_time() < end: pass"
ORPHANS = f"""
import subprocess, sys, time
subprocess.Popen([sys.executable, "-c", '''import time\n{BURN}'''], start_new_session=True)
{BURN}
"""


def measured_elsewhere(*command: str) -> dict[str, Any]:
    """What a fresh process measures: this one has children of its own."""
    script = (
        "import dataclasses, json, subprocess, sys\nfrom benchmarks.load import process_tree\n"
        "with process_tree.measured() as usage:\n    subprocess.run(sys.argv[1:], check=True)\n"
        "print(json.dumps(dataclasses.asdict(usage)))"
    )
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    answer = subprocess.run(
        [sys.executable, "-c", script, *command], env=environment, capture_output=True, text=True, check=True
    )
    return json.loads(answer.stdout)


def test_a_process_that_outlives_its_parent_is_counted() -> None:
    usage = measured_elsewhere(sys.executable, "-c", ORPHANS)

    assert 1.0 <= usage["cpu"] < 2.0
    assert usage["peak_rss"] > 100_000_000


def test_a_measurement_with_other_children_is_refused() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        with pytest.raises(process_tree.ForeignChildrenError), process_tree.measured():
            pass
        child.communicate(b"\n")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[tuple[FolderStore, HTTPConnection]]:
    (port,) = free_ports(1)
    with FolderStore(tmp_path, port) as opened:
        connection = HTTPConnection("127.0.0.1", port)
        yield opened, connection
        connection.close()


def test_the_store_counts_the_bytes_that_it_sends(store: tuple[FolderStore, HTTPConnection], tmp_path: Path) -> None:
    opened, connection = store
    (tmp_path / "zone" / "a").mkdir(parents=True)
    (tmp_path / "zone" / "a" / "one").write_bytes(bytes(range(100)))

    for wanted, content in (("bytes=10-19", range(10, 20)), ("bytes=-5", range(95, 100))):
        connection.request("GET", "/zone/a/one", headers={"Range": wanted})
        assert connection.getresponse().read() == bytes(content)
    connection.request("HEAD", "/zone/a/one")
    answer = connection.getresponse()
    assert (answer.read(), answer.headers["Content-Length"]) == (b"", "100")

    assert opened.take_reads() == {"zone/a/one": 15}
    assert opened.take_reads() == {}


def test_a_range_is_read_as_http_has_it() -> None:
    assert [byte_range(header, 100) for header in (None, "bytes=0-9", "bytes=90-", "bytes=-8", "bytes=95-200")] == [
        (0, 99),
        (0, 9),
        (90, 99),
        (92, 99),
        (95, 99),
    ]


@pytest.mark.slow
def test_both_ways_load_the_same_energy_and_the_second_run_of_ours_starts_no_job(
    households: list[Household], tmp_path: Path
) -> None:
    """In a process of its own, which has no other children."""
    script = (
        "import json, sys\nfrom pathlib import Path\nimport duckdb\n"
        "from benchmarks.load import fleet, lake, loads, queries\n"
        "from tests.benchmarks.test_load import deliver\n"
        "print(json.dumps(deliver(Path(sys.argv[1]))))"
    )
    environment = {**os.environ, "PYTHONPATH": f"{REPOSITORY}:{os.environ.get('PYTHONPATH', '')}"}
    begun = time.monotonic()
    answer = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        env=environment,
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    took = time.monotonic() - begun
    found = json.loads(answer.stdout.splitlines()[-1])

    platform, predecessor = found["platform"], found["predecessor"]
    assert list(platform["jobs"]) == ["raw_to_clean", "clean_to_business", "aggregate_consumption"]
    assert list(predecessor["jobs"]) == ["clean", "business", "daily", "weekly", "monthly"]
    for side, least_seconds, least_mb in ((platform, 0.3, 50), (predecessor, 1, 200)):
        # No job starts Python or Java for less, nor do two cores give more than two seconds a second.
        assert all(job["cpu_seconds"] > least_seconds for job in side["jobs"].values())
        assert side["cpu_seconds"] < 2 * took
        assert side["peak_rss_mb"] > least_mb
        assert side["bytes"] > 10_000
    assert platform["peak_rss_mb"] < 200, "the three jobs start no Java"
    assert platform["files"] < predecessor["files"]
    assert found["nothing_new"] == {"jobs_started": 0, "loaded": False}
    assert found["energy"]["platform"] == pytest.approx(found["energy"]["predecessor"])
    assert found["energy"]["platform"] > 0
    for question in found["questions"]:
        assert question["platform"]["rows"] == question["predecessor"]["rows"] > 0
        for side in ("platform", "predecessor"):
            assert 0 < question[side]["files"] <= question[side]["files_given"]


def deliver(folder: Path) -> dict[str, Any]:
    """A small year by both ways, one day of it later, and what both then answer. For the test above."""
    import duckdb

    from benchmarks.load import lake, queries

    days = [f"2013-{month:02}-{day:02}" for month in (4, 6, 7, 12) for day in (1, 15, 30)] + ["2013-12-31"]
    stamps = [f"{day} {at // 2:02}:{at % 2 * 30:02}:00.0000000,".encode() for day in days for at in range(48)]
    homes = [
        Household(Identity(f"MAC{number:06d}", "Std", "ACORN-A", "Affluent"), stamps, np.arange(len(stamps)) % 500)
        for number in (2, 5)
    ]
    given = fleet.Sample("two households", homes)
    rows = 3 * sum(len(home.times) for home in homes)
    found = increment.run(given, rows, folder)
    with lake.opened(folder) as opened:
        files = [file for paths in opened.published("daily").values() for file in paths]
        old = [file for file in opened.files("business", "predecessor/daily/") if file.suffix == ".parquet"]
        energy = [
            duckdb.read_parquet([str(file) for file in paths]).sum("reading_value").fetchone()[0]
            for paths in (files, old)
        ]
    found["energy"] = dict(zip(("platform", "predecessor"), energy, strict=True))
    found["questions"] = queries.run(given, rows, folder)["questions"]
    return found


def size(rows: int, platform: float, predecessor: float, spread: float | None = None) -> dict[str, Any]:
    """Results of a size: the CPU seconds are those of its one job."""
    sides = {"platform": platform, "predecessor": predecessor, "spread": spread}
    return {
        "rows": rows,
        **{
            side: seconds
            and {
                "cpu_seconds": seconds,
                "peak_rss_mb": 700,
                "files": 30,
                "jobs": {"raw_to_clean": {"cpu_seconds": seconds}},
            }
            for side, seconds in sides.items()
        },
    }


def test_a_line_goes_through_the_two_largest_sizes() -> None:
    sizes = [size(1_000_000, 99, 1), size(16_000_000, 180, 1), size(4_000_000, 60, 1)]

    (line,) = estimate.lines(sizes).values()

    assert asdict(line) == {"fixed": 20, "a_million": 10}
    assert estimate.a_further_row(sizes) == 10
    cpu, wall = estimate.seconds_here({"raw_to_clean": line}, estimate.Load("l", 100_000_000, {}))
    assert (cpu, wall) == (1020, 520)


def test_glue_works_on_one_worker_up_to_the_rows_of_the_template_and_on_all_others_above() -> None:
    (above,) = re.findall(r'AboveRows: "(\d+)"', (REPOSITORY / "infra" / "glue.yaml").read_text(encoding="utf-8"))
    jobs = {"clean_to_business": estimate.Line(10, 10)}
    small, large = (
        estimate.Load("l", rows, {"clean_to_business": 28}) for rows in (28_000_000, 28_000_000 + int(above))
    )

    assert int(above) == estimate.SPREAD_ABOVE_ROWS
    # 28 items on 4 vCPU go in 7 rounds, whatever the largest number of workers is; two workers are charged.
    for workers in (2, 40):
        seconds = estimate.GLUE_START_SECONDS + 10 + 7 * 10
        assert estimate.on_glue(jobs, workers, small, spark_seconds=5) == (seconds, pytest.approx(2 * seconds / 3600))
    # On 156 vCPU each has one of its own.
    wall, dpu_hours = estimate.on_glue(jobs, 40, large, spark_seconds=5)
    assert wall == pytest.approx(estimate.GLUE_START_SECONDS + 10 + 5 + 1280 / 28)
    assert dpu_hours == pytest.approx(40 * wall / 3600)


def test_a_short_run_is_charged_for_a_minute() -> None:
    wall, dpu_hours = estimate.on_glue(
        {"raw_to_clean": estimate.Line(1, 1)}, 2, estimate.Load("l", 1_000_000, {"raw_to_clean": 4}), spark_seconds=5
    )

    assert (wall, dpu_hours) == (31.25, pytest.approx(2 / 60))


def test_the_workers_are_those_of_the_template() -> None:
    template = (REPOSITORY / "infra" / "glue.yaml").read_text(encoding="utf-8")
    found = dict(re.findall(r"^    (\d[\w-]+):\n      Workers: (\d+)", template, re.MULTILINE))

    assert found == {meters: str(workers) for meters, workers in estimate.WORKERS.items()}


def test_what_is_missed_is_called_missed() -> None:
    one_meter = {"name": "q", "platform": {"files": 4, "bytes": 10}, "predecessor": {"files": 90, "bytes": 10**7}}
    loaded = {"cpu_seconds": 20, "peak_rss_mb": 1025}
    found = report.asked(
        {
            "ingest": {"sizes": [size(1_000_000, 8, 100, spread=26), size(4_000_000, 11, 100)]},
            "increment": {
                "rows": 4_000_000,
                "platform": {"cpu_seconds": 6},
                "predecessor": {"cpu_seconds": 100},
                "nothing_new": {"jobs_started": 0},
            },
            "queries": {"rows": 16_000_000, "questions": [one_meter]},
            "worst": {
                "distinct": [size(1_000_000, 10, 1), size(2_000_000, 19.5, 1)],
                "large": {"rows": 8_000_000, "platform": loaded},
            },
            "described": {"formats": {"csv": {"platform": loaded}}},
        }
    )

    assert [row[0] for row in found if not row[4]] == [
        "CPU s, 1 M rows spread (share)",
        "CPU s, 4 M rows (share)",
        "CPU of a further row, dearest file",
        "peak memory, one file of 8 M rows",
        "CPU s, a day onto 4 M rows (share)",
        "q of 16 M rows: files, MB read",
    ]


def test_a_larger_cost_is_drawn_higher() -> None:
    drawn = growth.svg([size(1_000_000, 40, 250), size(4_000_000, 80, 400)])

    heights = [float(part.partition('"')[0]) for part in drawn.split('cy="')[1:]]
    assert heights[0] < heights[1], "less a million rows at 4 M than at 1 M"
    assert heights[2] < heights[0], "the predecessor lies above"
    assert [value in drawn for value in (">40.0<", ">20.0<", ">250.0<", ">100.0<")] == [True] * 4


@pytest.fixture(scope="module")
def results() -> dict[str, Any]:
    return {command: read(command) for command in COMMANDS}


def test_the_page_and_the_plot_are_made_of_the_results(results: dict[str, Any]) -> None:
    advice = "Run `python -m benchmarks.load page`."
    assert PAGE.read_text(encoding="utf-8") == report.page(results), advice
    assert PLOT.read_text(encoding="utf-8") == report.plot(results), advice


def test_the_results_are_of_the_sizes_that_were_asked_for(results: dict[str, Any]) -> None:
    increment_of_a_day, queried = results["increment"], results["queries"]

    assert [found["rows"] for found in results["ingest"]["sizes"]] == list(ingest.SIZES)
    assert increment_of_a_day["rows"] + increment_of_a_day["rows_of_the_day"] == increment.ROWS
    assert queried["rows"] == ingest.SIZES[-1]


def test_the_results_reach_what_was_asked_for(results: dict[str, Any]) -> None:
    """But for the files that the page tells of: one for each meter file."""
    assert [row[0] for row in report.asked(results) if not row[4]] == ["files, 16 M rows"]


def test_results_of_both_grains_answer_the_same(results: dict[str, Any]) -> None:
    month, day = (results["grain"]["grains"][name] for name in ("month", "day"))

    assert {name: asked["rows"] for name, asked in month["questions"].items()} == {
        name: asked["rows"] for name, asked in day["questions"].items()
    }
    assert day["first_load"]["files"] > 300 > month["first_load"]["files"]
