"""The JSONPath operators that SageMaker documents for the filters of batch transform, with Jayway's results.

    $                the whole record
    .name  ['name']  a member; it must be there
    ['a','b']        an object of those members that are there
    [2]  [-1]        an element; it must be there
    [0,2]  [1:]  [0,5:]  [:-1]   an array of elements; a single index among them must be there
    .*  [*]          an array of all members or elements

What selects several values ends the path. Recursive descent, filters and functions are refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

_STEP = re.compile(r"\.?\[(?P<inside>[^\[\]]*)\]|\.(?P<name>[A-Za-z_][\w-]*|\*)")
_NAME = re.compile(r"'([^']*)'|\"([^\"]*)\"")
_PLACE = re.compile(r"(?P<index>-?\d+)|(?P<begin>-?\d+)?:(?P<end>-?\d+)?")

Step = Callable[[Any], Any]


class JsonPathError(ValueError):
    """A path that is not served, or a record in which it leads nowhere."""


class JsonPath:
    """A compiled path. Raises JsonPathError when it is not served."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._steps: list[Step] = []
        if not text.startswith("$"):
            raise JsonPathError(f"the JSONPath {text!r} must begin with $")
        at, ended = 1, False
        while at < len(text):
            match = _STEP.match(text, at)
            if match is None or ended:
                raise JsonPathError(f"the JSONPath {text!r} is not served from character {at + 1} on: {text[at:]!r}")
            step, ended = self._step(match)
            self._steps.append(step)
            at = match.end()

    @property
    def is_root(self) -> bool:
        return not self._steps

    def select(self, value: Any) -> Any:
        """Raises JsonPathError when a member or an element is missing."""
        for step in self._steps:
            value = step(value)
        return value

    def _step(self, match: re.Match[str]) -> tuple[Step, bool]:
        """What the step does, and whether it ends the path."""
        name, inside = match["name"], match["inside"]
        if name == "*" or (inside is not None and inside.strip() == "*"):
            return self._all, True
        if name is not None:
            return lambda value: self._member(value, name), False
        parts = [part.strip() for part in _split(inside)]
        names = [_NAME.fullmatch(part) for part in parts]
        if all(names):
            texts = [found[1] if found[1] is not None else found[2] for found in names if found]
            if len(texts) == 1:
                return lambda value: self._member(value, texts[0]), False
            return lambda value: self._members(value, texts), True
        places = [_PLACE.fullmatch(part) for part in parts]
        if not all(places):
            raise JsonPathError(f"the JSONPath {self.text!r} is not served: [{inside}]")
        found_places = [place for place in places if place]
        if len(found_places) == 1 and found_places[0]["index"] is not None:
            index = int(found_places[0]["index"])
            return lambda value: self._element(value, index), False
        return lambda value: self._elements(value, found_places), True

    def _member(self, value: Any, name: str) -> Any:
        if not isinstance(value, dict) or name not in value:
            raise JsonPathError(f"the JSONPath {self.text} finds no member {name!r}")
        return value[name]

    def _members(self, value: Any, names: list[str]) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise JsonPathError(f"the JSONPath {self.text} needs an object, not {type(value).__name__}")
        return {name: value[name] for name in names if name in value}

    def _element(self, value: Any, index: int) -> Any:
        if not isinstance(value, list) or not -len(value) <= index < len(value):
            raise JsonPathError(f"the JSONPath {self.text} finds no element {index}")
        return value[index]

    def _elements(self, value: Any, places: list[re.Match[str]]) -> list[Any]:
        if not isinstance(value, list):
            raise JsonPathError(f"the JSONPath {self.text} needs an array, not {type(value).__name__}")
        chosen = []
        for place in places:
            if place["index"] is not None:
                chosen.append(self._element(value, int(place["index"])))
            else:
                chosen += value[_number(place["begin"]) : _number(place["end"])]
        return chosen

    def _all(self, value: Any) -> list[Any]:
        if isinstance(value, dict):
            return list(value.values())
        if isinstance(value, list):
            return value
        raise JsonPathError(f"the JSONPath {self.text} needs an object or an array, not {type(value).__name__}")


def _split(inside: str) -> list[str]:
    """The parts between commas that stand outside quotes."""
    return re.findall(r"\s*(?:'[^']*'|\"[^\"]*\"|[^,'\"])+", inside) or [inside]


def _number(text: str | None) -> int | None:
    return None if text is None else int(text)
