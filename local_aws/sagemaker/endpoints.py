"""Endpoints: each is one process that serves a model.

An update starts the new process beside the old one, sends requests to it as soon as it answers /ping, and ends the old
one when its last request is answered. When the new one does not start, the old one goes on: EndpointStatus InService,
EndpointConfigName the former one, and a FailureReason, which is how SageMaker reports it. Whoever waits for InService
must compare the config's name.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from uuid import uuid4

from local_aws.sagemaker import endpoint_document
from local_aws.sagemaker.backend import Backend
from local_aws.sagemaker.endpoint_configs import existing_config
from local_aws.sagemaker.fleet import Fleet, retire
from local_aws.sagemaker.listing import listed
from local_aws.sagemaker.model_store import ModelDataError, ModelStore
from local_aws.sagemaker.names import ENDPOINT, invalid, refuse, unserved
from local_aws.sagemaker.serve_process import NotServingError, ServeProcess
from local_aws.sagemaker.tags import remove_tags, set_tags
from local_aws.service import Request, Response, Service
from local_aws.state import Document

LOG_GROUP = "/aws/sagemaker/Endpoints"
START_SECONDS = 180
_STARTING = ("Creating", "Updating", "SystemUpdating")


class Endpoints(Service):
    """CreateEndpoint, DescribeEndpoint, ListEndpoints, UpdateEndpoint, DeleteEndpoint."""

    service_name = "sagemaker"

    def __init__(
        self, backend: Backend, models: ModelStore, fleet: Fleet, start_seconds: float = START_SECONDS
    ) -> None:
        """`start_seconds`: how long a container may take to answer /ping."""
        self._backend = backend
        self._state = backend.state
        self._models = models
        self._fleet = fleet
        self._start_seconds = start_seconds
        self._closing = threading.Event()
        # A start costs seconds of CPU: one after the other each is ready sooner than all together.
        self._one_start = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._log = logging.getLogger("local_aws.sagemaker.endpoints")

    def on_start(self) -> None:
        """Endpoints outlive the control plane, their processes do not: they are started again in the background."""
        for name, document in self._state.items(ENDPOINT):
            if document["endpoint"]["EndpointStatus"] == "InService":
                self._change(name, lambda found: endpoint_document.set_status(found, "SystemUpdating", None))
            if document["serving"] or document["next"]:
                self._in_background(self._resume, name)

    def on_stop(self) -> None:
        self._closing.set()
        for thread in self._threads:
            thread.join(timeout=60)
        for name in self._fleet.names():
            retire(self._fleet.switch(name, None), seconds=5)

    def create_endpoint(self, request: Request) -> Response:
        _require_served_deployment(request)
        name = request["EndpointName"]
        arn = self._backend.arn("endpoint", name)
        with self._state.transaction():
            if self._state.get(ENDPOINT, name):
                raise invalid(f'Cannot create already existing endpoint "{arn}".')
            first = endpoint_document.deployment(self._backend, request["EndpointConfigName"])
            self._state.put(ENDPOINT, name, endpoint_document.new_document(name, arn, first))
            set_tags(self._state, arn, request.get("Tags"))
        self._in_background(self._deploy, name)
        return {"EndpointArn": arn}

    def describe_endpoint(self, request: Request) -> Response:
        return self._existing(request["EndpointName"])["endpoint"]

    def list_endpoints(self, request: Request) -> Response:
        members = ("EndpointName", "EndpointArn", "CreationTime", "LastModifiedTime", "EndpointStatus")
        found = [document["endpoint"] for document in self._state.list(ENDPOINT)]
        summaries = [{name: endpoint[name] for name in members} for endpoint in found]
        return listed(
            summaries, request, "Endpoints", "EndpointName", status="EndpointStatus", order="CreationTime Descending"
        )

    def update_endpoint(self, request: Request) -> Response:
        _require_served_deployment(request)
        with self._state.transaction():
            document = self._existing(request["EndpointName"])
            self._require_settled(document["endpoint"])
            if document["endpoint"]["EndpointStatus"] != "InService":
                raise invalid(f'Cannot update endpoint "{document["endpoint"]["EndpointArn"]}" that is not InService.')
            # SageMaker reads the config that is in service as well, and refuses when it was deleted.
            existing_config(self._backend, document["endpoint"]["EndpointConfigName"])
            following = endpoint_document.deployment(self._backend, request["EndpointConfigName"])
            endpoint_document.begin_update(document, following)
            self._state.put(ENDPOINT, request["EndpointName"], document)
        self._in_background(self._deploy, request["EndpointName"])
        return {"EndpointArn": document["endpoint"]["EndpointArn"]}

    def delete_endpoint(self, request: Request) -> Response:
        name = request["EndpointName"]
        with self._state.transaction():
            endpoint = self._existing(name)["endpoint"]
            self._require_settled(endpoint)
            self._state.delete(ENDPOINT, name)
            remove_tags(self._state, endpoint["EndpointArn"])
        former = self._fleet.switch(name, None)
        self._in_background(lambda _: retire(former), name)
        return {}

    def revive(self, name: str, died: ServeProcess) -> None:
        """Start an endpoint's process again that ended by itself."""
        if self._fleet.drop(name, died):
            died.stop()
            self._change(name, lambda document: endpoint_document.set_status(document, "SystemUpdating", None))
            self._in_background(self._resume, name)

    def _existing(self, name: str) -> Document:
        document = self._state.get(ENDPOINT, name)
        if document is None:
            raise invalid(f'Could not find endpoint "{self._backend.arn("endpoint", name)}".')
        return document

    @staticmethod
    def _require_settled(endpoint: Document) -> None:
        if endpoint["EndpointStatus"] in _STARTING:
            raise invalid(f'Cannot update in-progress endpoint "{endpoint["EndpointArn"]}".')

    def _deploy(self, name: str) -> None:
        """Bring the next deployment into service, or leave everything as it is."""
        try:
            process = self._started(name, self._existing(name)["next"])
        except NotServingError as error:
            why = str(error)
            self._log.info("endpoint %s: %s", name, why)
            if not self._closing.is_set():
                self._change(name, lambda document: endpoint_document.fail(document, why))
            return
        former = self._fleet.switch(name, process)
        self._change(name, endpoint_document.succeed)
        self._log.info("endpoint %s is in service", name)
        retire(former)

    def _resume(self, name: str) -> None:
        """Serve again what was served; then go on with the creation or update that was under way."""
        document = self._existing(name)
        if document["serving"]:
            try:
                self._fleet.switch(name, self._started(name, document["serving"]))
            except NotServingError as error:
                why = str(error)
                if not self._closing.is_set():
                    self._change(name, lambda found: endpoint_document.set_status(found, "Failed", why))
                return
            if not document["next"]:
                self._change(name, lambda found: endpoint_document.set_status(found, "InService", None))
        if document["next"]:
            self._deploy(name)

    def _started(self, name: str, deployment: Document) -> ServeProcess:
        """A process that answers /ping. Raises NotServingError with the text of a FailureReason."""
        container, variant = deployment["container"], deployment["variant"]
        seconds = variant.get("ContainerStartupHealthCheckTimeoutInSeconds", self._start_seconds)
        with self._one_start:
            if self._closing.is_set():
                raise NotServingError("the control plane ends")
            try:
                folder = self._models.fetch(container["ModelDataUrl"])
            except ModelDataError as error:
                raise NotServingError(str(error)) from error
            stream = f"{variant['VariantName']}/i-{uuid4().hex[:17]}"
            environment = container.get("Environment", {})
            group = f"{LOG_GROUP}/{name}"
            process = ServeProcess(self._backend.container, folder, environment, self._backend.logs, group, stream)
            process.start()
            try:
                process.wait_ready(seconds, self._closing.is_set)
            except NotServingError as error:
                process.stop()
                raise NotServingError(
                    f"The primary container for production variant {variant['VariantName']} did not pass the ping"
                    f" health check. Please check CloudWatch logs for this endpoint ({group}): {error}"
                ) from error
        return process

    def _in_background(self, work: Callable[[str], None], name: str) -> None:
        def run() -> None:
            try:
                work(name)
            except Exception as error:  # noqa: BLE001 (nobody waits for this thread: its defect must be seen)
                self._log.exception("endpoint %s", name)
                why = f"local_aws failed: {type(error).__name__}: {error}"
                self._change(name, lambda document: endpoint_document.fail(document, why))

        thread = threading.Thread(target=run, name=f"endpoint-{name}", daemon=True)
        self._threads = [former for former in self._threads if former.is_alive()] + [thread]
        thread.start()

    def _change(self, name: str, change: Callable[[Document], None]) -> None:
        def apply(document: Document | None) -> Document | None:
            if document is not None:
                change(document)
            return document

        self._state.update(ENDPOINT, name, apply)


def _require_served_deployment(request: Request) -> None:
    """Traffic switches at once here; a deployment that asks for steps would not be what was asked for."""
    refuse(request, "RetainDeploymentConfig", "ExcludeRetainedVariantProperties")
    given = request.get("DeploymentConfig", {})
    routing = given.get("BlueGreenUpdatePolicy", {}).get("TrafficRoutingConfiguration", {}).get("Type", "ALL_AT_ONCE")
    if "RollingUpdatePolicy" in given or "AutoRollbackConfiguration" in given or routing != "ALL_AT_ONCE":
        raise unserved("a DeploymentConfig other than blue/green, ALL_AT_ONCE")
