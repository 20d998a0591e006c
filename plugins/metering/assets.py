"""The assets that join the DAGs. Each event says what it is about, so that its consumers redo that and nothing else.

READINGS     a batch is in the clean and the business zone    {"batch", "run", "dates": ["20130101-20130131", …]}
CONSUMPTION  dates are aggregated anew                        {"batches": […], "run", "dates": […]}
WAREHOUSE    Redshift holds both                              nothing
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from airflow.sdk import Asset

READINGS = Asset("readings", uri="x-metering://readings")
CONSUMPTION = Asset("consumption", uri="x-metering://consumption")
WAREHOUSE = Asset("warehouse", uri="x-metering://warehouse")


def extras(triggering_asset_events: Mapping[Any, Iterable[Any]] | None) -> list[dict[str, Any]]:
    """What all events that triggered a run say; empty for a run by hand."""
    return [event.extra for events in (triggering_asset_events or {}).values() for event in events]
