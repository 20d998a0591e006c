"""Makes the texts of engines and files fit for Airflow: printable and short.

Airflow keeps what a trigger reports in a column of type jsonb. PostgreSQL refuses a text with a NUL character or a lone
surrogate there, and the triggerer ends for good: it asks for the same event after every restart. An engine's message
may quote a file, and a file may hold anything.
"""

from __future__ import annotations

from typing import Any

MOST_CHARACTERS = 4_000


def printable(text: str, most: int = MOST_CHARACTERS) -> str:
    r"""Returns the text with every character that cannot be printed written as its escape, e.g. \x00.

    Line ends and tabs stay. Of a text longer than `most` characters, the beginning and the end are kept.
    """
    if len(text) > most:
        kept = most // 2
        text = f"{text[:kept]} … ({len(text) - 2 * kept:,} characters are left out) … {text[-kept:]}"
    return "".join(sign if sign.isprintable() or sign in "\n\t" else _escape(sign) for sign in text)


def one_line(name: str) -> str:
    """Returns the name of a file as one line of a log, whatever characters it holds."""
    return name if name.isprintable() else repr(name)


def storable(value: Any) -> Any:
    """Returns the value, as JSON has them, with all texts in it printable and short."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict):
        return {storable(key): storable(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [storable(part) for part in value]
    return value


def _escape(sign: str) -> str:
    return sign.encode("unicode_escape").decode("ascii")
