"""An archive of the classes that Spark loads (Java's class data sharing), which halves Spark's start.

    python -m local_aws.glue.class_archive

makes it once, by a run of Spark that touches what the jobs touch. It lies beside the S3A jars and is named after all
that it depends on. Where it is missing or does not fit, Java goes on without it.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path

import pyspark

from local_aws.glue.java import java_home
from local_aws.settings import Settings

_WARM_UP = Path(__file__).with_name("class_archive_script.py")


def jars(settings: Settings) -> list[Path]:
    """The jars that Spark needs beside its own, in the order of the class path."""
    return sorted(_folder(settings).glob("*.jar"))


def empty_folder(settings: Settings) -> Path:
    """Spark's configuration folder: an archive needs one without files, and always the same."""
    folder = _folder(settings) / "conf"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def path(settings: Settings) -> Path:
    """Where the archive for this Java, this Spark and these jars lies or would lie."""
    parts = [str(java_home()), _release(java_home()), pyspark.__version__, str(Path(pyspark.__file__).parent)]
    parts += [f"{jar} {jar.stat().st_size}" for jar in jars(settings)]
    return _folder(settings) / f"spark-{hashlib.sha256(chr(10).join(parts).encode()).hexdigest()[:12]}.jsa"


def java_option(settings: Settings) -> str:
    """Java's options to use the archive; quiet when it is missing."""
    archive = path(settings)
    return f"-XX:SharedArchiveFile={archive} -Xlog:disable -Xlog:all=off" if archive.exists() else "-Xshare:auto"


def make(settings: Settings) -> Path:
    """Make the archive unless it exists. Raises subprocess.CalledProcessError when Spark does not run."""
    from local_aws.glue import spark

    archive = path(settings)
    if archive.exists():
        return archive
    with tempfile.TemporaryDirectory(dir=_folder(settings)) as name:
        folder = Path(name)
        written = folder / "spark.jsa"
        chosen = spark.options(settings, folder)
        chosen["spark.driver.extraJavaOptions"] += f" -XX:ArchiveClassesAtExit={written} -Xlog:disable -Xlog:all=off"
        # Nobody listens there: the classes are loaded, then the call fails at once.
        chosen["spark.hadoop.fs.s3a.endpoint"] = "http://127.0.0.1:1"
        chosen["spark.hadoop.fs.s3a.attempts.maximum"] = "1"
        chosen["spark.hadoop.fs.s3a.retry.limit"] = "1"
        environment = spark.environment(settings, folder, spark.write_configuration(chosen, folder))
        subprocess.run([settings.local_python, "-P", _WARM_UP, folder], env=environment, check=True, timeout=300)
        for old in _folder(settings).glob("spark-*.jsa"):
            old.unlink()
        written.replace(archive)
    return archive


def _folder(settings: Settings) -> Path:
    return settings.repository / "environments" / "jars"


def _release(home: Path) -> str:
    """What Java says of its own version, without starting it."""
    try:
        return (home / "release").read_text()
    except OSError:
        return str((home / "bin" / "java").stat().st_mtime_ns)


if __name__ == "__main__":
    print(f"Spark's class archive: {make(Settings.from_environment())}")
    sys.exit(0)
