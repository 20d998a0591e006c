from __future__ import annotations

import pytest

from tests.plugins.object_store import ObjectStore


@pytest.fixture
def s3() -> ObjectStore:
    return ObjectStore()
