"""The assets that join the DAGs. Each event says what it is about, so that its consumers redo that and nothing else.

READINGS     a batch is in the clean and the business zone    {"batch", "run", "dates": ["20130101-20130131", …]}
CONSUMPTION  dates are aggregated anew                        {"batches": […], "run", "dates": […]}
WAREHOUSE    Redshift holds both                              nothing
FORECAST_MODEL    a model serves and is the current one       {"model_name", "endpoint_name"}
FORECASTS    forecasts of a run are stored                    {"batch", "batches": [1, …], "first", "last"}
ANOMALIES    days are judged                              {"run", "days": ["20130101-20130131", …], "high", "low"}
REFERENCE    weather, geography and customers are loaded      nothing
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from airflow.sdk import Asset

READINGS = Asset("readings", uri="x-metering://readings")
CONSUMPTION = Asset("consumption", uri="x-metering://consumption")
WAREHOUSE = Asset("warehouse", uri="x-metering://warehouse")
FORECAST_MODEL = Asset("forecast_model", uri="x-metering://forecast_model")
FORECASTS = Asset("forecasts", uri="x-metering://forecasts")
ANOMALIES = Asset("anomalies", uri="x-metering://anomalies")
REFERENCE = Asset("reference", uri="x-metering://reference")


def extras(triggering_asset_events: Mapping[Any, Iterable[Any]] | None) -> list[dict[str, Any]]:
    """What all events that triggered a run say; empty for a run by hand."""
    return [event.extra for events in (triggering_asset_events or {}).values() for event in events]
