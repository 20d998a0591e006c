from __future__ import annotations

import os

import pytest

# At import the SDK warns that there is a newer major version of it.
os.environ["SAGEMAKER_SUPPRESS_V2_WARNING"] = "1"


def pytest_configure(config: pytest.Config) -> None:
    # Of the SDK's own text, when it is compiled for the first time.
    config.addinivalue_line("filterwarnings", "ignore:invalid escape sequence")
