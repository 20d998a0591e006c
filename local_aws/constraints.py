"""The limits of a service model that botocore's own validation leaves to the service: patterns, enums, largest sizes.

The texts are the service's, like: 1 validation error detected: Value 'a_b' at 'trainingJobName' failed to satisfy
constraint: Member must satisfy regular expression pattern: …
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from local_aws.service import ServiceError

# Unicode properties are Java's notation; where they stand, they stand for "any printable text".
_NOT_PYTHON = re.compile(r"\\p\{|\\z")


def require(shape: Any, parameters: dict[str, Any]) -> None:
    """Raise ServiceError ValidationException for parameters (types are right already) that break a limit."""
    broken = list(_broken(shape, parameters, ""))
    if broken:
        count = f"{len(broken)} validation error{'s' if len(broken) > 1 else ''} detected"
        raise ServiceError("ValidationException", f"{count}: {'; '.join(broken)}")


def _broken(shape: Any, value: Any, path: str) -> Iterator[str]:
    match shape.type_name:
        case "structure":
            for name, item in value.items():
                if name in shape.members and item is not None:
                    yield from _broken(shape.members[name], item, f"{path}.{_lower(name)}" if path else _lower(name))
        case "list":
            yield from _too_long(shape, value, path)
            for index, item in enumerate(value):
                yield from _broken(shape.member, item, f"{path}.{index + 1}.member")
        case "map":
            yield from _too_long(shape, value, path)
            for key, item in value.items():
                yield from _broken(shape.key, key, f"{path}.{key}")
                yield from _broken(shape.value, item, f"{path}.{key}")
        case "integer" | "long" | "float" | "double":
            largest = shape.metadata.get("max")
            if largest is not None and value > largest:
                yield _text(value, path, f"Member must have value less than or equal to {largest}")
        case "blob":
            yield from _too_long(shape, value, path)
        case "string":
            yield from _text_limits(shape, value, path)


def _text_limits(shape: Any, value: str, path: str) -> Iterator[str]:
    yield from _too_long(shape, value, path)
    if shape.enum and value not in shape.enum:
        yield _text(value, path, f"Member must satisfy enum value set: [{', '.join(shape.enum)}]")
    pattern = shape.metadata.get("pattern")
    if pattern and not _NOT_PYTHON.search(pattern) and not _compiled(pattern).fullmatch(value):
        yield _text(value, path, f"Member must satisfy regular expression pattern: {pattern}")


def _too_long(shape: Any, value: Any, path: str) -> Iterator[str]:
    largest = shape.metadata.get("max")
    if largest is not None and len(value) > largest:
        shown = value if isinstance(value, str) and len(value) < 256 else f"{len(value)} long"
        yield _text(shown, path, f"Member must have length less than or equal to {largest}")


def _text(value: Any, path: str, constraint: str) -> str:
    return f"Value '{value}' at '{path}' failed to satisfy constraint: {constraint}"


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.DOTALL)


def _lower(name: str) -> str:
    return name[:1].lower() + name[1:]
