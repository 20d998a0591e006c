"""The platform of sequences, opened anew for each module."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.glue.sequences.clock import Clock
from tests.glue.sequences.session_platform import Platform, opened

BEGIN = datetime(2013, 3, 1, 9, tzinfo=UTC)


@pytest.fixture(scope="module")
def platform(spark: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with opened(tmp_path_factory.mktemp("sequences"), spark, Clock(BEGIN)) as made:
        yield made
