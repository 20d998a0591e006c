"""The trigger form of forecast_consumption: keyword arguments of its Params, by name."""

from __future__ import annotations

from typing import Any

from metering.model_names import ENDPOINT_NAME_PATTERN, INSTANCE_TYPE

FORM: dict[str, dict[str, Any]] = {
    "meter_start": {
        "default": 1,
        "type": "integer",
        "minimum": 1,
        "section": "Meters",
        "description": "Number of the first meter to forecast; meters are numbered in the order of their ids.",
    },
    "meter_end": {
        "default": None,
        "type": ["null", "integer"],
        "minimum": 1,
        "section": "Meters",
        "description": "Number of the last meter, included. Empty: the last there is.",
    },
    "batch_size": {
        "default": 25,
        "type": "integer",
        "minimum": 1,
        "maximum": 100_000,
        "section": "Meters",
        "description": "Meters of a transform job. A large fleet needs larger batches: there may be 1,000 of them.",
    },
    "data_start": {
        "default": None,
        "type": ["null", "string"],
        "format": "date",
        "section": "Readings",
        "description": "First date (UTC) of the readings to forecast from. Empty: 214 days before data_end.",
    },
    "data_end": {
        "default": None,
        "type": ["null", "string"],
        "format": "date",
        "section": "Readings",
        "description": "The date (UTC) before which they end. Empty: the day after the newest complete one.",
    },
    "ml_endpoint_name": {
        "default": None,
        "type": ["null", "string"],
        "pattern": ENDPOINT_NAME_PATTERN,
        "maxLength": 63,
        "section": "Model",
        "description": "The endpoint whose model forecasts. Empty: the current model.",
    },
    "transform_instance_type": {
        "default": "ml.c5.2xlarge",
        **INSTANCE_TYPE,
        "section": "Model",
        "description": "On which machine a transform job runs.",
    },
}
