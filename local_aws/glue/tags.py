"""Tags of Glue's resources (crawlers, jobs, databases), by their ARN."""

from __future__ import annotations

from local_aws.glue.names import TAGS, key
from local_aws.service import Request, Response, Service
from local_aws.state import State


class GlueTags(Service):
    """GetTags, TagResource, UntagResource."""

    service_name = "glue"

    def __init__(self, state: State) -> None:
        self._state = state

    def get_tags(self, request: Request) -> Response:
        return {"Tags": self._state.get(TAGS, key(request["ResourceArn"])) or {}}

    def tag_resource(self, request: Request) -> Response:
        self._state.update(TAGS, key(request["ResourceArn"]), lambda tags: (tags or {}) | request["TagsToAdd"])
        return {}

    def untag_resource(self, request: Request) -> Response:
        removed = set(request["TagsToRemove"])
        self._state.update(
            TAGS,
            key(request["ResourceArn"]),
            lambda tags: {name: value for name, value in (tags or {}).items() if name not in removed},
        )
        return {}


def arn(partition: str, region: str, account_id: str, resource: str) -> str:
    """e.g. resource crawler/crawl_landing."""
    return f"arn:{partition}:glue:{region}:{account_id}:{resource}"


def set_tags(state: State, resource_arn: str, tags: dict[str, str] | None) -> None:
    """Tags given when a resource is created; none for a resource that is deleted."""
    state.update(TAGS, key(resource_arn), lambda _: tags or None)
