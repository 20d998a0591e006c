"""Deliveries in a folder: meter files written byte for byte, and what raw_to_clean makes of them."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import raw_to_clean
from transformers.zones import described, headers, time_settings
from transformers.zones.delivery import FIRST_BYTES, Layout, MeterFile
from transformers.zones.description import parsed

OFFICIAL = "LCLid,stdorToU,DateTime,KWH/hh (per half hour) "
WITH_ACORN = "LCLid,stdorToU,DateTime,KWH/hh (per half hour) ,Acorn,Acorn_grouped"
KAGGLE = "LCLid,tstp,energy(kWh/hh)"
DELIVERED_AT = "2015-06-01T12:00:00Z"


@dataclass(frozen=True)
class Cleaned:
    """What a delivery became: the summary, and where clean zone and quarantine lie."""

    summary: dict[str, Any]
    clean: Path
    quarantine: Path


def layouts_of(files: list[Path], delivered_at: str = DELIVERED_AT) -> tuple[list[MeterFile], list[Layout]]:
    """The files as a manifest lists them, and grouped as delivery.layouts does, without S3."""
    listed, grouped = [], {}
    for path in files:
        content = path.read_bytes()
        file = MeterFile(f"file://{path}", "etag", len(content), delivered_at)
        listed.append(file)
        grouped.setdefault(headers.first_line(content, path.name, complete=True), []).append(file)
    found = [Layout(line, headers.columns(line or ""), tuple(group)) for line, group in grouped.items()]
    return listed, found


def clean(spark: Any, zone: Path, files: list[Path], batch: str = "b1", delivered_at: str = DELIVERED_AT) -> Cleaned:
    """raw_to_clean but for its requests to S3."""
    listed, found = layouts_of(files, delivered_at)
    clean_folder, quarantine = zone / f"clean/batch={batch}", zone / f"quarantine/batch={batch}"
    known = raw_to_clean.known_layouts(found, "london")
    counts = raw_to_clean.convert(spark, listed, known, "london", f"file://{clean_folder}/", f"file://{quarantine}/")
    return Cleaned(raw_to_clean.summary(batch, counts), clean_folder, quarantine)


def clean_described(
    spark: Any, zone: Path, files: list[Path], batch: str = "b1", delivered_at: str = DELIVERED_AT, **description: Any
) -> Cleaned:
    """raw_to_clean of files that the transformer `default` reads, but for its requests to S3."""
    listed = [MeterFile(f"file://{path}", "etag", path.stat().st_size, delivered_at) for path in files]
    said = parsed(description, "the trigger form")
    time_settings.require_usable(spark, said)

    def first_bytes(file: MeterFile) -> bytes:
        return Path(file.uri.removeprefix("file://")).read_bytes()[:FIRST_BYTES]

    grouped = described.layouts(spark, listed, said, first_bytes)
    found: list[Layout] = [layout for layout in grouped if layout.line is not None]
    clean_folder, quarantine = zone / f"clean/batch={batch}", zone / f"quarantine/batch={batch}"
    counts = raw_to_clean.convert(spark, listed, found, "default", f"file://{clean_folder}/", f"file://{quarantine}/")
    return Cleaned(raw_to_clean.summary(batch, counts), clean_folder, quarantine)


def meter_file(path: Path, header: str, *lines: str, end: str = "\r\n") -> Path:
    """A file of these lines, each with its end; packed if its name says so."""
    content = "".join(f"{line}{end}" for line in (header, *lines)).encode()
    path.write_bytes(gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)
    return path
