"""transformers.load: a transformer is a module of the package."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
import transformers


def test_a_transformer_is_found_by_the_name_of_its_module() -> None:
    assert transformers.load("london").HEADERS[0][0] == "LCLid"


def test_the_package_of_shared_modules_is_no_transformer() -> None:
    assert "london" in transformers.names()
    assert "zones" not in transformers.names()


@pytest.mark.parametrize("name", ["paris", "zones", "zones.lines", "", "../london", "os"])
def test_an_unknown_name_is_refused_and_the_known_ones_are_named(name: str) -> None:
    with pytest.raises(transformers.UnknownTransformerError, match=r"there are: .*london"):
        transformers.load(name)


def test_names_are_found_in_the_zip_that_glue_ships(tmp_path: Path) -> None:
    import subprocess
    import sys

    package = Path(transformers.__file__).parent
    with zipfile.ZipFile(tmp_path / "transformers.zip", "w") as archive:
        for file in package.rglob("*.py"):
            archive.write(file, file.relative_to(package.parent))
    command = "import transformers; print(transformers.__file__, transformers.names(), transformers.load('london'))"
    run = subprocess.run(
        [sys.executable, "-c", command],
        env={"PYTHONPATH": str(tmp_path / "transformers.zip"), "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert f"{tmp_path}/transformers.zip/transformers/__init__.py ['default', 'london'" in run.stdout


def test_every_transformer_but_the_default_knows_headers_and_gives_a_function() -> None:
    for name in transformers.names():
        module = transformers.load(name)
        assert bool(module.HEADERS) == (name != "default"), name
        assert callable(module.transform), name
        for header in module.HEADERS:
            assert header == tuple(column.strip() for column in header), f"{name}: spaces around a column's name"
