"""Recall, precision and average precision of judged days."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.anomalies.injection import KINDS


@dataclass(frozen=True)
class Judged:
    """(meters, days) each. importance: 0 inside the band. distance: from its middle, 1 at its limits."""

    is_anomaly: NDArray[np.bool_]
    importance: NDArray[np.float64]
    distance: NDArray[np.float64]


def score(judged: Judged, labels: NDArray[np.int64], known: NDArray[np.bool_]) -> dict[str, dict[str, float]]:
    """Scores of all kinds together and of each kind among the days that were not changed.

    Days as the households had them count as ordinary, though some are unusual: no detector reaches precision 1.
    """
    kinds = {"all": labels > 0, **{name: labels == label for name, label in KINDS.items()}}
    return {name: _score(judged, wanted, known & (wanted | (labels == 0))) for name, wanted in kinds.items()}


def ordinary_share(judged: Judged, labels: NDArray[np.int64], known: NDArray[np.bool_]) -> float:
    """The share of unchanged days that are judged to be anomalies."""
    return float(judged.is_anomaly[known & (labels == 0)].mean())


def _score(judged: Judged, wanted: NDArray[np.bool_], among: NDArray[np.bool_]) -> dict[str, float]:
    found = judged.is_anomaly[among]
    is_wanted = wanted[among]
    right = float((found & is_wanted).sum())
    return {
        "recall": right / is_wanted.sum(),
        "precision": right / max(found.sum(), 1),
        "average_precision": average_precision(judged.importance[among], is_wanted),
        "average_precision_by_distance": average_precision(judged.distance[among], is_wanted),
    }


def average_precision(scores: NDArray[np.float64], wanted: NDArray[np.bool_]) -> float:
    """Mean of the precision at each level of recall, as scikit-learn defines it; equal scores are one level."""
    order = np.argsort(-scores, kind="stable")
    ranked, hits = scores[order], np.cumsum(wanted[order])
    last_of_level = np.append(ranked[1:] != ranked[:-1], True)
    precision = (hits / np.arange(1, len(hits) + 1))[last_of_level]
    recall = (hits / hits[-1])[last_of_level]
    return float(np.sum(np.diff(recall, prepend=0.0) * precision))
