"""Names, keys, pages and limits that the operations of the Glue Data Catalog share."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from local_aws.service import ServiceError

DATABASE = "glue-database"
TABLE = "glue-table"
PARTITION = "glue-partition"
CRAWLER = "glue-crawler"
JOB = "glue-job"
JOB_RUN = "glue-job-run"
TAGS = "glue-tags"


def key(*names: str) -> str:
    """One key of several names; no name can reach into another's keys."""
    return "/".join(quote(name, safe="") for name in names)


def folded(name: str) -> str:
    """The catalog folds the names of databases, tables and columns to lower case."""
    return name.lower()


def page(items: Sequence[Any], request: dict[str, Any], largest: int) -> tuple[list[Any], dict[str, str]]:
    """The items that the request's NextToken and MaxResults ask for, and {"NextToken": …} when more follow.

    Raises InvalidInputException for a token that this service never gave.
    """
    begin = _offset(request.get("NextToken"))
    end = begin + min(request.get("MaxResults") or largest, largest)
    more = {"NextToken": urlsafe_b64encode(str(end).encode()).decode()} if end < len(items) else {}
    return list(items[begin:end]), more


def _offset(token: str | None) -> int:
    if not token:
        return 0
    try:
        return int(urlsafe_b64decode(token.encode()))
    except ValueError:
        raise ServiceError("InvalidInputException", "NextToken is invalid") from None


def require_at_most(member: str, values: Sequence[Any], largest: int) -> None:
    """Refuse a longer list, as the service does: botocore checks lower limits only."""
    if len(values) > largest:
        raise ServiceError(
            "ValidationException",
            f"1 validation error detected: Value at '{member}' failed to satisfy constraint: "
            f"Member must have length less than or equal to {largest}",
        )


def not_found(message: str) -> ServiceError:
    return ServiceError("EntityNotFoundException", message)


def already_exists(message: str) -> ServiceError:
    return ServiceError("AlreadyExistsException", message)


def invalid(message: str) -> ServiceError:
    return ServiceError("InvalidInputException", message)
