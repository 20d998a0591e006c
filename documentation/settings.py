""".env.example: every setting with its default, made from the fields of local_aws.settings.Settings."""

from __future__ import annotations

from local_aws.settings import REPOSITORY, SHARED_DATA_VARIABLE, default_text, documented, variable

PAGE = REPOSITORY / ".env.example"

HEADER = """\
# Settings of the local platform; written by `make docs`. Copy this file to .env, remove the # before a line, change its
# value, and run `make up` again. All settings have defaults. A variable of the environment wins over the one in .env.
"""
OF_THE_DAGS = "as on AWS: see plugins/metering/settings.py"


def generate() -> str:
    """The text of the page."""
    return HEADER + "".join(_entries())


def _entries() -> list[str]:
    entries = []
    for setting in documented():
        default = default_text(setting)
        remark = "" if default else f"; {OF_THE_DAGS}"
        entries.append(_entry(setting.metadata["description"] + remark, variable(setting.name), default))
    purpose = "where tests and benchmarks look for the London files"
    return [*entries, _entry(purpose, SHARED_DATA_VARIABLE, "../shared/data")]


def _entry(description: str, name: str, default: str) -> str:
    return f"\n# {description[0].upper()}{description[1:]}.\n# {name}={default}\n"
