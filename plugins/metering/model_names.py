"""Names in SageMaker, of at most 63 letters, digits and hyphens (32 for a tuning job).

    training job, model, endpoint configuration    <model_name>-<batch>-<try>, one name for all three
    transform job                                  forecast-<batch>-<nnnn>-<try>
    tuning job                                     tune-<batch>-<try>

The try is that of the training task. So a model always has the name of the job that made it, and a run that is cleared
and trains anew never meets a model of the same name with another artefact.
"""

from __future__ import annotations

from typing import Any

# Batch, try and hyphens are added.
MOST_MODEL_NAME = 30
MODEL_NAME_PATTERN = r"^[a-zA-Z0-9](-?[a-zA-Z0-9])*$"
ENDPOINT_NAME_PATTERN = r"^[a-zA-Z0-9](-?[a-zA-Z0-9])*$"
INSTANCE_TYPE: dict[str, Any] = {"type": "string", "pattern": r"^ml\.[a-z0-9-]+\.[a-z0-9]+$"}


def training_job(model_name: str, batch: str) -> str:
    """Without the try, which the operator adds, as for the others."""
    return f"{model_name}-{batch}"


def tuning_job(batch: str) -> str:
    return f"tune-{batch}"


def transform_job(batch: str, number: int) -> str:
    return f"forecast-{batch}-{number:04d}"


def of_try(job: str, try_number: int) -> str:
    return f"{job}-{try_number}"
