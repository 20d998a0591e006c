"""Airflow's LocalExecutor without a race that fails deferrable tasks. Runs in Airflow's environment (.venv) only.

When a task defers, its process ends and LocalExecutor reports SUCCESS for it. If the trigger has fired by the time the
scheduler reads that report, the task is queued again, and the scheduler takes the report for "finished, but still
queued" and fails the task. With short poll intervals on a busy machine this happens often. (On MWAA tasks are run by
Celery, which tells the scheduler that it has the task again.)

The report is not needed: a task process, or the supervisor over it, writes the task's state itself; LocalExecutor's
own comment says that only a failed supervisor matters. Here a SUCCESS is therefore dropped, a FAILED is passed on.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from airflow.executors.local_executor import LocalExecutor as AirflowsLocalExecutor
from airflow.models.taskinstancekey import TaskInstanceKey
from airflow.utils.state import TaskInstanceState

# Every task process is forked from here: what is loaded before, none of them has to load.
PRELOADED = (
    "boto3",
    "airflow.providers.amazon.aws.hooks.base_aws",
    "airflow.providers.amazon.aws.operators.glue",
    "airflow.providers.amazon.aws.operators.glue_crawler",
    "airflow.providers.amazon.aws.operators.redshift_data",
    "airflow.providers.amazon.aws.operators.sagemaker",
    "airflow.providers.amazon.aws.secrets.systems_manager",
    "airflow.sdk.execution_time.task_runner",
)


class LocalExecutor(AirflowsLocalExecutor):
    """See the module."""

    def start(self) -> None:
        for module in PRELOADED:
            import_module(module)
        super().start()

    def change_state(self, key: Any, state: Any, info: Any = None, remove_running: bool = True) -> None:
        if isinstance(key, TaskInstanceKey) and state == TaskInstanceState.SUCCESS:
            self.running.discard(key)
            return
        super().change_state(key, state, info, remove_running)
