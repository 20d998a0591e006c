"""`awsglue.context.GlueContext`: a Spark session that can read tables of the Glue Data Catalog."""

from __future__ import annotations

import logging
from typing import Any

from pyspark import SparkContext
from pyspark.sql import DataFrame, SparkSession

from awsglue.catalog_table import CatalogTable


class GlueContext:
    """What a script makes of its SparkContext: `glue_context = GlueContext(SparkContext.getOrCreate())`."""

    def __init__(self, spark_context: SparkContext, **options: Any) -> None:
        self.spark_context = spark_context
        self.spark_session = SparkSession.builder.getOrCreate()
        self.create_data_frame = _DataFrameReader(self)

    def get_logger(self) -> logging.Logger:
        """info, warn and error, written to the error stream of the run as Glue's logger is."""
        logger = logging.getLogger("GlueLogger")
        if not logger.handlers:
            handler = logging.StreamHandler()
            handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
            logger.addHandler(handler)
            logger.setLevel(logging.INFO)
        return logger

    def create_data_frame_from_catalog(
        self,
        database: str,
        table_name: str,
        redshift_tmp_dir: str = "",
        transformation_ctx: str = "",
        push_down_predicate: str = "",
        additional_options: dict[str, Any] | None = None,
        catalog_id: str | None = None,
        **_: Any,
    ) -> DataFrame:
        """The table's rows: its columns, then its partition keys, typed as the catalog says.

        `push_down_predicate` is Spark SQL over partition keys; only the partitions that match are listed and read,
        each from its own location. One that names another column fails, as it does in Glue: filter the frame instead.
        `catalogPartitionPredicate` in additional_options is a condition for GetPartitions itself.
        """
        table = CatalogTable(database, table_name, catalog_id)
        expression = (additional_options or {}).get("catalogPartitionPredicate", "")
        return table.read(self.spark_session, push_down_predicate, expression)


class _DataFrameReader:
    """`glue_context.create_data_frame.from_catalog(database=…, table_name=…)`."""

    def __init__(self, glue_context: GlueContext) -> None:
        self._glue_context = glue_context

    def from_catalog(self, database: str, table_name: str, **options: Any) -> DataFrame:
        return self._glue_context.create_data_frame_from_catalog(database, table_name, **options)
