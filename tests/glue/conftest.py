"""The London files, for the tests that read them whole."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from local_aws.environment import shared_data

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def meter_files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    london = shared_data() / "london"
    if london.is_dir():
        return sorted(london.glob("*.csv*"))
    print(f"{london} is absent: a generated fleet takes its place")
    folder = tmp_path_factory.mktemp("fleet")
    options = ["--meters", "6", "--days", "70", "--seed", "5", "--out", str(folder)]
    subprocess.run([sys.executable, "-m", "sample_data", *options], cwd=REPOSITORY, check=True, timeout=120)
    return sorted(folder.glob("*.csv*"))
