"""What all List operations do: filter, sort, page."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence

from local_aws.sagemaker.names import invalid
from local_aws.service import Request, Response

PAGE = 10


def listed(
    summaries: Sequence[Response], request: Request, member: str, name: str, *, status: str = "", order: str = ""
) -> Response:
    """{member: the summaries asked for, "NextToken": … when more follow}.

    `name` and `status` are the summaries' members for name and state; `order` is what the operation sorts by default,
    like "CreationTime Descending" or "Name Ascending".
    """
    default_key, default_direction = order.split()
    chosen = [summary for summary in summaries if _matches(summary, request, name, status)]
    sort_by: str = request.get("SortBy", default_key)
    member_of = {"Name": name, "Status": status}.get(sort_by, sort_by)
    chosen.sort(key=lambda summary: (summary[member_of], summary[name]))
    if request.get("SortOrder", default_direction) == "Descending":
        chosen.reverse()
    begin = _offset(request.get("NextToken"))
    end = begin + request.get("MaxResults", PAGE)
    more = {"NextToken": urlsafe_b64encode(str(end).encode()).decode()} if end < len(chosen) else {}
    return {member: chosen[begin:end], **more}


def _matches(summary: Response, request: Request, name: str, status: str) -> bool:
    if request.get("NameContains", "").lower() not in summary[name].lower():
        return False
    if "StatusEquals" in request and summary[status] != request["StatusEquals"]:
        return False
    for member in ("CreationTime", "LastModifiedTime"):
        if f"{member}After" in request and not summary[member] > request[f"{member}After"]:
            return False
        if f"{member}Before" in request and not summary[member] < request[f"{member}Before"]:
            return False
    return True


def _offset(token: str | None) -> int:
    if not token:
        return 0
    try:
        return int(urlsafe_b64decode(token.encode()))
    except ValueError:
        raise invalid("Invalid NextToken") from None
