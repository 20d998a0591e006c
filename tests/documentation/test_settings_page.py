"""`.env.example` lists every setting, and changes nothing until somebody changes it."""

from __future__ import annotations

import re

from documentation import settings
from local_aws.settings import Settings

ENTRY = re.compile(r"^# ([A-Z_0-9]+)=(.*)$", re.MULTILINE)


def test_the_page_is_fresh() -> None:
    assert settings.PAGE.read_text(encoding="utf-8") == settings.generate(), ".env.example is out of date: make docs"


def test_every_setting_has_an_entry() -> None:
    entries = dict(ENTRY.findall(settings.PAGE.read_text(encoding="utf-8")))

    assert set(Settings(retries=1, max_wait_hours=1, transform_tasks=1).environment()) - set(entries) == {
        "LOCAL_AWS_REPOSITORY",  # of the stand-in's own processes
        "LOCAL_AWS_ENV_FILE",  # names a file like this one
    }
    assert entries["LOCAL_AWS_AIRFLOW_PORT"] == "8080"
    assert entries["LOCAL_AWS_HOME"] == ".local"
    assert entries["SHARED_DATA"] == "../shared/data"


def test_a_copy_that_is_read_as_it_is_leaves_all_defaults() -> None:
    lines = settings.PAGE.read_text(encoding="utf-8").splitlines()

    assert [line for line in lines if line and not line.startswith("#")] == []
