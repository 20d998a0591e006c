"""Make the Python environments of the project and fetch what they need, from nothing.

    python3 environments/set_up.py [tools|benchmarks]

`.venv` mirrors the image of Amazon MWAA (Airflow and providers under its constraints); `.venv-glue` has what Glue has,
and runs the jobs; `.venv-local` holds the engines of the local stand-in and the test tools. Named in addition: `tools`
makes `.venv-tools` with the SageMaker SDK, which cannot live beside Airflow; `benchmarks` adds to `.venv-local` what
the benchmarks compare with. The standard library alone runs this file, on Python 3.11 or 3.12. A step whose inputs did
not change since it last succeeded is passed over, so that calling it again costs nothing and a broken download is
mended by calling it again.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENTS = ROOT / "environments"
AIRFLOW = ROOT / ".venv"
LOCAL = ROOT / ".venv-local"
GLUE = ROOT / ".venv-glue"
TOOLS = ROOT / ".venv-tools"
WHEELS = ENVIRONMENTS / "wheels"
CONSTRAINTS = ROOT / "dags" / "constraints-3.2.1-py3.12.txt"

UV = "uv==0.13.9"
# The Python of Glue 5.0.
GLUE_VERSION = "3.11"
# What Glue's machines install: Amazon Linux 2023, whose C library is 2.34.
GLUE_PLATFORMS = ("manylinux_2_28_x86_64", "manylinux2014_x86_64")
# With Python 3.12: about 8.2 GB of environments and wheels, 5 GB of them torch with its GPU libraries (some package
# indexes offer a smaller torch for 3.11). The rest is for the packages that pip holds while it unpacks them.
FREE_DISK_GB = 11
VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
# The heading in glue.in.
BRING_ALONG = "# What Glue does not have and the jobs bring along"


@dataclass(frozen=True)
class PythonForGlue:
    """The program that makes .venv-glue, and its version, like "3.11"."""

    program: str
    version: str


class SetUpError(Exception):
    """A step failed; the message says which and what to do."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("extra", nargs="?", choices=["tools", "benchmarks"], help="what to make in addition")
    extra = parser.parse_args().extra
    try:
        check_machine()
        for folder in (LOCAL, AIRFLOW, TOOLS):
            forget_other_python(folder, VERSION)
        of_glue = python_for_glue()
        forget_other_python(GLUE, of_glue.version)
        step("package installer", LOCAL / ".uv", [UV, VERSION], install_uv)
        inputs = [read(ENVIRONMENTS / "airflow.in"), read(ROOT / "requirements.txt"), read(CONSTRAINTS), VERSION]
        step("Airflow environment (.venv)", AIRFLOW / ".set-up", inputs, install_airflow)
        step("engine of DeepAR (torch)", LOCAL / ".torch", [read(ENVIRONMENTS / "torch.txt"), VERSION], install_torch)
        resolution = [read(ENVIRONMENTS / "local.txt"), VERSION]
        step("engine environment (.venv-local)", LOCAL / ".set-up", resolution, install_local)
        of_jobs = [read(ENVIRONMENTS / "glue.txt"), of_glue.version]
        step("environment of the Glue jobs (.venv-glue)", GLUE / ".set-up", of_jobs, partial(install_glue, of_glue))
        step("wheels that the Glue jobs bring along", WHEELS / ".set-up", bring_along(), fetch_wheels)
        if extra == "tools":
            inputs = [read(ENVIRONMENTS / "tools.txt"), VERSION]
            step("SageMaker SDK (.venv-tools)", TOOLS / ".set-up", inputs, install_tools)
        if extra == "benchmarks":
            inputs = [*resolution, read(ENVIRONMENTS / "benchmarks.txt")]
            step("what the benchmarks compare with", LOCAL / ".benchmarks", inputs, install_benchmarks)
    except SetUpError as error:
        print(f"\nset-up stopped: {error}", file=sys.stderr)
        return 1
    return 0


def check_machine() -> None:
    if not (3, 11) <= sys.version_info[:2] <= (3, 12):
        raise SetUpError(
            f"Python 3.11 or 3.12 is needed, this is {sys.version.split()[0]}. Install one of them and name it: "
            "make set-up PYTHON=/path/to/python3.12"
        )
    free_gb = shutil.disk_usage(ROOT).free / 1e9
    if not (LOCAL / ".set-up").exists() and free_gb < FREE_DISK_GB:
        raise SetUpError(
            f"{free_gb:.1f} GB of disk are free, {FREE_DISK_GB} GB are needed. Free some and run it again."
        )


def step(title: str, stamp: Path, inputs: list[str], action: Callable[[], None]) -> None:
    """Run `action` unless `stamp` says that it succeeded with the same inputs; print how long it took."""
    fingerprint = hashlib.sha256("\0".join(inputs).encode()).hexdigest()
    if stamp.exists() and stamp.read_text() == fingerprint:
        return
    print(f"setting up: {title} …", flush=True)
    begun = time.monotonic()
    action()
    stamp.write_text(fingerprint)
    print(f"setting up: {title}: done in {time.monotonic() - begun:.0f} s", flush=True)


def forget_other_python(folder: Path, version: str) -> None:
    """Remove an environment of another version of Python, or of one that no longer exists, stamps included.

    The steps make it again.
    """
    made_by = version_of(folder)
    is_gone = bool(made_by) and not python(folder).exists()
    if is_gone or made_by not in ("", version):
        by = f"a Python {made_by} that no longer exists" if is_gone else f"Python {made_by}"
        print(f"setting up: {folder.name} was made by {by}; Python {version} makes it again", flush=True)
        if folder.is_symlink():
            folder.unlink()  # other checkouts may use it too
        else:
            shutil.rmtree(folder)


def version_of(folder: Path) -> str:
    """The Python of an environment, like "3.12"; empty if the environment does not exist."""
    configuration = folder / "pyvenv.cfg"
    if not configuration.exists():
        return ""
    entries = dict(line.split(" = ", 1) for line in read(configuration).splitlines() if " = " in line)
    # venv writes "version", uv "version_info".
    return ".".join((entries.get("version") or entries["version_info"]).split(".")[:2])


def python_for_glue() -> PythonForGlue:
    """Returns the Python 3.11 that Glue has, where this machine has one, else the Python that runs this file."""
    # pyenv keeps its versions below PYENV_ROOT, or in the home folder.
    installed_by_pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    candidates = [
        *([sys.executable] if VERSION == GLUE_VERSION else []),
        *(path for path in [shutil.which(f"python{GLUE_VERSION}")] if path),
        *sorted(map(str, installed_by_pyenv.glob(f"{GLUE_VERSION}.*/bin/python{GLUE_VERSION}"))),
    ]
    for program in candidates:
        # A shim of pyenv may exist for a version that is not selected, and a Python may lack parts of its library.
        check = f"import bz2, lzma, ssl, sys; sys.exit('%d.%d' % sys.version_info[:2] != '{GLUE_VERSION}')"
        if subprocess.run([program, "-c", check], capture_output=True).returncode == 0:
            return PythonForGlue(program, GLUE_VERSION)
    return PythonForGlue(sys.executable, VERSION)


def install_uv() -> None:
    make_environment(LOCAL)
    run([python(LOCAL), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", UV])


def install_airflow() -> None:
    make_environment(AIRFLOW)
    run([*uv_install(AIRFLOW), "-c", CONSTRAINTS, "-r", ENVIRONMENTS / "airflow.in", *mwaa_requirements()])


def install_torch() -> None:
    make_environment(LOCAL)
    run([python(LOCAL), "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
         "-r", ENVIRONMENTS / "torch.txt", "-c", ENVIRONMENTS / "local.txt"])  # fmt: skip


def install_local() -> None:
    run([*uv_install(LOCAL), "-r", ENVIRONMENTS / "local.txt"])


def install_glue(chosen: PythonForGlue) -> None:
    # Not venv, which needs parts that a Python of the operating system may lack.
    run([LOCAL / "bin" / "uv", "venv", "--quiet", "--clear", "--no-python-downloads", "--python", chosen.program, GLUE])
    run([*uv_install(GLUE), "-r", ENVIRONMENTS / "glue.txt"])


def install_tools() -> None:
    make_environment(TOOLS)
    run([*uv_install(TOOLS), "-r", ENVIRONMENTS / "tools.txt"])


def install_benchmarks() -> None:
    run([*uv_install(LOCAL), "-r", ENVIRONMENTS / "benchmarks.txt"])


def bring_along() -> list[str]:
    """Returns the pins of what Glue does not have and the jobs need: the part of glue.in under that heading."""
    part = read(ENVIRONMENTS / "glue.in").partition(BRING_ALONG)[2].split("\n\n")[0]
    return [line for line in part.splitlines() if "==" in line]


def fetch_wheels() -> None:
    """Download the wheels for Glue's own Python and machines, whatever runs here. A deployment uploads them."""
    WHEELS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=WHEELS) as folder:
        platforms = [word for platform in GLUE_PLATFORMS for word in ("--platform", platform)]
        run([python(LOCAL), "-m", "pip", "download", "--quiet", "--no-deps", "--disable-pip-version-check",
             "--only-binary", ":all:", "--python-version", GLUE_VERSION, *platforms, "--dest", folder,
             *bring_along()])  # fmt: skip
        for old in WHEELS.glob("*.whl"):
            old.unlink()
        for wheel in Path(folder).glob("*.whl"):
            wheel.replace(WHEELS / wheel.name)


def mwaa_requirements() -> list[str]:
    """The lines of requirements.txt without its constraint, whose path exists on MWAA only."""
    lines = (line.strip() for line in read(ROOT / "requirements.txt").splitlines())
    return [line for line in lines if line and not line.startswith(("#", "--constraint"))]


def make_environment(folder: Path) -> None:
    if python(folder).exists():
        return
    if subprocess.run([sys.executable, "-c", "import venv, ensurepip"], capture_output=True).returncode:
        raise SetUpError(f"{sys.executable} has no venv module. On Debian or Ubuntu: apt-get install python3-venv")
    run([sys.executable, "-m", "venv", "--clear", folder])


def uv_install(folder: Path) -> list[str | Path]:
    return [LOCAL / "bin" / "uv", "pip", "install", "--quiet", "--compile-bytecode", "--python", python(folder)]


def run(command: list[str | Path]) -> None:
    # Bytecode is compiled once here, so that no Airflow or Spark process has to.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    words = [str(word) for word in command]
    if subprocess.run(words, env=environment, cwd=ROOT).returncode:
        raise SetUpError(
            f"this command failed: {' '.join(words)}\n"
            "If it could not download, check the network or the proxy of your package index, then run the same make "
            "target again: what is already installed is kept."
        )


def python(folder: Path) -> Path:
    return folder / "bin" / "python"


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


if __name__ == "__main__":
    sys.exit(main())
