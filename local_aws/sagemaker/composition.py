"""The services of SageMaker, put together."""

from __future__ import annotations

from typing import Any

from local_aws.glue.log_store import LogStore
from local_aws.sagemaker.backend import Backend
from local_aws.sagemaker.container import Container, deepar
from local_aws.sagemaker.endpoint_configs import EndpointConfigs
from local_aws.sagemaker.endpoints import START_SECONDS, Endpoints
from local_aws.sagemaker.fleet import Fleet
from local_aws.sagemaker.model_store import ModelStore
from local_aws.sagemaker.models import Models
from local_aws.sagemaker.runtime import SageMakerRuntime
from local_aws.sagemaker.storage import Storage
from local_aws.sagemaker.tags import SageMakerTags
from local_aws.sagemaker.training_jobs import TrainingJobs
from local_aws.sagemaker.transform_jobs import TransformJobs
from local_aws.sagemaker.tuning_jobs import TuningJobs
from local_aws.service import Service
from local_aws.settings import Settings
from local_aws.state import State


def sagemaker_services(
    settings: Settings,
    state: State,
    s3: Any,
    logs: LogStore,
    *,
    container: Container | None = None,
    start_seconds: float = START_SECONDS,
) -> list[Service]:
    """In the order in which they start. `s3` is a client of the local S3; `container` is DeepAR when not given."""
    backend = Backend(settings, state, Storage(s3), logs, container or deepar(settings))
    models = ModelStore(backend.home / "models", backend.storage)
    fleet = Fleet()
    endpoints = Endpoints(backend, models, fleet, start_seconds)
    training = TrainingJobs(backend)
    return [
        SageMakerTags(state),
        training,
        TuningJobs(backend, training),
        Models(backend),
        EndpointConfigs(backend),
        endpoints,
        TransformJobs(backend, models, start_seconds),
        SageMakerRuntime(backend, endpoints, fleet),
    ]
