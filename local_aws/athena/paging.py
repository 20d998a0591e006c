"""Pages of Athena's lists: NextToken is the place where the next page begins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from local_aws.service import Request, Response, ServiceError


def begin_of(request: Request) -> int:
    """The place that the request's NextToken names. Raises InvalidRequestException for any other text."""
    token = request.get("NextToken", "0")
    if not token.isdigit():
        raise ServiceError("InvalidRequestException", "Invalid NextToken", AthenaErrorCode="INVALID_INPUT")
    return int(token)


def page(member: str, items: Sequence[Any], request: Request, largest: int) -> Response:
    """{member: items of the page} and a NextToken when more follow."""
    begin = begin_of(request)
    end = begin + min(request.get("MaxResults") or largest, largest)
    answer: Response = {member: list(items[begin:end])}
    return answer | ({"NextToken": str(end)} if end < len(items) else {})
