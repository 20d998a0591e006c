"""The composition of the control plane: which classes serve which AWS services, and what each is given."""

from __future__ import annotations

from local_aws.athena import athena_services
from local_aws.engines.seaweedfs import s3_client
from local_aws.gateway.rest_api import RestApi
from local_aws.glue.composition import glue_services
from local_aws.glue.log_store import LogStore
from local_aws.redshift import redshift_services
from local_aws.sagemaker.composition import sagemaker_services
from local_aws.service import Service
from local_aws.settings import Settings
from local_aws.state import State


def build_services(settings: Settings, state: State) -> list[Service]:
    """All own services, in the order in which they start."""
    logs = LogStore(settings.home / "cloudwatch_logs.sqlite")
    s3 = s3_client(settings)
    return [
        *glue_services(settings, state, s3, logs),
        *athena_services(settings, state),
        *redshift_services(settings, state),
        *sagemaker_services(settings, state, s3, logs),
        RestApi(settings),
    ]
