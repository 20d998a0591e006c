"""The manifest of a delivery: which meter files a batch loads."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from meter_data.lake.store import Store


class ManifestError(ValueError):
    """The manifest is missing, belongs to another batch or lists no files."""


@dataclass(frozen=True)
class MeterFile:
    """A file of a manifest.

    `delivered_at` is when it was uploaded, in milliseconds since 1970 UTC. `described_by` is the URI of the description
    that lies beside it, if one does. `first_byte` and `end_byte` are the part of a plain text file that is meant,
    without the end; the part has the lines that begin in it. None: the whole file.
    """

    uri: str
    etag: str
    size: int
    delivered_at: int
    described_by: str | None = None
    first_byte: int = 0
    end_byte: int | None = None

    @property
    def is_gzip(self) -> bool:
        """Whether the file's name says that it is packed with gzip."""
        return self.uri.endswith(".gz")

    def part(self, first_byte: int, end_byte: int) -> MeterFile:
        """Returns that part of the file."""
        return replace(self, first_byte=first_byte, end_byte=end_byte)


@dataclass(frozen=True)
class Manifest:
    """What a batch loads. `description` is what the run's parameters say about files of the reader `default`."""

    files: tuple[MeterFile, ...]
    description: dict[str, Any]


def read(store: Store, uri: str, batch: str) -> Manifest:
    """Reads the manifest of the batch, its files ordered by upload time, then key. Raises ManifestError."""
    try:
        manifest = store.read_json(uri)
    except ClientError as error:
        raise ManifestError(f"The manifest {uri} cannot be read ({error}). Clear find_new_meter_files.") from error
    if manifest["batch"] != batch:
        raise ManifestError(f"The manifest {uri} is that of batch {manifest['batch']}, not of {batch}.")
    if not manifest["files"]:
        raise ManifestError(f"The manifest {uri} lists no files.")
    files = [
        MeterFile(
            entry["uri"], entry["etag"], entry["size"], _instant(entry["delivered_at"]), entry.get("described_by")
        )
        for entry in manifest["files"]
    ]
    ordered = sorted(files, key=lambda file: (file.delivered_at, file.uri))
    return Manifest(tuple(ordered), manifest.get("description", {}))


def _instant(text: str) -> int:
    """Returns the milliseconds since 1970 of a time such as 2026-01-01T00:00:00Z."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)
