"""Deliveries in a folder: meter files written byte for byte, and what raw_to_clean makes of them."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import raw_to_clean
from meter_data.cleaning import clean_zone, quarantine
from meter_data.lake import clean_row_groups, summaries
from meter_data.lake.clean_row_groups import CleanRowGroup
from meter_data.meter_files import manifest
from meter_data.meter_files.manifest import MeterFile

from tests.glue.folder_store import FolderStore

OFFICIAL = "LCLid,stdorToU,DateTime,KWH/hh (per half hour) "
WITH_ACORN = "LCLid,stdorToU,DateTime,KWH/hh (per half hour) ,Acorn,Acorn_grouped"
KAGGLE = "LCLid,tstp,energy(kWh/hh)"
DELIVERED_AT = "2015-06-01T12:00:00Z"
BATCH = "b1"
NEVER_SPREAD = 1_000_000_000


@dataclass(frozen=True)
class Cleaned:
    """What a delivery became."""

    store: FolderStore
    batch: str

    @property
    def summary(self) -> dict[str, Any]:
        return self.store.read_json(summaries.summary_uri("clean", self.batch, raw_to_clean.JOB))

    @property
    def groups(self) -> list[CleanRowGroup]:
        """The list of the row groups of the clean zone."""
        return clean_row_groups.read(self.store, summaries.row_groups_uri("clean", self.batch))

    def clean_files(self) -> list[str]:
        """The names of the files in the clean zone."""
        return [uri.rpartition("/")[2] for uri in self.store.parquet_files(clean_zone.folder("clean", self.batch))]

    def readings(self) -> pa.Table:
        """All rows of the clean zone, file by file, as they lie there."""
        return self._table(clean_zone.folder("clean", self.batch))

    def rejects(self) -> pa.Table:
        """All rows of the quarantine, file by file, as they lie there."""
        return self._table(quarantine.folder("clean", self.batch))

    def reasons(self) -> list[tuple[str, str]]:
        """Reason and line of what lies in quarantine, sorted."""
        return sorted((row["reason"], row["line"]) for row in self.rejects().to_pylist())

    def _table(self, folder: str) -> pa.Table:
        tables = [self.store.read_parquet(uri) for uri in self.store.parquet_files(folder)]
        return pa.concat_tables(tables).unify_dictionaries() if tables else pa.table({})


def clean(
    root: Path,
    files: Mapping[str, bytes],
    transformer: str = "london",
    *,
    batch: str = BATCH,
    delivered_at: str = DELIVERED_AT,
    beside: Mapping[str, bytes] | None = None,
    spread_above_rows: int = NEVER_SPREAD,
    **description: Any,
) -> Cleaned:
    """Delivers files by their names below readings/, all uploaded at once, and cleans them.

    `beside` are files that are no meter files; a _transformer.json counts for its folder. `description` is what the
    trigger form says.
    """
    store = FolderStore(root)
    for name, content in {**files, **(beside or {})}.items():
        store.write(f"s3://landing/readings/{name}", content)
    listed = [
        manifest_file(name, content, delivered_at, _described_by(name, beside or {})) for name, content in files.items()
    ]
    return clean_listed(store, listed, transformer, batch, description, spread_above_rows)


def clean_listed(
    store: FolderStore,
    listed: list[dict[str, Any]],
    transformer: str = "london",
    batch: str = BATCH,
    description: dict[str, Any] | None = None,
    spread_above_rows: int = NEVER_SPREAD,
) -> Cleaned:
    """Cleans files that lie in the store already, as a manifest lists them."""
    uri = f"s3://clean/_manifests/{batch}.json"
    store.write_json(uri, {"batch": batch, "files": listed, "description": description or {}})
    delivery = manifest.read(store, uri, batch)
    connect = StoreOf(store.root)
    raw_to_clean.convert(store, delivery, transformer, "clean", batch, spread_above_rows, connect)
    return Cleaned(store, batch)


def manifest_file(
    name: str, content: bytes, delivered_at: str = DELIVERED_AT, described_by: str | None = None
) -> dict[str, Any]:
    """A file as a manifest lists it."""
    etag = hashlib.md5(content, usedforsecurity=False).hexdigest()
    entry = {
        "uri": f"s3://landing/readings/{name}",
        "key": f"readings/{name}",
        "etag": etag,
        "size": len(content),
        "delivered_at": delivered_at,
    }
    return entry | ({"described_by": described_by} if described_by else {})


def meter_file(content: bytes, name: str = "a.csv", delivered_at: str = DELIVERED_AT) -> MeterFile:
    """A file as jobs know it."""
    etag = hashlib.md5(content, usedforsecurity=False).hexdigest()
    delivered = round(datetime.fromisoformat(delivered_at).timestamp() * 1000)
    return MeterFile(f"s3://landing/readings/{name}", etag, len(content), delivered)


def text_of(header: str, *lines: str, end: str = "\r\n") -> bytes:
    """A file of these lines, each with its end."""
    return "".join(f"{line}{end}" for line in (header, *lines)).encode()


def packed(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


@dataclass(frozen=True)
class StoreOf:
    """Gives each item a store of its own, in Spark's processes too."""

    root: Path

    def __call__(self) -> FolderStore:
        return FolderStore(self.root)


def _described_by(name: str, beside: Mapping[str, bytes]) -> str | None:
    folder = name.rpartition("/")[0]
    description = f"{folder}/_transformer.json" if folder else "_transformer.json"
    return f"s3://landing/readings/{description}" if description in beside else None
