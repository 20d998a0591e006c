"""Endpoint configurations: which model an endpoint serves."""

from __future__ import annotations

from local_aws.sagemaker.backend import Backend
from local_aws.sagemaker.listing import listed
from local_aws.sagemaker.models import existing_model
from local_aws.sagemaker.names import ENDPOINT_CONFIG, invalid, kept, now, refuse, unserved
from local_aws.sagemaker.tags import remove_tags, set_tags
from local_aws.service import Request, Response, Service
from local_aws.state import Document


class EndpointConfigs(Service):
    """CreateEndpointConfig, DescribeEndpointConfig, ListEndpointConfigs, DeleteEndpointConfig.

    Instance types and counts are kept, not obeyed: an endpoint is one process of this machine.
    """

    service_name = "sagemaker"

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._state = backend.state

    def create_endpoint_config(self, request: Request) -> Response:
        name = request["EndpointConfigName"]
        arn = self._backend.arn("endpoint-config", name)
        self._require_served(request)
        document = kept(request, "DescribeEndpointConfig") | {"EndpointConfigArn": arn, "CreationTime": now()}
        document["ProductionVariants"] = [{"InitialVariantWeight": 1.0} | request["ProductionVariants"][0]]
        with self._state.transaction():
            if self._state.get(ENDPOINT_CONFIG, name):
                raise invalid(f'Cannot create already existing endpoint configuration "{arn}".')
            self._state.put(ENDPOINT_CONFIG, name, document)
            set_tags(self._state, arn, request.get("Tags"))
        return {"EndpointConfigArn": arn}

    def describe_endpoint_config(self, request: Request) -> Response:
        return existing_config(self._backend, request["EndpointConfigName"])

    def list_endpoint_configs(self, request: Request) -> Response:
        members = ("EndpointConfigName", "EndpointConfigArn", "CreationTime")
        summaries = [{name: config[name] for name in members} for config in self._state.list(ENDPOINT_CONFIG)]
        return listed(summaries, request, "EndpointConfigs", "EndpointConfigName", order="CreationTime Descending")

    def delete_endpoint_config(self, request: Request) -> Response:
        """An endpoint with this configuration goes on serving, but cannot be updated any more, as in SageMaker."""
        config = existing_config(self._backend, request["EndpointConfigName"])
        self._state.delete(ENDPOINT_CONFIG, config["EndpointConfigName"])
        remove_tags(self._state, config["EndpointConfigArn"])
        return {}

    def _require_served(self, request: Request) -> None:
        refuse(request, "AsyncInferenceConfig", "ExplainerConfig", "ShadowProductionVariants", "DataCaptureConfig")
        if len(request["ProductionVariants"]) != 1:
            raise unserved("more than one production variant")
        variant = request["ProductionVariants"][0]
        if not variant.get("ModelName"):
            raise unserved("a production variant without ModelName")
        if "ServerlessConfig" not in variant and not {"InstanceType", "InitialInstanceCount"} <= set(variant):
            raise invalid("A production variant needs InstanceType and InitialInstanceCount, or ServerlessConfig")
        existing_model(self._backend, variant["ModelName"])


def existing_config(backend: Backend, name: str) -> Document:
    """What DescribeEndpointConfig shows. Raises ValidationException, the service's error for an unknown one."""
    config = backend.state.get(ENDPOINT_CONFIG, name)
    if config is None:
        raise invalid(f'Could not find endpoint configuration "{backend.arn("endpoint-config", name)}".')
    return config
