"""A thin client of Airflow's REST API (/api/v2): trigger a run, follow it and its followers, clear, read logs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx

FINISHED = {"success", "failed"}
POLL_SECONDS = 1.0


class RunFailedError(Exception):
    """A DAG run ended as failed; the message names the tasks and where to look."""


@dataclass(frozen=True)
class Run:
    """One run of a DAG."""

    dag_id: str
    run_id: str


@dataclass(frozen=True)
class TaskChange:
    """A task instance entered `state` (for example running, deferred, success, skipped, failed)."""

    run: Run
    task_id: str
    map_index: int
    state: str


class AirflowApi:
    """Airflow at `url`, for example http://127.0.0.1:8080, with the simple auth manager's token."""

    def __init__(self, url: str) -> None:
        self.url = url
        token = httpx.get(f"{url}/auth/token", timeout=30).raise_for_status().json()["access_token"]
        self._http = httpx.Client(
            base_url=f"{url}/api/v2", headers={"Authorization": f"Bearer {token}"}, timeout=60, trust_env=False
        )

    def close(self) -> None:
        self._http.close()

    def trigger(self, dag_id: str, params: dict[str, Any] | None = None) -> Run:
        """Start a run as the trigger form does; raises httpx.HTTPStatusError where a parameter is refused."""
        answer = self._http.post(f"/dags/{dag_id}/dagRuns", json={"logical_date": None, "conf": params or {}})
        return Run(dag_id, answer.raise_for_status().json()["dag_run_id"])

    def dag_ids(self) -> set[str]:
        return {dag["dag_id"] for dag in self._get("/dags", limit=100)["dags"]}

    def runs(self, dag_id: str) -> list[dict[str, Any]]:
        """All runs of a DAG, newest first."""
        runs: list[dict[str, Any]] = self._get(f"/dags/{dag_id}/dagRuns", order_by="-run_after", limit=100)["dag_runs"]
        return runs

    def state(self, run: Run) -> str:
        return str(self._get(f"/dags/{run.dag_id}/dagRuns/{run.run_id}")["state"])

    def task_instances(self, run: Run) -> list[dict[str, Any]]:
        instances: list[dict[str, Any]] = self._get(
            f"/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances", limit=500
        )["task_instances"]
        return instances

    def xcom(self, run: Run, task_id: str) -> Any:
        """The value that a task returned."""
        path = f"/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances/{task_id}/xcomEntries/return_value"
        return self._get(path)["value"]

    def log(self, run: Run, task_id: str, try_number: int) -> str:
        """The text of a task's log: a line an event, and the message of each exception."""
        path = f"/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances/{task_id}/logs/{try_number}"
        content = self._get(path, full_content="true")["content"]
        return "\n".join(part for line in content for part in _texts(line))

    def clear(self, run: Run, task_ids: list[str]) -> None:
        """Clear tasks and all that follows them, as the button in the grid does."""
        body = {"dry_run": False, "dag_run_id": run.run_id, "task_ids": task_ids, "include_downstream": True,
                "only_failed": False, "reset_dag_runs": True}  # fmt: skip
        self._http.post(f"/dags/{run.dag_id}/clearTaskInstances", json=body).raise_for_status()

    def runs_started_by(self, run: Run) -> list[Run]:
        """The runs that the asset events of `run` started."""
        events = self._get("/assets/events", source_dag_id=run.dag_id, source_run_id=run.run_id)["asset_events"]
        return [Run(started["dag_id"], started["run_id"]) for event in events for started in event["created_dagruns"]]

    def changes(self, run: Run, timeout_seconds: float) -> Iterator[TaskChange]:
        """Every change of a task's state until the run has ended; TimeoutError when it takes longer."""
        seen: dict[tuple[str, int], str] = {}
        deadline = time.monotonic() + timeout_seconds
        while True:
            ended = self.state(run) in FINISHED
            for instance in sorted(self.task_instances(run), key=lambda task: task["start_date"] or "~"):
                key, state = (instance["task_id"], instance["map_index"]), instance["state"]
                if state and seen.get(key) != state:
                    seen[key] = state
                    yield TaskChange(run, *key, state)
            if ended:
                return
            if time.monotonic() > deadline:
                raise TimeoutError(
                    f"{run.dag_id} did not end within {timeout_seconds:.0f} s: {self.url}/dags/{run.dag_id}"
                )
            time.sleep(POLL_SECONDS)

    def finish(self, run: Run, timeout_seconds: float, report: Callable[[TaskChange], None] | None = None) -> str:
        """Wait until `run` has ended; its state, success or failed."""
        for change in self.changes(run, timeout_seconds):
            if report:
                report(change)
        return self.state(run)

    def cascade(
        self,
        run: Run,
        following: dict[str, list[str]],
        timeout_seconds: float,
        report: Callable[[TaskChange], None] | None = None,
    ) -> list[Run]:
        """Wait for `run` and for the runs that its assets start.

        `following` says which DAGs follow a DAG: they are waited for when the run published something. A run whose
        work was skipped starts nothing. Returns every run that ended, in order; raises RunFailedError for a failed one.
        """
        ended, waiting = [], [run]
        deadline = time.monotonic() + timeout_seconds
        while waiting:
            current = waiting.pop(0)
            if self.finish(current, deadline - time.monotonic(), report) == "failed":
                raise RunFailedError(self._failure(current))
            ended.append(current)
            if following.get(current.dag_id) and self._published(current):
                waiting += self._wait_for_followers(current, set(following[current.dag_id]), deadline)
        return ended

    def _published(self, run: Run) -> bool:
        return bool(self._get("/assets/events", source_dag_id=run.dag_id, source_run_id=run.run_id)["total_entries"])

    def _wait_for_followers(self, run: Run, dag_ids: set[str], deadline: float) -> list[Run]:
        while True:
            started = [follower for follower in self.runs_started_by(run) if follower.dag_id in dag_ids]
            if {follower.dag_id for follower in started} == dag_ids:
                return started
            if time.monotonic() > deadline:
                raise TimeoutError(f"{run.dag_id} did not start {', '.join(sorted(dag_ids))} in time")
            time.sleep(POLL_SECONDS)

    def _failure(self, run: Run) -> str:
        failed = [task["task_id"] for task in self.task_instances(run) if task["state"] == "failed"]
        return f"{run.dag_id} failed in {', '.join(failed)}. Its log: {self.url}/dags/{run.dag_id}/runs/{run.run_id}"

    def _get(self, path: str, **query: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self._http.get(path, params=query).raise_for_status().json()
        return answer


def _texts(line: dict[str, Any]) -> Iterator[str]:
    yield line["event"]
    for error in line.get("error_detail") or []:
        yield f"{error['exc_type']}: {error['exc_value']}"
