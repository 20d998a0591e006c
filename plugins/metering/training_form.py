"""The trigger form of train_forecast_model: keyword arguments of its Params, by name."""

from __future__ import annotations

from typing import Any

from metering.deepar import HYPERPARAMETERS, Hyperparameter
from metering.model_names import ENDPOINT_NAME_PATTERN, INSTANCE_TYPE, MODEL_NAME_PATTERN, MOST_MODEL_NAME

# What a run takes when neither the form nor the deployment's training_defaults says otherwise.
DEFAULTS: dict[str, Any] = {
    "training_samples": 50,
    "test_windows": 3,
    "min_improvement": 0,
    "skill_tolerance": 0.05,
    **{name: hyperparameter.default for name, hyperparameter in HYPERPARAMETERS.items()},
}


def _or_default(name: str, section: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    """A field that may stay empty; what then holds is said in its description."""
    kind = schema["type"]
    choices = {"enum": [None, *schema["enum"]]} if "enum" in schema else {}
    return {
        "default": None,
        **schema,
        **choices,
        "type": ["null", kind],
        "section": section,
        "description": f"{description} Empty: the deployment's value, or {DEFAULTS[name]}.",
    }


def _hyperparameter(name: str, hyperparameter: Hyperparameter) -> dict[str, Any]:
    return _or_default(name, "Hyperparameters", hyperparameter.description, dict(hyperparameter.schema))


FORM: dict[str, dict[str, Any]] = {
    "training_samples": _or_default(
        "training_samples", "Data", "How many meters the model learns from.", {"type": "integer", "minimum": 1}
    ),
    "data_start": {
        "default": None,
        "type": ["null", "string"],
        "format": "date",
        "section": "Data",
        "description": "First date (UTC) of the readings to learn from. Empty: 214 days before data_end.",
    },
    "data_end": {
        "default": None,
        "type": ["null", "string"],
        "format": "date",
        "section": "Data",
        "description": "The date (UTC) before which they end. Empty: the day after the newest complete one.",
    },
    "forecast_period": {
        "default": 7,
        "type": "integer",
        "minimum": 1,
        "maximum": 16,
        "section": "Data",
        "description": "Days of a forecast. It is fixed when a model is trained.",
    },
    "test_windows": _or_default(
        "test_windows",
        "Data",
        "How many forecast periods at the end are kept to test the model with.",
        {"type": "integer", "minimum": 1, "maximum": 26},
    ),
    "min_improvement": _or_default(
        "min_improvement",
        "Quality",
        "By which share the loss must be below that of seasonal-naive (0.1 = 10 %).",
        {"type": "number", "minimum": 0, "maximum": 0.99},
    ),
    "skill_tolerance": _or_default(
        "skill_tolerance",
        "Quality",
        "By how much the skill (1 - loss / loss of seasonal-naive) may be below that of the current model.",
        {"type": "number", "minimum": 0, "maximum": 1},
    ),
    "force": {
        "default": False,
        "type": "boolean",
        "enum": [False, True],
        "section": "Quality",
        "description": "Deploy the model although its quality is not sufficient.",
    },
    "model_name": {
        "default": "consumption",
        "type": "string",
        "pattern": MODEL_NAME_PATTERN,
        "maxLength": MOST_MODEL_NAME,
        "section": "Deployment",
        "description": "What names of training jobs, models and endpoint configurations begin with.",
    },
    "ml_endpoint_name": {
        "default": None,
        "type": ["null", "string"],
        "pattern": ENDPOINT_NAME_PATTERN,
        "maxLength": 63,
        "section": "Deployment",
        "description": "Which endpoint serves the model; it is made or updated. Empty: the deployment's.",
    },
    "endpoint_instance_type": {
        "default": "ml.m5.xlarge",
        **INSTANCE_TYPE,
        "section": "Deployment",
        "description": "On which machines the endpoint runs.",
    },
    "endpoint_instance_count": {
        "default": 1,
        "type": "integer",
        "minimum": 1,
        "maximum": 20,
        "section": "Deployment",
        "description": "On how many.",
    },
    "training_instance_type": {
        "default": "ml.c5.2xlarge",
        **INSTANCE_TYPE,
        "section": "Training",
        "description": "On which machine the model is trained.",
    },
    "tune": {
        "default": False,
        "type": "boolean",
        "enum": [False, True],
        "section": "Training",
        "description": "Look for better hyperparameters first, with a tuning job.",
    },
    "tuning_jobs": {
        "default": 10,
        "type": "integer",
        "minimum": 1,
        "maximum": 500,
        "section": "Training",
        "description": "How many training jobs the tuning job starts.",
    },
    "parallel_tuning_jobs": {
        "default": 2,
        "type": "integer",
        "minimum": 1,
        "maximum": 100,
        "section": "Training",
        "description": "How many of them at the same time.",
    },
    **{name: _hyperparameter(name, hyperparameter) for name, hyperparameter in HYPERPARAMETERS.items()},
}
