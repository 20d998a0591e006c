"""Fixtures of all tests, and how two processes share them out.

The plugin imports engines only inside its fixtures, so it loads in both environments.
"""

from __future__ import annotations

from typing import Any

import pytest

pytest_plugins = ["tests.engines"]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Whole modules go to one process: their fixtures are made once."""
    from xdist.scheduler import LoadScopeScheduling

    class WholeModules(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return nodeid.partition("::")[0]

    return WholeModules(config, log)
