"""One Spark session for all tests of the Glue scripts, and frames of rows written by hand."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
# C1 alone and one thread of garbage collection: tests are over before anything more pays.
JAVA_OPTIONS = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:-UsePerfData -Duser.timezone=UTC"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents and "spark" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)
            # pyspark leaves the sockets of its answers to the garbage collector.
            item.add_marker(pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"))


@pytest.fixture(autouse=True)
def collected_sockets(request: pytest.FixtureRequest) -> Iterator[None]:
    """Such a socket is collected within the test that made it, where its warning is expected."""
    yield
    if "spark" in request.fixturenames:
        gc.collect()


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A session as a job has it, after the jobs' own settings."""
    from pyspark.sql import SparkSession
    from transformers.zones.session import configure

    from local_aws.glue.java import java_home

    folder = tmp_path_factory.mktemp("spark")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAVA_HOME", str(java_home(Path(sys.prefix))))
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        patch.delenv("SPARK_HOME", raising=False)
        settings = {
            "spark.driver.memory": "1g",
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.driver.extraJavaOptions": f"{JAVA_OPTIONS} -Dderby.system.home={folder}",
            "spark.ui.enabled": "false",
            "spark.ui.showConsoleProgress": "false",
            "spark.sql.shuffle.partitions": "2",
            "spark.sql.warehouse.dir": str(folder / "warehouse"),
            "spark.local.dir": str(folder / "local"),
        }
        builder = SparkSession.builder.master("local[2]").appName("tests of the Glue scripts")
        session = builder.config(map=settings).getOrCreate()
        session.sparkContext.setLogLevel("ERROR")
        # pyspark keeps the process of the JVM and its socket until Python ends.
        gateway = session.sparkContext._gateway
        yield configure(session)
        session.stop()
        gateway.shutdown()
        gateway.proc.stdin.close()
        gateway.proc.wait(timeout=30)


@pytest.fixture
def frame(spark: Any) -> Callable[..., Any]:
    """frame("meter_id string, value double", ("MAC1", 0.5), …); a timestamp is given as text, UTC."""

    def make(schema: str, *rows: tuple[Any, ...]) -> Any:
        from pyspark.sql import functions as sql

        columns = [column.split() for column in schema.split(",")]
        as_text = ", ".join(f"{name} {'string' if kind == 'timestamp' else kind}" for name, kind in columns)
        made = spark.createDataFrame(list(rows), as_text)
        for name, kind in columns:
            if kind == "timestamp":
                made = made.withColumn(name, sql.to_timestamp(name))
        return made

    return make


@pytest.fixture
def rows() -> Callable[..., list[tuple[Any, ...]]]:
    """rows(frame, "meter_id", "value"): the rows of a frame, sorted; a timestamp as text, UTC."""

    def collect(frame: Any, *columns: str) -> list[tuple[Any, ...]]:
        chosen = frame.select(*columns) if columns else frame
        texts = [f"CAST(`{name}` AS string)" if kind == "timestamp" else f"`{name}`" for name, kind in chosen.dtypes]
        found = [tuple(row) for row in chosen.selectExpr(*texts).collect()]
        return sorted(found, key=lambda row: [(value is None, value) for value in row])

    return collect


@pytest.fixture
def folder(tmp_path: Path) -> str:
    """A new folder as Spark names it."""
    return f"file://{tmp_path}"
