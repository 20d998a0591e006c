"""Fixtures of all tests, and how two processes share them out.

The plugin imports engines only inside its fixtures, so it loads in both environments.
"""

from __future__ import annotations

from typing import Any

import pytest

pytest_plugins = ["tests.engines"]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Whole modules go to one process, and all that share the session of Spark to the same one."""
    from xdist.scheduler import LoadScopeScheduling

    class OneSparkSession(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            module = nodeid.partition("::")[0]
            # Each job run has a Spark of its own.
            is_shared = module.startswith("tests/glue/") and not module.startswith("tests/glue/job_runs/")
            return "spark" if is_shared else module

    return OneSparkSession(config, log)
