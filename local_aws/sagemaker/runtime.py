"""InvokeEndpoint: a request goes to the endpoint's container and its answer comes back as it is."""

from __future__ import annotations

from local_aws.sagemaker.backend import Backend
from local_aws.sagemaker.endpoints import LOG_GROUP, Endpoints
from local_aws.sagemaker.fleet import Fleet
from local_aws.sagemaker.names import ENDPOINT
from local_aws.sagemaker.serve_process import NotServingError, Reply, ServeProcess, TooSlowError
from local_aws.service import Request, Response, Service, ServiceError
from local_aws.state import Document

# What a model has for an answer in SageMaker.
INVOCATION_SECONDS = 60
# An endpoint whose process is being started again keeps its callers waiting instead of refusing them.
START_SECONDS = 50
_SERVING = ("InService", "Updating", "SystemUpdating")


class SageMakerRuntime(Service):
    service_name = "sagemaker-runtime"

    def __init__(
        self, backend: Backend, endpoints: Endpoints, fleet: Fleet, invocation_seconds: float = INVOCATION_SECONDS
    ) -> None:
        self._backend = backend
        self._endpoints = endpoints
        self._fleet = fleet
        self._invocation_seconds = invocation_seconds

    def invoke_endpoint(self, request: Request) -> Response:
        name = request["EndpointName"]
        document = self._backend.state.get(ENDPOINT, name)
        if document is None or document["endpoint"]["EndpointStatus"] not in _SERVING:
            account = self._backend.settings.account_id
            raise ServiceError("ValidationError", f"Endpoint {name} of account {account} not found.")
        self._require_served(request, document)
        headers = {"Content-Type": request.get("ContentType", "application/octet-stream")}
        if "Accept" in request:
            headers["Accept"] = request["Accept"]
        if "CustomAttributes" in request:
            headers["X-Amzn-SageMaker-Custom-Attributes"] = request["CustomAttributes"]
        with self._fleet.route(name, START_SECONDS) as process:
            if process is None:
                raise _unavailable(name)
            reply = self._invoke(name, process, request["Body"], headers)
        if reply.status >= 300:
            raise self._model_error(name, process, reply.status, reply.body.decode(errors="replace"))
        answer = {
            "Body": reply.body,
            "ContentType": reply.headers.get("Content-Type", "application/octet-stream"),
            "InvokedProductionVariant": document["endpoint"]["ProductionVariants"][0]["VariantName"],
        }
        if attributes := reply.headers.get("X-Amzn-SageMaker-Custom-Attributes"):
            answer["CustomAttributes"] = attributes
        return answer

    def _invoke(self, name: str, process: ServeProcess, body: bytes, headers: dict[str, str]) -> Reply:
        try:
            return process.invoke(body, headers, self._invocation_seconds)
        except NotServingError as error:
            # A process that drops a connection because it ends is seen to have ended a moment later.
            if isinstance(error, TooSlowError) or not process.ends(within=2):
                raise self._model_error(name, process, 0, str(error)) from error
        self._endpoints.revive(name, process)
        raise _unavailable(name)

    def _model_error(self, name: str, process: ServeProcess, status: int, message: str) -> ServiceError:
        kind = "client" if 400 <= status < 500 else "server"
        group = f"{LOG_GROUP}/{name}"
        settings = self._backend.settings
        stream = f"log-group:{group}:log-stream:{process.log_stream}"
        return ServiceError(
            "ModelError",
            f'Received {kind} error ({status}) from primary with message "{message}". See {group} in account'
            f" {settings.account_id} for more information.",
            424,
            OriginalStatusCode=status,
            OriginalMessage=message,
            LogStreamArn=f"arn:{settings.partition}:logs:{settings.region}:{settings.account_id}:{stream}",
        )

    @staticmethod
    def _require_served(request: Request, document: Document) -> None:
        for member in ("TargetModel", "TargetContainerHostname", "InferenceComponentName", "SessionId"):
            if member in request:
                raise ServiceError("ValidationError", f"local_aws does not serve {member}")
        variant = document["serving"]["variant"]["VariantName"] if document["serving"] else None
        if request.get("TargetVariant", variant) != variant:
            raise ServiceError("ValidationError", f"Variant {request['TargetVariant']} not found.")


def _unavailable(name: str) -> ServiceError:
    return ServiceError("ServiceUnavailable", f"Endpoint {name} has no container that answers. Try again later.", 503)
