"""A catalog table as a relation of DuckDB: its files on S3 with the values of their partitions as columns."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlparse

from local_aws.athena.catalog import Column, Partition, Table
from local_aws.athena.errors import QueryError
from local_aws.athena.pruning import identifier, text

_FILE = "partition_file"


class Sources:
    """Makes relations; lists files with the S3 client that it is given."""

    def __init__(self, s3: Any) -> None:
        self._s3 = s3

    def relation(self, table: Table, partitions: list[Partition]) -> str:
        """A SELECT that gives the table's columns in their order. Raises QueryError for a format it cannot read."""
        files = {file: partition.values for partition in partitions for file in self._files(partition.location)}
        if not files:
            empty = ", ".join(
                f"CAST(NULL AS {column.duckdb_type}) AS {identifier(column.name)}" for column in table.all_columns
            )
            return f"SELECT {empty} WHERE FALSE"
        reader, columns = _reader(table, list(files))
        if not table.partition_keys:
            return f"SELECT {', '.join(columns)} FROM {reader} AS files"  # noqa: S608 (every part is quoted)
        keys = table.partition_keys
        rows = ", ".join(
            f"({text(file)}, {', '.join(text(value) for value in values)})" for file, values in files.items()
        )
        names = ", ".join(identifier(key.name) for key in keys)
        typed = [
            f"CAST(published.{identifier(key.name)} AS {key.duckdb_type}) AS {identifier(key.name)}" for key in keys
        ]
        published = f"(VALUES {rows}) AS published({_FILE}, {names})"
        return (
            f"SELECT {', '.join([*columns, *typed])} FROM {reader} AS files"  # noqa: S608 (every part is quoted)
            f" JOIN {published} ON files.filename = published.{_FILE}"
        )

    def _files(self, location: str) -> list[str]:
        """All objects below a folder but hidden and empty ones, as Athena reads them."""
        where = urlparse(location)
        if where.scheme != "s3":
            raise QueryError(f"HIVE_METASTORE_ERROR: {location!r} is no location on S3")
        prefix = where.path.lstrip("/")
        prefix = prefix if not prefix or prefix.endswith("/") else f"{prefix}/"
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=where.netloc, Prefix=prefix)
        return [
            f"s3://{where.netloc}/{item['Key']}"
            for page in pages
            for item in page.get("Contents", [])
            if item["Size"] > 0 and not any(part[:1] in ("_", ".") for part in item["Key"][len(prefix) :].split("/"))
        ]


def _reader(table: Table, files: list[str]) -> tuple[str, list[str]]:
    """DuckDB's table function for the files, and the expressions of the table's own columns."""
    listed = f"[{', '.join(text(file) for file in files)}]"
    if "parquet" in f"{table.input_format} {table.serde}".lower():
        return _parquet(table, listed)
    if "TextInputFormat" in table.input_format and table.serde.endswith(("OpenCSVSerde", "LazySimpleSerDe")):
        return _csv(table, listed)
    raise QueryError(
        f"NOT_SUPPORTED: local_aws reads Parquet and CSV; {table.database}.{table.name} has {table.serde or 'no SerDe'}"
    )


def _parquet(table: Table, files: str) -> tuple[str, list[str]]:
    """Columns go by name, as in Athena; one that a file does not have is null."""
    schema = ", ".join(
        f"{text(column.name)}: {{name: {text(column.name)}, type: {text(column.duckdb_type)}, default_value: NULL}}"
        for column in table.columns
    )
    reader = f"read_parquet({files}, filename = true, schema = MAP {{{schema}}})"
    return reader, [f"files.{identifier(column.name)}" for column in table.columns]


def _csv(table: Table, files: str) -> tuple[str, list[str]]:
    """All columns are read as text; what is no value of its column's type is null, as LazySimpleSerDe has it."""
    given = table.serde_parameters
    quoted = table.serde.endswith("OpenCSVSerde")
    delimiter = given.get("separatorChar") or given.get("field.delim") or ("," if quoted else "\x01")
    names = [f"{text(column.name)}: 'VARCHAR'" for column in table.columns]
    options = [
        "auto_detect = false",
        "header = false",
        f"skip = {int(table.parameters.get('skip.header.line.count', '0'))}",
        f"delim = {text(delimiter)}",
        f"quote = {text(given.get('quoteChar', chr(34)) if quoted else '')}",
        f"escape = {text(given.get('quoteChar', chr(34)) if quoted else '')}",
        "null_padding = true",
        "strict_mode = false",
        "filename = true",
        f"columns = {{{', '.join(names)}}}",
    ]
    return f"read_csv({files}, {', '.join(options)})", [_typed(column) for column in table.columns]


def _typed(column: Column) -> str:
    name = identifier(column.name)
    if column.duckdb_type == "TEXT":
        return f"files.{name}"
    return f"TRY_CAST(files.{name} AS {column.duckdb_type}) AS {name}"
