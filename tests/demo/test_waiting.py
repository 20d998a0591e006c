"""The demo waits while runs get on, says for which, and gives up when nothing happens any more."""

from __future__ import annotations

import time
from typing import Any

import pytest

from demo.airflow_api import AirflowApi, Run, TaskChange
from demo.cascade import STARTED_BY_ITSELF, FirstRunsError, wait_for_first_runs

ENDED = [{"dag_run_id": "r", "state": "success"}]


class SlowAirflow(AirflowApi):
    """Airflow of a machine on which each DAG's run, task by task, takes 200 s and all of them 1000 s.

    Time passes while somebody asks for the DAGs. `stops_at` is the second after which nothing happens any more.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, stops_at: float = 1e9, failed: str = "") -> None:
        self.url = "http://airflow"
        self.seconds = 0.0
        self._stops_at = stops_at
        self._failed = failed
        monkeypatch.setattr(time, "monotonic", lambda: 5000.0 + self.seconds)
        monkeypatch.setattr(time, "sleep", self._sleep)

    def _sleep(self, seconds: float) -> None:
        self.seconds += seconds

    @property
    def _now(self) -> float:
        return min(self.seconds, self._stops_at)

    def dag_ids(self) -> set[str]:
        return set(STARTED_BY_ITSELF) if self._now > 30 else set()

    def runs(self, dag_id: str) -> list[dict[str, Any]]:
        ends = 200 * (1 + STARTED_BY_ITSELF.index(dag_id))
        end_state = "failed" if dag_id == self._failed else "success"
        return [{"dag_run_id": "r", "state": end_state if self._now >= ends else "running"}]

    def task_instances(self, run: Run) -> list[dict[str, Any]]:
        return [
            {"task_id": f"task_{number}", "map_index": -1, "start_date": None,
             "state": "success" if self._now >= 50 * number else "running"}
            for number in range(20)
        ]  # fmt: skip

    def state(self, run: Run) -> str:
        return str(self.runs(run.dag_id)[0]["state"])


def test_first_runs_that_get_on_are_waited_for_however_long_they_take(monkeypatch: pytest.MonkeyPatch) -> None:
    airflow = SlowAirflow(monkeypatch)
    said: list[str] = []

    wait_for_first_runs(airflow, said.append)

    assert airflow.seconds == 1000
    assert len(said) == 66
    assert said[0] == f"waiting for the first runs of {', '.join(STARTED_BY_ITSELF)} (15 s)"
    assert said[-1] == "waiting for the first runs of forecast_consumption (990 s)"


def test_first_runs_that_stand_still_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    airflow = SlowAirflow(monkeypatch, stops_at=950)

    with pytest.raises(FirstRunsError) as raised:
        wait_for_first_runs(airflow, lambda _: None)

    assert str(raised.value) == (
        "forecast_consumption: nothing has happened for 301 s. Look at http://airflow/dags/forecast_consumption "
        "and at the logs (make logs), then run `make demo` again"
    )
    assert airflow.seconds == 1251


def test_a_warehouse_that_was_not_set_up_ends_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    airflow = SlowAirflow(monkeypatch, failed="set_up_warehouse")

    with pytest.raises(FirstRunsError, match="^set_up_warehouse failed: http://airflow/dags/set_up_warehouse$"):
        wait_for_first_runs(airflow, lambda _: None)


def test_a_run_whose_tasks_change_is_waited_for_however_long_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    airflow = SlowAirflow(monkeypatch)
    changes: list[TaskChange] = []

    assert airflow.finish(Run("forecast_consumption", "r"), 60, changes.append) == "success"

    assert airflow.seconds == 1000


def test_a_run_whose_tasks_stand_still_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    airflow = SlowAirflow(monkeypatch, stops_at=500)

    with pytest.raises(TimeoutError) as raised:
        airflow.finish(Run("forecast_consumption", "r"), 60)

    assert str(raised.value) == (
        "No task has changed for 60 s. forecast_consumption is still at work: http://airflow/dags/forecast_consumption"
    )
    assert airflow.seconds == 561
