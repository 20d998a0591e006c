"""Which route of an HTTP API answers a method and a path.

As in API Gateway: a route with fixed segments goes before one with variables, that before a greedy variable
({name+}), and $default last; at the same path the exact method goes before ANY.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from local_aws.gateway.routes import Route

_VARIABLE = re.compile(r"\{([^+}]+)(\+?)\}")
_FIXED, _ONE, _GREEDY = 0, 1, 2


@dataclass(frozen=True)
class Match:
    """The route that answers, and its path parameters, percent-decoded."""

    route: Route
    parameters: dict[str, str]


def match(routes: Sequence[Route], method: str, raw_path: str) -> Match | None:
    """The best route for a request; raw_path as it was sent, percent-encoded, without the query."""
    segments = raw_path.strip("/").split("/") if raw_path.strip("/") else []
    found: list[tuple[tuple[list[int], bool], Match]] = []
    for route in routes:
        if route.route_key == "$default":
            found.append((([3], True), Match(route, {})))
            continue
        wanted, _, path = route.route_key.partition(" ")
        if wanted not in (method, "ANY"):
            continue
        compared = _compare(path.strip("/").split("/") if path.strip("/") else [], segments)
        if compared is not None:
            ranks, parameters = compared
            found.append(((ranks, wanted == "ANY"), Match(route, parameters)))
    return min(found, key=lambda item: item[0])[1] if found else None


def _compare(pattern: list[str], segments: list[str]) -> tuple[list[int], dict[str, str]] | None:
    ranks: list[int] = []
    parameters: dict[str, str] = {}
    for place, part in enumerate(pattern):
        variable = _VARIABLE.fullmatch(part)
        if variable and variable[2]:
            rest = segments[place:]
            if not rest:
                return None
            parameters[variable[1]] = unquote("/".join(rest))
            return [*ranks, _GREEDY], parameters
        if place >= len(segments):
            return None
        if variable:
            if not segments[place]:
                return None
            parameters[variable[1]] = unquote(segments[place])
            ranks.append(_ONE)
        elif part == unquote(segments[place]):
            ranks.append(_FIXED)
        else:
            return None
    return (ranks, parameters) if len(pattern) == len(segments) else None
