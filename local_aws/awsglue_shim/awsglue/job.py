"""`awsglue.job.Job`: its bookmarks are not served, so that init and commit only keep the name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Job:
    """What a script wraps its work in. Bookmarks are off here, as in every job of the product."""

    def __init__(self, glue_context: object) -> None:
        self.glue_context = glue_context
        self.job_name: str | None = None
        self._initialised = False

    def init(self, job_name: str, args: Mapping[str, Any] | None = None) -> None:
        if (args or {}).get("job_bookmark_option", "job-bookmark-disable") != "job-bookmark-disable":
            raise NotImplementedError("job bookmarks are not served here")
        self.job_name = job_name
        self._initialised = True

    def isInitialized(self) -> bool:  # noqa: N802 (Glue's name)
        return self._initialised

    def commit(self) -> None:
        """Nothing is recorded: it is the bookmark that Glue would keep."""
