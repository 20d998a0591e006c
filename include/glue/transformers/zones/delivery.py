"""The files of a delivery: its manifest, and each file's header, read by a small request before Spark starts on it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from transformers.zones import headers, storage

FIRST_BYTES = 64 * 1024
REQUESTS_AT_ONCE = 8


class ManifestError(ValueError):
    """The manifest is missing, belongs to another batch or lists no files."""


class MissingMeterFileError(ValueError):
    """A file of the manifest is no longer there."""


class ChangedMeterFileError(ValueError):
    """A file of the manifest has other content than it had when it was listed."""


@dataclass(frozen=True)
class MeterFile:
    """A file of a manifest; `delivered_at` is when it was written, `2026-01-01T00:00:00Z`.

    `described_by` is the URI of the description that lies beside it, if one does.
    """

    uri: str
    etag: str
    size: int
    delivered_at: str
    described_by: str | None = None


@dataclass(frozen=True)
class Manifest:
    """What a batch loads. `description` is what the run's parameters say about files that the transformer `default`
    reads."""

    files: list[MeterFile]
    description: dict[str, Any]


@dataclass(frozen=True)
class Layout:
    """The files of a delivery that begin with the same line. A file without any line has `line` None.

    `transformer` reads them; empty: the one of the run.
    """

    line: str | None
    header: tuple[str, ...]
    files: tuple[MeterFile, ...]
    transformer: str = ""


def read_manifest(s3: Any, uri: str, batch: str) -> Manifest:
    """The manifest of the batch. Raises ManifestError."""
    try:
        manifest = storage.read_json(s3, uri)
    except ClientError as error:
        raise ManifestError(f"The manifest {uri} cannot be read ({error}). Clear find_new_meter_files.") from error
    if manifest["batch"] != batch:
        raise ManifestError(f"The manifest {uri} is that of batch {manifest['batch']}, not of {batch}.")
    if not manifest["files"]:
        raise ManifestError(f"The manifest {uri} lists no files.")
    files = [
        MeterFile(entry["uri"], entry["etag"], entry["size"], entry["delivered_at"], entry.get("described_by"))
        for entry in manifest["files"]
    ]
    return Manifest(files, manifest.get("description", {}))


def layouts(s3: Any, files: list[MeterFile]) -> list[Layout]:
    """The files grouped by their first line, in the order of the first of each.

    Raises MissingMeterFileError, ChangedMeterFileError or headers.HeaderError.
    """
    with ThreadPoolExecutor(REQUESTS_AT_ONCE) as requests:
        lines = requests.map(lambda file: first_line(s3, file), files)
        grouped: dict[str | None, list[MeterFile]] = {}
        for file, line in zip(files, lines, strict=True):
            grouped.setdefault(line, []).append(file)
    return [Layout(line, headers.columns(line or ""), tuple(group)) for line, group in grouped.items()]


def first_line(s3: Any, file: MeterFile) -> str | None:
    """The first line of the file, unpacked, without its end and without a byte order mark; None for an empty file."""
    return headers.first_line(first_bytes(s3, file), file.uri, complete=file.size <= FIRST_BYTES)


def first_bytes(s3: Any, file: MeterFile) -> bytes:
    """The first 64 kB of the file. Raises MissingMeterFileError or ChangedMeterFileError."""
    bucket, key = storage.split_uri(file.uri)
    wanted = {"Range": f"bytes=0-{FIRST_BYTES - 1}"} if file.size else {}
    try:
        answer = s3.get_object(Bucket=bucket, Key=key, **wanted)
    except ClientError as error:
        raise _missing(file, error) from error
    _require_unchanged(file, answer)
    content: bytes = answer["Body"].read()
    return content


def require_unchanged(s3: Any, files: list[MeterFile]) -> None:
    """Raise MissingMeterFileError or ChangedMeterFileError if a file is not what the manifest says."""
    with ThreadPoolExecutor(REQUESTS_AT_ONCE) as requests:
        list(requests.map(lambda file: _check(s3, file), files))


def _check(s3: Any, file: MeterFile) -> None:
    bucket, key = storage.split_uri(file.uri)
    try:
        _require_unchanged(file, s3.head_object(Bucket=bucket, Key=key))
    except ClientError as error:
        raise _missing(file, error) from error


def _require_unchanged(file: MeterFile, answer: dict[str, Any]) -> None:
    if (found := answer["ETag"].strip('"')) != file.etag:
        raise ChangedMeterFileError(
            f"{file.uri} has changed since it was listed: its ETag is {found}, the manifest says {file.etag}. "
            "Trigger ingest_meter_readings anew: the new run lists the file as it is now."
        )


def _missing(file: MeterFile, error: ClientError) -> Exception:
    if error.response["Error"]["Code"] not in ("404", "NoSuchKey", "NotFound"):
        return error
    return MissingMeterFileError(
        f"{file.uri} was listed in the manifest but is no longer there. Put it back and clear raw_to_clean, or trigger "
        "ingest_meter_readings anew: the new run leaves it out."
    )
