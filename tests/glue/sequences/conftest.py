"""The platform of sequences, opened anew for each module."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.glue.sequences.clock import Clock
from tests.glue.sequences.session_platform import Platform, opened

BEGIN = datetime(2013, 3, 1, 9, tzinfo=UTC)


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with opened(tmp_path_factory.mktemp("sequences"), Clock(BEGIN)) as made:
        yield made
