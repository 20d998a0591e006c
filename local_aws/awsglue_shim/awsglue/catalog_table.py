"""A table of the Glue Data Catalog as a Spark frame.

The partitions go to Spark as it gets those of a Hive table: each with its values and its own location, which may lie
anywhere. So one scan reads any number of partitions, Spark prunes them further by later filters, and no value is read
from a path. The classes used are Spark's own of 3.5, by way of its JVM.
"""

from __future__ import annotations

from typing import Any

import boto3
from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructType, _parse_datatype_string

from awsglue.spark_objects import SparkObjects

_FORMATS = {
    "parquet": "parquet.ParquetFileFormat",
    "csv": "csv.CSVFileFormat",
    "json": "json.JsonFileFormat",
    "orc": "orc.OrcFileFormat",
}


class CatalogTable:
    """Read by the Glue API when it is made: GetTable, and GetPartitions at each read."""

    def __init__(self, database: str, name: str, catalog_id: str | None = None) -> None:
        self._glue = boto3.client("glue")
        self._place = {"DatabaseName": database} | ({"CatalogId": catalog_id} if catalog_id else {})
        self._table = self._glue.get_table(**self._place, Name=name)["Table"]
        self.name = f"{database}.{name}"
        self._columns = self._table["StorageDescriptor"].get("Columns", [])
        self._keys = self._table.get("PartitionKeys", [])

    def read(self, spark: SparkSession, predicate: str = "", expression: str = "") -> DataFrame:
        """A frame of all columns and partition keys; without rows when no partition matches.

        Raises AnalysisException for a predicate that names more than partition keys.
        """
        objects = SparkObjects(spark)
        data_schema, key_schema = _schema(self._columns), _schema(self._keys)
        partitions = []
        if self._keys:
            rows = self._matching(spark, key_schema, predicate, self._partitions(expression))
            partitions = [objects.partition(row, key_schema) for row in rows]
            roots = [partition.path() for partition in partitions]
        elif predicate:
            raise AnalysisException(_unresolved(predicate, key_schema, self.name))
        else:
            roots = [objects.path(self._table["StorageDescriptor"]["Location"])]
        index = objects.file_index(roots, StructType([*data_schema, *key_schema]), key_schema, partitions)
        file_format = self._format()
        relation = objects.relation(index, key_schema, data_schema, _FORMATS[file_format], self._options(file_format))
        return DataFrame(spark._jsparkSession.baseRelationToDataFrame(relation), spark)

    def _partitions(self, expression: str) -> list[dict[str, Any]]:
        wanted = self._place | {"TableName": self._table["Name"], "ExcludeColumnSchema": True}
        wanted |= {"Expression": expression} if expression else {}
        pages = self._glue.get_paginator("get_partitions").paginate(**wanted)
        return [partition for page in pages for partition in page["Partitions"]]

    def _matching(
        self, spark: SparkSession, schema: StructType, predicate: str, partitions: list[dict[str, Any]]
    ) -> list[Any]:
        """Rows of Spark's own (the key values, then the location) of the partitions that match, typed by the schema."""
        values = [[*partition["Values"], partition["StorageDescriptor"]["Location"]] for partition in partitions]
        # With no partition at all the predicate is still checked.
        rows = ", ".join(f"({', '.join(map(_literal, row))})" for row in values or [[None] * (len(schema) + 1)])
        names = [f"`{field.name}`" for field in schema]
        aliases = ", ".join([*names, "`the location`"])
        casts = ", ".join(f"CAST(`{field.name}` AS {field.dataType.simpleString()})" for field in schema)
        raw = f"VALUES {rows} AS raw({aliases}) WHERE `the location` IS NOT NULL"
        keys = f"SELECT {casts}, `the location` FROM {raw}"  # noqa: S608
        try:
            found = spark.sql(f"SELECT * FROM ({keys}) AS typed({aliases}) WHERE {predicate or 'true'}")  # noqa: S608
        except AnalysisException as error:
            reason = str(error).partition("\n")[0]
            raise AnalysisException(f"{_unresolved(predicate, schema, self.name)}: {reason}") from error
        return list(found._jdf.queryExecution().executedPlan().executeCollect())

    def _format(self) -> str:
        descriptor = self._table["StorageDescriptor"]
        library = descriptor.get("SerdeInfo", {}).get("SerializationLibrary", "")
        known = self._table.get("Parameters", {}).get("classification") or library
        for name in _FORMATS:
            if name in known.lower():
                return name
        if library.endswith("LazySimpleSerDe"):
            return "csv"
        raise NotImplementedError(
            f"{self.name} is of the format {known or 'unknown'}; read here: {', '.join(_FORMATS)}"
        )

    @staticmethod
    def _delimiter(given: dict[str, str]) -> str:
        return given.get("separatorChar") or given.get("field.delim") or given.get("delimiter") or ","

    def _options(self, file_format: str) -> dict[str, str]:
        """What the reader of text must know: header and delimiter, as a crawler or a declaration stores them."""
        if file_format != "csv":
            return {}
        given = self._table["StorageDescriptor"].get("SerdeInfo", {}).get("Parameters", {})
        given = given | self._table.get("Parameters", {})
        return {"sep": self._delimiter(given), "header": str(given.get("skip.header.line.count", "0") != "0").lower()}


def _schema(columns: list[dict[str, str]]) -> StructType:
    """All columns by one call of Spark's parser: a call takes milliseconds."""
    if not columns:
        return StructType()
    named = ", ".join(f"`{column['Name'].replace('`', '``')}` {column.get('Type', 'string')}" for column in columns)
    schema = _parse_datatype_string(named)
    assert isinstance(schema, StructType)  # noqa: S101
    return schema


def _literal(value: str | None) -> str:
    if value is None:
        return "NULL"
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _unresolved(predicate: str, keys: StructType, table: str) -> str:
    """In Glue's words."""
    names = ", ".join(field.name for field in keys)
    return f"User's pushdown predicate: {predicate} can not be resolved against partition columns: [{names}] of {table}"
