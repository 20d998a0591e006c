"""Find injected anomalies by detect_anomalies and by Prophet, on the same days, in the same run:

    .venv-local/bin/python -m benchmarks.anomalies [--households FILE]

Writes benchmarks/results/anomalies.json and the page beside this file. Needs prophet. Some two minutes of one core.
"""

from __future__ import annotations

import argparse
import json
import resource
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.anomalies import detectors, households, report, scores
from benchmarks.anomalies.injection import inject
from benchmarks.anomalies.scores import Judged

RESULTS = households.REPOSITORY / "benchmarks" / "results" / "anomalies.json"
PAGE = Path(__file__).with_name("README.md")
SEEDS = (2101, 2102, 2103)
TUNED_WITH = (1, 2, 3)
CHUNK = 300
REPEATS = 5
DAYS_A_YEAR = 365

Detector = Callable[[NDArray[np.float64], list[date]], Judged]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.anomalies", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--households", type=Path, default=households.SHARED_DATA / households.FILE)
    results = run(households.read(parser.parse_args().households))
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(report.page(results), encoding="utf-8")
    print(report.page(results))


def run(given: households.Households) -> dict[str, Any]:
    """All results."""
    import prophet

    known = np.isfinite(given.consumption)
    ours, _ = measure(detectors.by_regression, given, known)
    prophets, prophet_seconds = measure(detectors.by_prophet, given, known)
    meter_years = known.sum() / DAYS_A_YEAR
    return {
        "meters": len(given.meters),
        "year": given.days[0].year,
        "meter_days": int(known.sum()),
        "seeds": list(SEEDS),
        "tuned_with": list(TUNED_WITH),
        "chunk": CHUNK,
        "prophet_version": prophet.__version__,
        "detectors": {
            "detect_anomalies": {**ours, "cpu_ms_a_meter_year": 1000 * seconds_of_a_chunk(given)},
            "prophet": {**prophets, "cpu_ms_a_meter_year": 1000 * prophet_seconds / meter_years},
        },
    }


def measure(detector: Detector, given: households.Households, known: NDArray[np.bool_]) -> tuple[dict[str, Any], float]:
    """Mean scores over the seeds, those of each seed, and CPU seconds of judging all households once."""
    of_seeds, shares, seconds = [], [], []
    for seed in SEEDS:
        changed, labels = inject(given.consumption, seed)
        begun = cpu_seconds()
        judged = detector(changed, given.days)
        seconds.append(cpu_seconds() - begun)
        of_seeds.append(scores.score(judged, labels, known))
        shares.append(scores.ordinary_share(judged, labels, known))
    means = {
        kind: {name: float(np.mean([of_seed[kind][name] for of_seed in of_seeds])) for name in of_seeds[0][kind]}
        for kind in of_seeds[0]
    }
    by_seed = dict(zip(map(str, SEEDS), of_seeds, strict=True))
    answer = {"scores": means, "ordinary_days_judged_unusual": float(np.mean(shares)), "by_seed": by_seed}
    return answer, float(np.mean(seconds))


def seconds_of_a_chunk(given: households.Households) -> float:
    """CPU seconds a meter-year of what a chunk of CHUNK meters costs, from its days to judged rows."""
    copies = np.tile(given.consumption, (-(-CHUNK // len(given.consumption)), 1))[:CHUNK]
    detectors.judge_rows(copies, given.days)
    begun = cpu_seconds()
    for _ in range(REPEATS):
        detectors.judge_rows(copies, given.days)
    return (cpu_seconds() - begun) / REPEATS / (np.isfinite(copies).sum() / DAYS_A_YEAR)


def cpu_seconds() -> float:
    """Of this process and those it has started: Prophet fits in one of Stan's."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


if __name__ == "__main__":
    main()
