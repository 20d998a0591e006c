"""An archive of the classes that Spark loads (Java's class data sharing), which halves Spark's start.

The predecessor's jobs are measured with it, so that they are not charged for what a careful owner would save. A run of
Spark that touches what those jobs touch makes it. It lies in .local/benchmarks, and another Java or another Spark has
another one.
"""

from __future__ import annotations

import hashlib
import subprocess
import tempfile
from pathlib import Path

from benchmarks.load import process_tree
from local_aws.glue import spark
from local_aws.glue.java import java_home
from local_aws.settings import Settings

_WARM_UP = Path(__file__).with_name("class_archive_script.py")
_SECONDS = 300


def made(settings: Settings) -> Path:
    """Returns the archive, made if it does not exist yet. Raises CalledProcessError if Spark does not run."""
    folder = settings.repository / ".local" / "benchmarks"
    folder.mkdir(parents=True, exist_ok=True)
    archive = folder / f"spark-{_fingerprint(settings)}.jsa"
    if archive.exists():
        return archive
    with tempfile.TemporaryDirectory(dir=folder) as name:
        written = Path(name) / "spark.jsa"
        chosen = spark.options(settings, Path(name))
        chosen["spark.driver.extraJavaOptions"] += f" -XX:ArchiveClassesAtExit={written} -Xlog:disable -Xlog:all=off"
        environment = spark.environment(settings, Path(name), spark.write_configuration(chosen, Path(name)))
        command = [settings.glue_python, "-P", _WARM_UP, name]
        subprocess.run(command, env=environment, check=True, timeout=_SECONDS, stdout=subprocess.DEVNULL)
        # Java may end after Python; the next measurement would count it.
        process_tree.wait_for_orphans()
        written.replace(archive)
    return archive


def _fingerprint(settings: Settings) -> str:
    """Returns what tells archives apart: the Java and the Spark that they are made by."""
    home = java_home(settings.glue_environment)
    parts = [str(home), str((home / "bin" / "java").stat().st_mtime_ns)]
    parts += sorted(map(str, settings.glue_environment.glob("lib/python3.*/site-packages/pyspark-*.dist-info")))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]
