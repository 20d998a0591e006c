"""Tags of SageMaker's resources, by their ARN."""

from __future__ import annotations

from local_aws.sagemaker.names import TAGS, invalid
from local_aws.service import Request, Response, Service
from local_aws.state import State

MOST_TAGS = 50


class SageMakerTags(Service):
    """AddTags, ListTags, DeleteTags."""

    service_name = "sagemaker"

    def __init__(self, state: State) -> None:
        self._state = state

    def add_tags(self, request: Request) -> Response:
        """Returns all tags that the resource has then, as the service does."""
        added = set_tags(self._state, request["ResourceArn"], request["Tags"])
        return {"Tags": added}

    def list_tags(self, request: Request) -> Response:
        return {"Tags": _list(self._state.get(TAGS, request["ResourceArn"]) or {})}

    def delete_tags(self, request: Request) -> Response:
        removed = set(request["TagKeys"])
        self._state.update(
            TAGS,
            request["ResourceArn"],
            lambda tags: {key: value for key, value in (tags or {}).items() if key not in removed} or None,
        )
        return {}


def set_tags(state: State, resource_arn: str, tags: list[dict[str, str]] | None) -> list[dict[str, str]]:
    """Add to the resource's tags; a key that it has gets the new value. Raises ValidationException beyond 50."""
    given = {tag["Key"]: tag["Value"] for tag in tags or []}
    if not given:
        return []
    with state.transaction():
        together = (state.get(TAGS, resource_arn) or {}) | given
        if len(together) > MOST_TAGS:
            raise invalid(f"Tags for the resource {resource_arn} must not be more than {MOST_TAGS}")
        state.put(TAGS, resource_arn, together)
    return _list(together)


def remove_tags(state: State, resource_arn: str) -> None:
    state.delete(TAGS, resource_arn)


def _list(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]
