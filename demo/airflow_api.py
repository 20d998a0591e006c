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


Report = Callable[[TaskChange], None]


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

    def pause(self, dag_id: str, *, paused: bool = True) -> None:
        """Let a DAG start no runs, or start them again."""
        self._http.patch(f"/dags/{dag_id}", json={"is_paused": paused}).raise_for_status()

    def runs_started_by(self, run: Run) -> list[Run]:
        """The runs that the asset events of `run` started."""
        events = self._get("/assets/events", source_dag_id=run.dag_id, source_run_id=run.run_id)["asset_events"]
        return [Run(started["dag_id"], started["run_id"]) for event in events for started in event["created_dagruns"]]

    def finish(self, run: Run, stall_seconds: float, report: Report | None = None) -> str:
        """Wait until `run` has ended; its state, success or failed. TimeoutError when no task changes for so long."""
        return _Follower(self, report or _silent).follow([run], {}, stall_seconds)[run]

    def cascade(
        self, runs: list[Run], following: dict[str, list[str]], stall_seconds: float, report: Report | None = None
    ) -> list[Run]:
        """Wait for `runs` and for the runs that their assets start. TimeoutError when no task changes for so long.

        `following` says which DAGs follow a DAG: they are waited for when the run published something. A run whose
        work was skipped starts nothing. Returns every run, in the order in which they ended; raises RunFailedError
        when one of them fails.
        """
        return list(_Follower(self, report or _silent).follow(runs, following, stall_seconds))

    def published(self, run: Run) -> bool:
        """Whether the run has announced an asset."""
        return bool(self._get("/assets/events", source_dag_id=run.dag_id, source_run_id=run.run_id)["total_entries"])

    def failure(self, run: Run) -> str:
        failed = [task["task_id"] for task in self.task_instances(run) if task["state"] == "failed"]
        return f"{run.dag_id} failed in {', '.join(failed)}. Its log: {self.url}/dags/{run.dag_id}/runs/{run.run_id}"

    def _get(self, path: str, **query: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self._http.get(path, params=query).raise_for_status().json()
        return answer


class _Follower:
    """Follows runs that are at work at the same time, reporting each change of a task's state once."""

    def __init__(self, airflow: AirflowApi, report: Report) -> None:
        self._airflow = airflow
        self._report = report
        self._seen: dict[tuple[Run, str, int], str] = {}
        self._changed = time.monotonic()

    def follow(self, runs: list[Run], following: dict[str, list[str]], stall_seconds: float) -> dict[Run, str]:
        """The final state of the runs and of those they start, in the order in which they ended."""
        self._changed = time.monotonic()
        active, ended = list(runs), dict[Run, str]()
        expected: dict[Run, set[str]] = {}  # of an ended run: the DAGs that have not started yet
        while active or expected:
            for run in active.copy():
                state = self._look(run)
                if state not in FINISHED:
                    continue
                active.remove(run)
                ended[run] = state
                self._changed = time.monotonic()
                if following and state == "failed":
                    raise RunFailedError(self._airflow.failure(run))
                if run.dag_id in following and self._airflow.published(run):
                    expected[run] = set(following[run.dag_id])
            for run in list(expected):
                started = [one for one in self._airflow.runs_started_by(run) if one.dag_id in expected[run]]
                active += [one for one in started if one not in ended and one not in active]
                expected[run] -= {one.dag_id for one in started}
                if not expected[run]:
                    del expected[run]
            if (active or expected) and time.monotonic() - self._changed > stall_seconds:
                raise TimeoutError(self._late(active, expected, stall_seconds))
            if active or expected:
                time.sleep(POLL_SECONDS)
        return ended

    def _look(self, run: Run) -> str:
        """The run's state, after its tasks' changes were reported: none is lost when the run has ended."""
        state = self._airflow.state(run)
        for instance in sorted(self._airflow.task_instances(run), key=lambda task: task["start_date"] or "~"):
            key = (run, instance["task_id"], instance["map_index"])
            if instance["state"] and self._seen.get(key) != instance["state"]:
                self._seen[key] = instance["state"]
                self._changed = time.monotonic()
                self._report(TaskChange(*key, instance["state"]))
        return state

    def _late(self, active: list[Run], expected: dict[Run, set[str]], stall_seconds: float) -> str:
        at_work = [f"{run.dag_id} is still at work: {self._airflow.url}/dags/{run.dag_id}" for run in active]
        not_begun = [f"{run.dag_id} did not start {', '.join(sorted(ids))}" for run, ids in expected.items()]
        return f"No task has changed for {stall_seconds:.0f} s. {'; '.join(at_work + not_begun)}"


def _silent(_: TaskChange) -> None:
    return


def _texts(line: dict[str, Any]) -> Iterator[str]:
    yield line["event"]
    for error in line.get("error_detail") or []:
        yield f"{error['exc_type']}: {error['exc_value']}"
