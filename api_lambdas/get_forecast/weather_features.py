"""Weather as a model with weather wants it: a row of standardised values for each feature, without a gap."""

from __future__ import annotations

import logging
from pathlib import Path

from athena import Athena
from model_record import Weather

QUERY = (Path(__file__).parent / "weather.sql").read_text("utf-8")
# A standardised value to a thousandth of a thousandth, as in training.
DECIMALS = 6

logger = logging.getLogger(__name__)


def read(athena: Athena, weather: Weather, hours: range, deadline: float) -> list[list[float]]:
    """One row for each feature, one value for each of `hours` (numbered from 1970-01-01 00:00 UTC).

    An hour of which nothing like it is known has the mean of the training, which is 0. Raises AthenaUnavailableError.
    """
    found = athena.query(QUERY, [str(hours.start), str(hours.stop - 1)], deadline)
    rows = []
    for feature in weather.features:
        values = [row[feature.name] for row in found]
        if unknown := values.count(None):
            logger.warning("weather unknown", extra={"feature": feature.name, "hours": unknown})
        rows.append(
            [0.0 if value is None else round((value - feature.mean) / feature.std, DECIMALS) for value in values]
        )
    return rows
