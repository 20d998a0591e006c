"""How Spark runs here, in jobs that ask for it: its options, its Java options and the environment of its process.

Spark starts with a job's first SparkContext. A job that makes none starts no Java, needs none, and pays only for the
small files that are written here. Measured on 2 cores, CPU seconds of Spark's start: 10.1 with Java's defaults, 5.2
with the options below. A job's argument `--conf spark.driver.extraJavaOptions=...` is added behind and wins.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

from local_aws.glue.java import JavaNotFoundError, java_home
from local_aws.settings import HOST, Settings

SHIM = Path(__file__).resolve().parents[1] / "awsglue_shim"
# The variable by which a job's process knows what to say if it asks for Spark and there is no Java (driver.py).
NO_JAVA = "SPARK_HAS_NO_JAVA"
JAVA_OPTIONS = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:-UsePerfData"
# An empty file of profiles: a job takes its credentials from its environment, not from whoever runs the platform.
NO_PROFILES = "aws-profiles"
LOG_LAYOUT = """\
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.target = SYSTEM_ERR
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{yyyy-MM-dd HH:mm:ss}{UTC} %p %c{1}: %m%n%ex
# Says that the native library of Hadoop is missing: it always is.
logger.native.name = org.apache.hadoop.util.NativeCodeLoader
logger.native.level = error
# Says that there is no file of metrics settings.
logger.metrics.name = org.apache.hadoop.metrics2.impl.MetricsConfig
logger.metrics.level = error
"""


def options(settings: Settings, folder: Path) -> dict[str, str]:
    """Spark's properties for a process that works in `folder`, which must hold log4j2.properties."""
    java_options = [
        JAVA_OPTIONS,
        f"-Djava.io.tmpdir={folder}",
        f"-Dlog4j2.configurationFile=file:{folder / 'log4j2.properties'}",
        f"-Duser.timezone=UTC -Dderby.system.home={folder}",
    ]
    return {
        "spark.master": f"local[{settings.spark_cores}]",
        "spark.driver.memory": settings.spark_driver_memory,
        "spark.driver.host": HOST,
        "spark.driver.bindAddress": HOST,
        "spark.driver.extraJavaOptions": " ".join(java_options),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": str(4 * settings.spark_cores),
        "spark.sql.adaptive.enabled": "true",
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.hadoop.mapreduce.fileoutputcommitter.algorithm.version": "2",
    }


def with_conf_argument(spark_options: Mapping[str, str], conf: str) -> dict[str, str]:
    """The options overridden by a job's --conf, written as Glue takes it: `a=1 --conf b=2`.

    Java options are added to ours. Raises ValueError for a word that is no assignment.
    """
    changed = dict(spark_options)
    for word in shlex.split(conf):
        if word == "--conf":
            continue
        name, sign, value = word.partition("=")
        if not sign:
            raise ValueError(f"--conf must read name=value [--conf name=value …], not {conf!r}")
        changed[name] = f"{changed[name]} {value}" if name == "spark.driver.extraJavaOptions" else value
    return changed


def write_configuration(spark_options: Mapping[str, str], folder: Path) -> Path:
    """Write the properties and the layout of the log into `folder`; returns the path of the properties."""
    (folder / "log4j2.properties").write_text(LOG_LAYOUT)
    (folder / NO_PROFILES).touch()
    path = folder / "spark.properties"
    path.write_text("".join(f"{name} {value}\n" for name, value in spark_options.items()))
    return path


def environment(settings: Settings, folder: Path, properties: Path) -> dict[str, str]:
    """Returns the variables of a process that speaks to this stack by boto3 and may start Spark by pyspark."""
    return {
        **settings.aws_environment(),
        "AWS_CONFIG_FILE": str(folder / NO_PROFILES),
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / NO_PROFILES),
        **_java(settings),
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONPATH": str(SHIM),
        "PYTHONUNBUFFERED": "1",
        "PYSPARK_PYTHON": str(settings.glue_python),
        "PYSPARK_DRIVER_PYTHON": str(settings.glue_python),
        "PYSPARK_SUBMIT_ARGS": f"--properties-file {shlex.quote(str(properties))} pyspark-shell",
        "SPARK_LOCAL_DIRS": str(folder / "local"),
        "SPARK_LOCAL_IP": HOST,
    }


def _java(settings: Settings) -> dict[str, str]:
    path = "/usr/local/bin:/usr/bin:/bin"
    try:
        home = java_home(settings.glue_environment)
    except JavaNotFoundError as error:
        # Spark would start whatever Java is in the path.
        return {"PATH": path, "JAVA_HOME": "/no-java-17", NO_JAVA: str(error)}
    return {"PATH": f"{home / 'bin'}:{path}", "JAVA_HOME": str(home)}
