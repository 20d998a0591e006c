"""Whole runs of DAGs by Airflow itself, in this process: its scheduler chooses the tasks, its task runner renders and
executes them, its database holds their states, values and events. Triggers wait in line.

`DAG.test` runs by hand only, and waits for ever for a task that is to be tried again; so the loop is our own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count
from typing import Any

from airflow import settings
from airflow.dag_processing.bundles.manager import DagBundlesManager
from airflow.dag_processing.dagbag import BundleDagBag, DagBag, sync_bag_to_db
from airflow.models.asset import AssetEvent, AssetModel
from airflow.models.dagrun import DagRun
from airflow.models.renderedtifields import RenderedTaskInstanceFields
from airflow.sdk import DAG
from airflow.sdk.definitions.dag import _run_task
from airflow.sdk.execution_time import supervisor
from airflow.serialization.serialized_objects import DagSerialization
from airflow.utils.db import initdb
from airflow.utils.state import DagRunState, TaskInstanceState
from airflow.utils.types import DagRunTriggeredByType, DagRunType
from sqlalchemy import select

from tests.dags.conftest import REPOSITORY

FIRST = datetime(2026, 1, 2, 9, tzinfo=UTC)
_numbers = count()
# Airflow makes an API server for each task, which takes seconds; one serves them all.
api_server = cache(supervisor.in_process_api_server)


@dataclass(frozen=True)
class Ended:
    """A run that has ended, or that waits for nothing but a retry.

    `states` by task; of a mapped task by `task[0]`, `task[1]` …, once it was mapped. `rendered`: the template fields of
    each task that was started, under the same names. `events`: what the run has announced, by asset.
    """

    state: str
    states: dict[str, str | None]
    tries: dict[str, int]
    rendered: dict[str, dict[str, Any]]
    events: dict[str, list[dict[str, Any]]]


def make_database() -> None:
    """Makes Airflow's database, with all DAGs of the DAGs folder."""
    initdb()
    with settings.Session() as session:
        manager = DagBundlesManager()
        manager.sync_bundles_to_db(session=session)
        session.commit()
        for bundle in manager.get_all_dag_bundles():
            bag = BundleDagBag(dag_folder=bundle.path, bundle_path=bundle.path, bundle_name=bundle.name)
            sync_bag_to_db(bag, bundle.name, bundle.version, session=session)
        session.commit()


def run(
    dag_id: str,
    *,
    conf: dict[str, Any] | None = None,
    run_type: DagRunType = DagRunType.MANUAL,
    events: dict[str, list[dict[str, Any]]] | None = None,
    with_retries: bool = False,
) -> Ended:
    """Runs the DAG to its end. `events`, by the name of their asset, say what triggered it; then it is no run by hand.

    Without retries a task that fails has failed; with them the run ends where a task waits for its next try.
    """
    # Parsed for each run, as a worker does: Params keep the values that a run gives them.
    dag = DagBag(REPOSITORY / "dags" / f"{dag_id}.py", include_examples=False).dags[dag_id]
    run_after = FIRST + timedelta(minutes=next(_numbers))
    kind = DagRunType.ASSET_TRIGGERED if events else run_type
    scheduler_dag = DagSerialization.deserialize_dag(DagSerialization.serialize_dag(dag))
    with settings.Session() as session:
        of_run: DagRun = scheduler_dag.create_dagrun(
            run_id=f"{kind.value}__{run_after.isoformat()}",
            logical_date=None,
            data_interval=None,
            run_after=run_after,
            start_date=run_after,
            conf=conf,
            run_type=kind,
            triggered_by=DagRunTriggeredByType.TEST,
            state=DagRunState.RUNNING,
            session=session,
        )
        for name, extras in (events or {}).items():
            asset_id = session.scalar(select(AssetModel.id).where(AssetModel.name == name))
            of_run.consumed_asset_events += [AssetEvent(asset_id=asset_id, extra=extra) for extra in extras]
        session.commit()
        before = None
        while of_run.state == DagRunState.RUNNING and before != (before := _states(of_run, session)):
            _run_ready_tasks(dag, of_run, with_retries, session)
            session.expire_all()
        return _ended(of_run, session)


def _run_ready_tasks(dag: DAG, of_run: DagRun, with_retries: bool, session: Any) -> None:
    """Run the tasks whose turn it is, each until it has ended or is to be tried again."""
    ready, _ = of_run.update_state(session=session)
    for instance in ready:
        instance.try_number += 1
        instance.max_tries = instance.max_tries if with_retries else 0
        instance.state = TaskInstanceState.SCHEDULED
    session.commit()
    for instance in ready:
        _run_task(ti=instance, task=dag.get_task(instance.task_id), run_triggerer=True)


def _instances(of_run: DagRun, session: Any) -> dict[str, Any]:
    return {
        instance.task_id if instance.map_index < 0 else f"{instance.task_id}[{instance.map_index}]": instance
        for instance in of_run.get_task_instances(session=session)
    }


def _states(of_run: DagRun, session: Any) -> dict[str, str | None]:
    return {name: instance.state and str(instance.state) for name, instance in _instances(of_run, session).items()}


def _ended(of_run: DagRun, session: Any) -> Ended:
    instances = _instances(of_run, session)
    fields = {
        name: RenderedTaskInstanceFields.get_templated_fields(instance, session=session)
        for name, instance in instances.items()
    }
    announced = session.execute(
        select(AssetModel.name, AssetEvent.extra)
        .join(AssetModel, AssetModel.id == AssetEvent.asset_id)
        .where(AssetEvent.source_dag_id == of_run.dag_id, AssetEvent.source_run_id == of_run.run_id)
    ).all()
    return Ended(
        state=str(of_run.state),
        states=_states(of_run, session),
        tries={name: instance.try_number for name, instance in instances.items()},
        rendered={name: of_task for name, of_task in fields.items() if of_task},
        events={name: [extra for of, extra in announced if of == name] for name, _ in announced},
    )
