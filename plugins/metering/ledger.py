"""Which meter files are known. A file is its content: ETag and size; its name and place do not matter.

    <clean>/_manifests/<batch>.json      the files of a batch, written once, before any work on them
    <clean>/_ledger/<etag>-<size>.json   a file that was loaded; the object's key alone says that it is known
    <clean>/_batches/<batch>.json        a batch that was published: its run, its dates, when; and
                                         when it was merged, which orders batches (see merged_at)
    <clean>/_swept/<batch>.json          a batch whose clean rows were swept since: when
    <clean>/_set_aside/<etag>-<size>-<read_with>.json
                                         a file that could not be read, and the reason. <read_with> stands for what it
                                         was read with: it is tried again when its transformer or description changes.

With SSE-KMS an ETag is no digest of the content: the same bytes uploaded twice then count as two files, whose readings
are duplicates and vanish.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any

from metering import dates, messages, storage
from metering.file_descriptions import FILE_NAME as DESCRIPTION

MANIFESTS, LEDGER, BATCHES, SWEPT = "_manifests/", "_ledger/", "_batches/", "_swept/"
SET_ASIDE = "_set_aside/"
# The one transformer that reads by a description.
DEFAULT = "default"

log = logging.getLogger(__name__)


class UnknownMeterFileError(ValueError):
    """The run was asked to load files that are not in the landing zone."""


@dataclass(frozen=True)
class MeterFile:
    """A file of the landing zone; `delivered_at` is when it was last written (UTC).

    `described_by` is the URI of the nearest _transformer.json, in its folder or one above, if there is one, and
    `description_etag` its content.
    """

    uri: str
    key: str
    etag: str
    size: int
    delivered_at: datetime
    described_by: str | None = None
    description_etag: str | None = None

    @property
    def identity(self) -> str:
        return f"{self.etag}-{self.size}"

    def entry(self, read_with: str) -> dict[str, Any]:
        """The file in a manifest."""
        delivered_at = f"{self.delivered_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        entry = {
            "uri": self.uri,
            "key": self.key,
            "etag": self.etag,
            "size": self.size,
            "delivered_at": delivered_at,
            "read_with": read_with,
        }
        return entry | ({"described_by": self.described_by} if self.described_by else {})


def find_new_meter_files(
    s3: Any,
    *,
    landing_bucket: str,
    landing_prefix: str,
    clean_bucket: str,
    batch: str,
    reprocess: Iterable[str] = (),
    transformer: str = "",
    description: dict[str, Any] | None = None,
) -> dict[str, Any] | None:
    """Write the manifest of the batch; its batch, number of files and bytes, or None when nothing is new.

    The manifest is written once: called again for the same batch (a retry, a clear), it answers for the same files,
    known by now or not. Files that came meanwhile belong to the next run. `transformer` reads the files that no
    _transformer.json describes, and `description` is what the run's parameters say about them; raw_to_clean finds it in
    the manifest. The log names the files that were set aside before, and still are.
    """
    key = f"{MANIFESTS}{batch}.json"
    if storage.exists(s3, clean_bucket, key):
        log.info("Batch %s has a manifest already: its files are loaded again, others wait for the next run", batch)
        return _overview(storage.read_json(s3, clean_bucket, key))
    landed, passed_over = meter_files(s3, landing_bucket, landing_prefix)
    known = {PurePosixPath(item["Key"]).stem for item in storage.objects(s3, clean_bucket, LEDGER)}
    reading = {file.uri: read_with(file, transformer, description) for file in landed}
    again = set(reprocess)
    before = {PurePosixPath(item["Key"]).stem for item in storage.objects(s3, clean_bucket, SET_ASIDE)}
    still = [
        file
        for file in landed
        if file.identity not in known and file.key not in again and f"{file.identity}-{reading[file.uri]}" in before
    ]
    for file in still:
        entry = storage.read_json(s3, clean_bucket, f"{SET_ASIDE}{file.identity}-{reading[file.uri]}.json")
        log.warning(
            "%s is still set aside, because it could not be read in batch %s: %s\nIt is tried again when it or its "
            "description has changed, with another transformer, or when reprocess names it.",
            messages.one_line(file.uri),
            entry["batch"],
            messages.printable(entry["reason"]),
        )
    waiting = {file.uri for file in still}
    new, notes = select_new([file for file in landed if file.uri not in waiting], known, again)
    for note in (*passed_over, *notes):
        log.info(note)
    if not new:
        log.info("Nothing new in s3://%s/%s: %d files, all of them known", landing_bucket, landing_prefix, len(landed))
        return None
    manifest: dict[str, Any] = {"batch": batch, "files": [file.entry(reading[file.uri]) for file in new]}
    if description:
        manifest["description"] = description
    storage.write_json(s3, clean_bucket, key, manifest)
    return _overview(manifest)


def meter_files(s3: Any, bucket: str, prefix: str) -> tuple[list[MeterFile], list[str]]:
    """The meter files below a prefix, and a note on each other file.

    Descriptions and the marks of folders are neither.
    """
    listed = list(storage.objects(s3, bucket, prefix))
    described = {
        str(PurePosixPath(item["Key"]).parent): (f"s3://{bucket}/{item['Key']}", item["ETag"].strip('"'))
        for item in listed
        if PurePosixPath(item["Key"]).name == DESCRIPTION
    }
    files, notes = [], []
    for item in listed:
        key, uri = item["Key"], f"s3://{bucket}/{item['Key']}"
        if key.endswith("/") or PurePosixPath(key).name == DESCRIPTION:
            continue
        if reason := _no_meter_file(PurePosixPath(key).name, item["Size"]):
            notes.append(f"{messages.one_line(uri)} is passed over: {reason}")
            continue
        etag, nearest = item["ETag"].strip('"'), _nearest(described, key)
        files.append(MeterFile(uri, key, etag, item["Size"], item["LastModified"], *nearest))
    return files, notes


def select_new(landed: list[MeterFile], known: set[str], reprocess: set[str]) -> tuple[list[MeterFile], list[str]]:
    """The files to load, in order of delivery, and notes on those left out because of another file of the same content.

    `known` are identities of the ledger; the keys in `reprocess` are loaded although they are known.
    """
    if missing := reprocess - {file.key for file in landed}:
        names = ", ".join(sorted(missing))
        raise UnknownMeterFileError(f"Not in the landing zone: {names}. Give keys as the landing bucket shows them.")
    chosen: dict[str, MeterFile] = {}
    notes = []
    for file in sorted(landed, key=lambda file: (file.delivered_at, file.key)):
        if file.identity in known and file.key not in reprocess:
            continue
        if twin := chosen.get(file.identity):
            shown, known_as = messages.one_line(file.uri), messages.one_line(twin.uri)
            notes.append(f"{shown} is skipped: the same bytes as {known_as} of this delivery")
            continue
        chosen[file.identity] = file
    return list(chosen.values()), notes


def read_with(file: MeterFile, transformer: str, description: dict[str, Any] | None) -> str:
    """Returns a short text that is another one when the file would be read in another way.

    A _transformer.json beside the file says all about it. Else the run's transformer reads it, `default` by the run's
    description.
    """
    if file.described_by:
        said: dict[str, Any] = {"described_by": file.description_etag}
    else:
        said = {"transformer": transformer, "description": description if transformer == DEFAULT else None}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]


def record_set_aside(s3: Any, *, clean_bucket: str, summary: dict[str, Any], recorded_at: datetime) -> None:
    """Note the files of a batch that could not be read, so that no later run tries them in the same way again.

    `summary` is that of raw_to_clean. A manifest that an earlier version has written does not say what its files are
    read with: the next run tries them again.
    """
    reasons = {file["uri"]: file["set_aside"]["reason"] for file in summary["files"] if file.get("set_aside")}
    if not reasons:
        return
    manifest = storage.read_json(s3, clean_bucket, f"{MANIFESTS}{summary['batch']}.json")
    stamp = f"{recorded_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    for file in manifest["files"]:
        if file["uri"] in reasons and "read_with" in file:
            known = {name: file[name] for name in ("key", "etag", "size", "read_with")}
            entry = {**known, "batch": summary["batch"], "reason": reasons[file["uri"]], "recorded_at": stamp}
            key = f"{SET_ASIDE}{file['etag']}-{file['size']}-{file['read_with']}.json"
            storage.write_json(s3, clean_bucket, key, entry)


def record(
    s3: Any,
    *,
    clean_bucket: str,
    summary: dict[str, Any],
    merged_at: datetime,
    recorded_at: datetime,
    set_aside: Iterable[str] = (),
) -> dict[str, Any]:
    """Note that a batch and its files are loaded; what READINGS says of it: batch, run and touched dates.

    `summary` is that of clean_to_business, written at `merged_at`. `set_aside` are the URIs of the files that could not
    be read. The ledger is written last: a run that dies before is simply run again.
    """
    stamp, merged = (f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" for time in (recorded_at, merged_at))
    published = {name: summary[name] for name in ("batch", "run", "dates")}
    manifest = storage.read_json(s3, clean_bucket, f"{MANIFESTS}{summary['batch']}.json")
    batch_key = f"{BATCHES}{summary['batch']}.json"
    unread = set(set_aside)
    loaded = [file for file in manifest["files"] if file["uri"] not in unread]
    about = {**published, "files": len(loaded), "merged_at": merged, "recorded_at": stamp}
    storage.write_json(s3, clean_bucket, batch_key, about)
    # Its clean rows are there again, should they ever have been swept.
    storage.delete(s3, clean_bucket, [f"{SWEPT}{summary['batch']}.json"])
    for file in loaded:
        known = {name: file[name] for name in ("key", "etag", "size")}
        entry = {**known, "batch": summary["batch"], "recorded_at": stamp}
        storage.write_json(s3, clean_bucket, f"{LEDGER}{file['etag']}-{file['size']}.json", entry)
    _forget_set_aside(s3, clean_bucket, {f"{file['etag']}-{file['size']}" for file in loaded})
    return published


def published_batches(s3: Any, clean_bucket: str) -> list[str]:
    """Every batch that was published, oldest first."""
    return [PurePosixPath(item["Key"]).stem for item in storage.objects(s3, clean_bucket, BATCHES)]


def merged_at(s3: Any, clean_bucket: str, batch: str) -> datetime:
    """When a published batch was merged into the business zone (UTC).

    Of two batches with rows of one partition, the one that was merged later has the later time: the catalog refuses
    what a job made before a newer version was published. A batch recorded by an earlier version of this module says
    no more than when it was recorded.
    """
    about = storage.read_json(s3, clean_bucket, f"{BATCHES}{batch}.json")
    return datetime.fromisoformat(about.get("merged_at") or about["recorded_at"])


def published_dates(s3: Any, clean_bucket: str) -> list[str]:
    """The dates of the interval readings that were ever published, as closed ranges."""
    batches = (storage.read_json(s3, clean_bucket, item["Key"]) for item in storage.objects(s3, clean_bucket, BATCHES))
    return dates.merge(text for batch in batches for text in batch["dates"])


def _nearest(described: dict[str, tuple[str, str]], key: str) -> tuple[str | None, str | None]:
    """URI and ETag of the description in the folder of the key, or in the nearest above that has one."""
    folders = (str(folder) for folder in PurePosixPath(key).parents)
    return next((described[folder] for folder in folders if folder in described), (None, None))


def record_sweep(s3: Any, *, clean_bucket: str, batch: str, swept_at: datetime) -> None:
    """Note that the clean rows of a batch are deleted; to be noted before that."""
    stamp = f"{swept_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    storage.write_json(s3, clean_bucket, f"{SWEPT}{batch}.json", {"batch": batch, "swept_at": stamp})


def swept_batches(s3: Any, clean_bucket: str) -> set[str]:
    """The batches whose clean rows were deleted."""
    return {PurePosixPath(item["Key"]).stem for item in storage.objects(s3, clean_bucket, SWEPT)}


def _forget_set_aside(s3: Any, clean_bucket: str, identities: set[str]) -> None:
    """Delete what is noted of files that could not be read once, and are loaded now."""
    noted = [item["Key"] for item in storage.objects(s3, clean_bucket, SET_ASIDE)]
    loaded = [key for key in noted if PurePosixPath(key).stem.rpartition("-")[0] in identities]
    if loaded:
        storage.delete(s3, clean_bucket, loaded)


def _no_meter_file(name: str, size: int) -> str | None:
    """Why a file is no meter file, and what to do if it is one after all."""
    if name[0] in "._":
        return f"its name begins with {name[0]!r}, as those of hidden and unfinished files do. Rename it to load it."
    return None if size else "it is empty. Upload it again if it should hold readings."


def _overview(manifest: dict[str, Any]) -> dict[str, Any]:
    files = manifest["files"]
    return {"batch": manifest["batch"], "files": len(files), "bytes": sum(file["size"] for file in files)}
