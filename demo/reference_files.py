"""What else is known of the fleet: weather, geography and customers, and their way into the landing zone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

# Folders below reference/ in the landing bucket; see load_reference_data.
KINDS = ("weather", "geodata", "cisdata")


class NoReferenceFileError(Exception):
    """A file named by the user does not exist."""


def named_files(given: dict[str, Path | None]) -> dict[str, Path]:
    """Those of KINDS that were given. Raises NoReferenceFileError."""
    found = {kind: path for kind, path in given.items() if path is not None}
    for kind, path in found.items():
        if not path.is_file():
            raise NoReferenceFileError(f"--{kind}: {path} is not a file.")
    return found


def generated_files(folder: Path) -> dict[str, Path]:
    """What `python -m sample_data.reference` wrote: a file of each kind."""
    return {kind: next((folder / kind).glob("*.csv")) for kind in KINDS}


def upload(s3: Any, files: dict[str, Path], bucket: str) -> None:
    """Put each file into the folder of its kind, under its own name."""
    for kind, path in files.items():
        s3.upload_file(str(path), bucket, f"reference/{kind}/{path.name}")
