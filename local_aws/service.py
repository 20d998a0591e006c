"""What an AWS service of the control plane is: a class with one method per operation.

    class GlueCatalog(Service):
        service_name = "glue"

        def get_table(self, request: dict[str, Any]) -> dict[str, Any]: ...

A method is named like the operation in snake case (botocore's own rule: GetTable -> get_table). It takes the
operation's parameters under botocore's names, already validated, and returns the response under botocore's names;
datetimes are allowed wherever the model has a timestamp. Several classes may serve one service_name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

Request = dict[str, Any]
Response = dict[str, Any]
Operation = Callable[[Request], Response]


class ServiceError(Exception):
    """An error that the caller gets as the service's own: its code, message, HTTP status and further members."""

    def __init__(self, code: str, message: str, status: int = 400, **members: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.members = members


class Service:
    """Base of all own services. `service_name` is botocore's (glue, logs, athena, redshift-data, sagemaker-runtime)."""

    service_name: ClassVar[str]

    def on_start(self) -> None:
        """Called once before the first request: take up state, mark what died with the process before."""

    def on_stop(self) -> None:
        """Called once when the control plane stops: end threads and child processes."""
