"""Athena's workgroups: where results go and which queries belong together."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from local_aws.athena.paging import page
from local_aws.service import Request, Response, Service, ServiceError
from local_aws.state import State

KIND = "athena workgroup"
PRIMARY = "primary"
ENGINE = {"SelectedEngineVersion": "AUTO", "EffectiveEngineVersion": "Athena engine version 3"}


class WorkGroups(Service):
    """CreateWorkGroup, GetWorkGroup, ListWorkGroups, UpdateWorkGroup, DeleteWorkGroup."""

    service_name = "athena"

    def __init__(self, state: State) -> None:
        self._state = state

    def on_start(self) -> None:
        """Every account has the workgroup `primary`."""
        if self._state.get(KIND, PRIMARY) is None:
            self._put(PRIMARY, {}, "")

    def create_work_group(self, request: Request) -> Response:
        if self._state.get(KIND, request["Name"]) is not None:
            raise invalid("WorkGroup is already created")
        self._put(request["Name"], request.get("Configuration", {}), request.get("Description", ""))
        return {}

    def get_work_group(self, request: Request) -> Response:
        return {"WorkGroup": self.existing(request["WorkGroup"])}

    def list_work_groups(self, request: Request) -> Response:
        groups = [
            {name: group[name] for name in ("Name", "State", "Description", "CreationTime")} | {"EngineVersion": ENGINE}
            for group in self._state.list(KIND)
        ]
        return page("WorkGroups", groups, request, 50)

    def update_work_group(self, request: Request) -> Response:
        group = self.existing(request["WorkGroup"])
        for name in ("Description", "State"):
            if name in request:
                group[name] = request[name]
        group["Configuration"] = _updated(group["Configuration"], request.get("ConfigurationUpdates", {}))
        self._state.put(KIND, group["Name"], group)
        return {}

    def delete_work_group(self, request: Request) -> Response:
        if request["WorkGroup"] == PRIMARY:
            raise invalid("The primary workgroup cannot be deleted")
        self.existing(request["WorkGroup"])
        self._state.delete(KIND, request["WorkGroup"])
        return {}

    def existing(self, name: str) -> dict[str, Any]:
        """The workgroup's document, or InvalidRequestException."""
        group: dict[str, Any] | None = self._state.get(KIND, name)
        if group is None:
            raise invalid(f"WorkGroup {name} is not found.")
        return group

    def output_location(self, name: str, requested: str | None) -> str:
        """The folder for results: the workgroup's where it enforces it or the request has none."""
        group = self.existing(name)
        if group["State"] != "ENABLED":
            raise invalid(f"WorkGroup {name} is disabled.")
        configuration = group["Configuration"]
        own: str | None = configuration.get("ResultConfiguration", {}).get("OutputLocation")
        enforced = configuration.get("EnforceWorkGroupConfiguration", True) and own
        location = own if enforced else requested or own
        if not location:
            raise invalid(
                "No output location provided. An output location is required either through the Workgroup result"
                " configuration setting or as an API input."
            )
        return location

    def _put(self, name: str, configuration: dict[str, Any], description: str) -> None:
        defaults = {"EnforceWorkGroupConfiguration": name != PRIMARY, "EngineVersion": ENGINE}
        document = {
            "Name": name,
            "State": "ENABLED",
            "Description": description,
            "CreationTime": datetime.now(UTC),
            "Configuration": defaults | configuration | {"EngineVersion": ENGINE},
        }
        self._state.put(KIND, name, document)


def invalid(message: str) -> ServiceError:
    return ServiceError("InvalidRequestException", message, AthenaErrorCode="INVALID_INPUT")


def _updated(configuration: dict[str, Any], updates: dict[str, Any]) -> dict[str, Any]:
    changed = dict(configuration)
    for name, value in updates.items():
        if name == "ResultConfigurationUpdates":
            result = dict(changed.get("ResultConfiguration", {}))
            if value.get("RemoveOutputLocation"):
                result.pop("OutputLocation", None)
            result |= {key: item for key, item in value.items() if not key.startswith("Remove")}
            changed["ResultConfiguration"] = result
        elif not name.startswith("Remove") and name != "EngineVersion":
            changed[name] = value
    return changed
