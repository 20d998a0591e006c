"""Readers know the layouts of meter files and judge their rows: which are readings, and why the others are not.

Each kind of file has a module here, and its name is what people choose. A new one needs no more than its module, with

    reader(description, origin) -> judged.Reader

`description` is what is said about the files, a JSON object, and `origin` where, for messages. The function raises
UnreadableFileError when the description does not fit the reader.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from meter_data.meter_files.lines import UnreadableFileError

if TYPE_CHECKING:
    from meter_data.readers.judged import Reader


class UnknownReaderError(UnreadableFileError):
    """No reader has this name."""


def named(name: str, description: dict[str, Any], origin: str) -> Reader:
    """Returns the reader of this name, for files of this description. Raises UnreadableFileError."""
    is_module = name.isidentifier() and find_spec(f"{__name__}.{name}") is not None
    found = getattr(import_module(f"{__name__}.{name}"), "reader", None) if is_module else None
    if found is None:
        raise UnknownReaderError(
            f"There is no transformer {name!r} ({origin}). Set transformer to london or default; "
            "docs/loading-your-files.md explains both."
        )
    made: Reader = found(description, origin)
    return made
