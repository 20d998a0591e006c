"""Patterns mean the same on every Python from 3.11 on.

Python 3.11.2, which Debian 12 and its images carry, gets possessive quantifiers and atomic groups wrong: it refused a
good file that other versions read.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
PARTS = [
    *["dags", "plugins", "include", "api_lambdas", "local_aws", "infra"],
    *["sample_data", "demo", "documentation", "environments", "benchmarks", "tests"],
]
# A quantifier with a plus sign behind it, neither of them escaped; and an atomic group.
FORBIDDEN = re.compile(r"(?<!\\)(?:[*+?]|\{[0-9]*,?[0-9]*\})\+|\(\?>")
SIGNS_OF_PASSWORDS = '"aB3!#$%&()*+,-.:;<=>?[]^_`{|}~"'


def test_every_part_is_looked_at() -> None:
    for part in PARTS:
        assert list(sources(part)), f"{part} holds no source: this test looks at the wrong folder"


@pytest.mark.parametrize("part", PARTS)
def test_no_pattern_is_possessive_or_atomic(part: str) -> None:
    found = [
        f"{path.relative_to(REPOSITORY)}: {text!r}"
        for path in sources(part)
        if path != Path(__file__)
        for text in texts(path)
        if FORBIDDEN.search(text) and repr(text) != repr(ast.literal_eval(SIGNS_OF_PASSWORDS))
    ]
    assert not found, f"Write these without possessive quantifiers and atomic groups: {'; '.join(found)}"


@pytest.mark.parametrize("pattern", [r"a*+b", r"(?:a|b)++", r"[a-z]?+", r"a{2}+", r"a{1,3}+", r"(?>a|b)c"])
def test_such_a_pattern_would_be_found(pattern: str) -> None:
    assert FORBIDDEN.search(pattern)


@pytest.mark.parametrize("pattern", [r"[+-]?[0-9]+", r"\*+", r"[A-Za-z0-9_+-]+", r"\++", r"C\+\+", r"a{2}\+"])
def test_other_patterns_are_let_be(pattern: str) -> None:
    assert not FORBIDDEN.search(pattern)


def sources(part: str) -> Iterator[Path]:
    """The files that may hold patterns: code, SQL and templates."""
    yield from (path for kind in ("py", "sql", "yaml") for path in sorted((REPOSITORY / part).rglob(f"*.{kind}")))


def texts(path: Path) -> list[str]:
    """The texts in Python code, of an f-string with a sign for each value in it; every line of another file."""
    content = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        return content.splitlines()
    tree = ast.parse(content)
    joined = [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
    of_joined = {id(part) for node in joined for part in node.values}
    whole = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in of_joined
    ]
    return whole + [
        "".join(part.value if isinstance(part, ast.Constant) else "x" for part in node.values) for node in joined
    ]
