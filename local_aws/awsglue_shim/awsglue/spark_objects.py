"""Spark's own objects of the JVM, made from Python."""

from __future__ import annotations

from typing import Any

from pyspark.sql import SparkSession
from pyspark.sql.types import StructType

SOURCES = "org.apache.spark.sql.execution.datasources"


class SparkObjects:
    """Makes what Spark's scans of files are made of, and the Scala values that they take."""

    def __init__(self, spark: SparkSession) -> None:
        assert spark._jvm is not None  # noqa: S101
        self._jvm = spark._jvm
        self._session = spark._jsparkSession

    def file_index(self, roots: list[Any], schema: StructType, key_schema: StructType, partitions: list[Any]) -> Any:
        """Spark's list of the files below the roots, which are the paths of the partitions, if there are keys."""
        specification = self._new(f"{SOURCES}.PartitionSpec", self.schema(key_schema), self._sequence(partitions))
        return self._new(
            f"{SOURCES}.InMemoryFileIndex",
            self._session,
            self._sequence(roots),
            self._mapping({}),
            self._some(self.schema(schema)),
            self._class(f"{SOURCES}.FileStatusCache").getOrCreate(self._session),
            self._some(specification),
            self._none(),
        )

    def relation(
        self, index: Any, key_schema: StructType, data_schema: StructType, file_format: str, options: dict[str, str]
    ) -> Any:
        """Spark's relation of the files of an index."""
        return self._new(
            f"{SOURCES}.HadoopFsRelation",
            index,
            self.schema(key_schema),
            self.schema(data_schema),
            self._none(),
            self._new(f"{SOURCES}.{file_format}"),
            self._mapping(options),
            self._session,
        )

    def partition(self, row: Any, key_schema: StructType) -> Any:
        """Spark's PartitionPath of an internal row that holds the values of the keys, then the location."""
        with_location = StructType([*key_schema]).add("location", "string")
        values = row.toSeq(self.schema(with_location)).dropRight(1)
        internal = self._jvm.org.apache.spark.sql.catalyst.InternalRow.fromSeq(values)
        return self._new(f"{SOURCES}.PartitionPath", internal, self.path(row.getString(len(key_schema))))

    def path(self, location: str) -> Any:
        """Hadoop's Path, written as its file system lists it."""
        path = self._jvm.org.apache.hadoop.fs.Path(location)
        return path.getFileSystem(self._session.sessionState().newHadoopConf()).makeQualified(path)

    def schema(self, schema: StructType) -> Any:
        return self._session.parseDataType(schema.json())

    def _class(self, name: str) -> Any:
        found: Any = self._jvm
        for part in name.split("."):
            found = getattr(found, part)
        return found

    def _new(self, name: str, *arguments: Any) -> Any:
        return self._class(name)(*arguments)

    def _sequence(self, items: list[Any]) -> Any:
        return self._jvm.org.apache.spark.api.python.PythonUtils.toSeq(items)

    def _mapping(self, items: dict[str, str]) -> Any:
        return self._jvm.org.apache.spark.api.python.PythonUtils.toScalaMap(items)

    def _some(self, item: Any) -> Any:
        return self._jvm.scala.Option.apply(item)

    def _none(self) -> Any:
        return self._jvm.scala.Option.empty()
