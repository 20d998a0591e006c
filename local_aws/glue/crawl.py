"""One crawl: lists objects below a location, reads their headers, says what table and partitions they make.

Folders named key=value become partition keys, as do other folders when all files lie equally deep (partition_0, …).
What begins with a dot or an underscore, and what is empty, is no data. All files of one location make one table: the
grouping policy CombineCompatibleSchemas.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from local_aws.glue.schemas import Columns, FileSchema, UnreadableFileError, merged, read_schema

MOST_HEADERS = 200
READERS = 8


@dataclass(frozen=True)
class FoundPartition:
    """Values in the order of the keys, the location with a slash at its end, the columns of its files."""

    values: tuple[str, ...]
    location: str
    columns: Columns


@dataclass(frozen=True)
class FoundTable:
    """What lies below a location. `sizes` are bytes in all, objects."""

    location: str
    schema: FileSchema
    keys: tuple[str, ...]
    partitions: list[FoundPartition] = field(default_factory=list)
    bytes: int = 0
    objects: int = 0


def crawl(
    s3: Any,
    location: str,
    exclusions: Sequence[str] = (),
    report: Callable[[str], None] = print,
    classification: str | None = None,
) -> FoundTable | None:
    """The table below a location, or None when there is no data. A file of an unknown format is reported and left out;
    so is one of another format than `classification`, that of a table that is there already.

    Raises UnreadableFileError when files of different formats lie together, botocore's ClientError when S3 refuses.
    """
    place = urlsplit(location)
    bucket, prefix = place.netloc, place.path.lstrip("/")
    prefix = prefix if not prefix or prefix.endswith("/") else f"{prefix}/"
    patterns = [_glob(pattern) for pattern in exclusions]
    sizes: dict[str, int] = {}
    for listed in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for item in listed.get("Contents", []):
            name = item["Key"].removeprefix(prefix)
            if item["Size"] and not _hidden(name) and not any(pattern.fullmatch(name) for pattern in patterns):
                sizes[name] = item["Size"]
    if not sizes:
        return None
    keys = _partition_keys(list(sizes))
    folders: dict[tuple[str, ...], list[str]] = {}
    for name in sizes:
        folders.setdefault(tuple(name.split("/")[: len(keys)]), []).append(name)
    schemas = _read(s3, bucket, prefix, folders, report, classification)
    if not schemas:
        return None
    whole = _combined([schema for found in schemas.values() for schema in found])
    partitions = [
        FoundPartition(
            tuple(unquote(name.partition("=")[2]) if "=" in name else name for name in folder),
            f"s3://{bucket}/{prefix}{'/'.join(folder)}/",
            _combined(schemas[folder]).columns if schemas.get(folder) else whole.columns,
        )
        for folder in sorted(folders)
        if keys
    ]
    return FoundTable(f"s3://{bucket}/{prefix}", whole, keys, partitions, sum(sizes.values()), len(sizes))


def _read(
    s3: Any,
    bucket: str,
    prefix: str,
    folders: dict[tuple[str, ...], list[str]],
    report: Callable[[str], None],
    classification: str | None,
) -> dict[tuple[str, ...], list[FileSchema]]:
    """Schemas by folder: of several files of each folder, of one where there are many, of the last folders only where
    there are more than MOST_HEADERS."""
    each = max(1, MOST_HEADERS // len(folders))
    last = sorted(folders.items())[-MOST_HEADERS:]
    chosen = [(folder, name) for folder, names in last for name in sorted(names)[:each]]

    def read(name: str) -> FileSchema | None:
        try:
            schema = read_schema(s3, bucket, prefix + name)
        except UnreadableFileError as error:
            report(f"Unknown classification: {error}")
            return None
        if classification not in (None, schema.classification):
            report(f"{name} is {schema.classification}, the table is {classification}: left out")
            return None
        return schema

    with ThreadPoolExecutor(READERS) as pool:
        schemas = list(pool.map(read, [name for _, name in chosen]))
    found: dict[tuple[str, ...], list[FileSchema]] = {}
    for (folder, _), schema in zip(chosen, schemas, strict=True):
        if schema is not None:
            found.setdefault(folder, []).append(schema)
    return found


def _combined(schemas: list[FileSchema]) -> FileSchema:
    first = schemas[0]
    kinds = {schema.classification for schema in schemas}
    if len(kinds) > 1:
        raise UnreadableFileError(f"files of several formats lie together: {', '.join(sorted(kinds))}")
    columns: Columns = {}
    for schema in schemas:
        columns = merged(columns, schema.columns)
    return FileSchema(first.classification, columns, first.delimiter, first.header, first.compression)


def _partition_keys(names: list[str]) -> tuple[str, ...]:
    paths = [name.split("/")[:-1] for name in names]
    depths = {len(path) for path in paths}
    if depths == {0} or len(depths) > 1:
        return ()
    keys = []
    for level, folders in enumerate(zip(*paths, strict=True)):
        named = {folder.partition("=")[0] for folder in folders if "=" in folder}
        keys.append(named.pop().lower() if len(named) == 1 else f"partition_{level}")
    return tuple(keys)


def _hidden(name: str) -> bool:
    return any(part.startswith((".", "_")) for part in name.split("/")) or name.endswith("/")


def _glob(pattern: str) -> re.Pattern[str]:
    """Glue's patterns: * within a folder, ** across, ? one character, {a,b} and [ab] choices."""
    translated, depth, i = "", 0, 0
    while i < len(pattern):
        character = pattern[i]
        if pattern.startswith("**", i):
            translated, i = f"{translated}.*", i + 1
        elif character == "*":
            translated += "[^/]*"
        elif character == "?":
            translated += "[^/]"
        elif character == "{":
            translated, depth = f"{translated}(?:", depth + 1
        elif character == "}" and depth:
            translated, depth = f"{translated})", depth - 1
        elif character == "," and depth:
            translated += "|"
        elif character in "[]":
            translated += character
        elif character == "!" and translated.endswith("["):
            translated += "^"
        else:
            translated += re.escape(character)
        i += 1
    return re.compile(translated, re.DOTALL)
