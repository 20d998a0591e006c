"""Models: an image, an artefact and an environment under a name."""

from __future__ import annotations

from local_aws.sagemaker.backend import Backend
from local_aws.sagemaker.listing import listed
from local_aws.sagemaker.names import MODEL, invalid, kept, now, refuse, unserved
from local_aws.sagemaker.storage import StorageError
from local_aws.sagemaker.tags import remove_tags, set_tags
from local_aws.service import Request, Response, Service
from local_aws.state import Document


class Models(Service):
    """CreateModel, DescribeModel, ListModels, DeleteModel."""

    service_name = "sagemaker"

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._state = backend.state

    def create_model(self, request: Request) -> Response:
        name = request["ModelName"]
        arn = self._backend.arn("model", name)
        container = _only_container(request)
        self._require_served(container)
        document = {
            **kept(request, "DescribeModel"),
            "ModelArn": arn,
            "CreationTime": now(),
            "EnableNetworkIsolation": request.get("EnableNetworkIsolation", False),
        }
        with self._state.transaction():
            if self._state.get(MODEL, name):
                raise invalid(f'Cannot create already existing model "{arn}".')
            self._state.put(MODEL, name, document)
            set_tags(self._state, arn, request.get("Tags"))
        return {"ModelArn": arn}

    def describe_model(self, request: Request) -> Response:
        return existing_model(self._backend, request["ModelName"])

    def list_models(self, request: Request) -> Response:
        members = ("ModelName", "ModelArn", "CreationTime")
        summaries = [{name: model[name] for name in members} for model in self._state.list(MODEL)]
        return listed(summaries, request, "Models", "ModelName", order="CreationTime Descending")

    def delete_model(self, request: Request) -> Response:
        """Endpoints that serve the model go on, as in SageMaker."""
        model = existing_model(self._backend, request["ModelName"])
        self._state.delete(MODEL, model["ModelName"])
        remove_tags(self._state, model["ModelArn"])
        return {}

    def _require_served(self, container: Document) -> None:
        refuse(container, "ModelPackageName", "ModelDataSource", "AdditionalModelDataSources", "MultiModelConfig")
        if not container.get("Image") or not container.get("ModelDataUrl"):
            raise unserved("a model without Image and ModelDataUrl")
        if container.get("Mode", "SingleModel") != "SingleModel":
            raise unserved("Mode MultiModel")
        problem = self._backend.container.problem(container["Image"])
        if problem:
            raise invalid(problem)
        try:
            if self._backend.storage.etag(container["ModelDataUrl"]) is None:
                raise invalid(f"Could not find model data at {container['ModelDataUrl']}.")
        except StorageError as error:
            raise invalid(str(error)) from error


def existing_model(backend: Backend, name: str) -> Document:
    """What DescribeModel shows. Raises ValidationException, the service's error for an unknown model."""
    model = backend.state.get(MODEL, name)
    if model is None:
        raise invalid(f'Could not find model "{backend.arn("model", name)}".')
    return model


def container_of(model: Document) -> Document:
    """The one ContainerDefinition of a model."""
    return _only_container(model)


def _only_container(model: Document) -> Document:
    containers = model.get("Containers") or [model.get("PrimaryContainer")]
    if len(containers) != 1 or containers[0] is None or ("Containers" in model and "PrimaryContainer" in model):
        raise unserved("models with other than one container")
    return containers[0]
