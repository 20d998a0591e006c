"""Run one task of a DAG as a worker would, up to the point where it waits."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from airflow.sdk import DAG
from airflow.sdk.execution_time.context import VariableAccessor
from airflow.utils.types import DagRunType

RUN_ID = "manual__2026-01-02T09:00:00+00:00"
BATCH = "20260102T090000-2634b1"  # printf "$RUN_ID" | sha1sum | cut -c1-6


class TaskInstance:
    """As much of a task instance as operators use. `xcoms`: what other tasks returned."""

    def __init__(self, task: Any, try_number: int, map_index: int, xcoms: dict[str, Any]) -> None:
        self.task, self.dag_id, self.task_id = task, task.dag_id, task.task_id
        self.run_id, self.try_number, self.map_index = RUN_ID, try_number, map_index
        self.pushed: dict[str, Any] = {}
        self._xcoms = xcoms

    def xcom_pull(self, task_ids: str, key: str = "return_value", **_: Any) -> Any:
        return self._xcoms.get(task_ids) if key == "return_value" else self.pushed.get(key)

    def xcom_push(self, key: str, value: Any) -> None:
        self.pushed[key] = value


def context(
    dag: DAG,
    task_id: str,
    *,
    params: dict[str, Any] | None = None,
    xcoms: dict[str, Any] | None = None,
    try_number: int = 1,
    map_index: int = -1,
) -> dict[str, Any]:
    """The context of a task's run; `params` replaces defaults of the DAG's Params, as the trigger form does."""
    task = dag.get_task(task_id)
    return {
        "dag": dag,
        "task": task,
        "ti": TaskInstance(task, try_number, map_index, xcoms or {}),
        "run_id": RUN_ID,
        "dag_run": SimpleNamespace(
            run_after=datetime(2026, 1, 2, 9, tzinfo=UTC),
            run_id=RUN_ID,
            run_type=DagRunType.MANUAL,
            conf=params or {},
        ),
        "params": {**dag.params.dump(), **(params or {})},
        "var": {"json": VariableAccessor(deserialize_json=True)},
    }


def rendered(dag: DAG, task_id: str, **of_context: Any) -> tuple[Any, dict[str, Any]]:
    """A copy of the task with its templates rendered, and its context."""
    run = context(dag, task_id, **of_context)
    task = run["task"].prepare_for_execution()
    task.resolve_template_files()
    task.render_template_fields(run)
    # Of a mapped task the rendering makes the task of one map index, and puts it there.
    return (run["task"] if task.is_mapped else task), run
