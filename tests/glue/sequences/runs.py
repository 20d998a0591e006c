"""Runs of the three DAGs, task by task, by the functions and scripts that the tasks call."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, ClassVar

from metering import aggregation, batches, ingestion, warehouse

from tests.glue.sequences.redshift import Redshift
from tests.glue.sequences.session_platform import BUSINESS, CLEAN, LANDING, Platform

Extra = dict[str, Any]
# Params as the trigger forms have them, but for the gates, which would stop what these sequences are about, and alerts.
INGEST = {"max_rejected_share": 1, "max_conflict_share": 1, "transformer": None, "reprocess": [], "grain": "month"}
AGGREGATE = {"first_date": None, "last_date": None, "min_completeness": 0, "on_incomplete": "alert"}
LOAD = {"batches": [], "first_date": None, "last_date": None}


class DagRun:
    """Steps are methods named as the tasks. `at` is the step that comes next, `tries` how often each has begun."""

    steps: ClassVar[tuple[str, ...]]

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        run_after = platform.clock.tick(60)
        self.batch = batches.batch_id(run_after, f"{type(self).__name__}__{run_after.isoformat()}")
        self.at = 0
        self.tries: Counter[str] = Counter()

    @property
    def step(self) -> str | None:
        """What comes next; None at the end."""
        return self.steps[self.at] if self.at < len(self.steps) else None

    def begin(self) -> Callable[[], None]:
        """The next try of the next step."""
        step = self.steps[self.at]
        self.tries[step] += 1
        return getattr(self, step)

    def advance(self) -> None:
        self.at += 1

    def clear(self, step: str) -> None:
        """Clear a step and those after it."""
        self.at = self.steps.index(step)

    def run_name(self, step: str) -> str:
        """As batches.RUN gives it."""
        return f"{self.batch}-{self.tries[step]}"


class IngestRun(DagRun):
    """`announced` takes what READINGS events say."""

    steps = (
        "find_new_meter_files",
        "raw_to_clean",
        "check_rejected_share",
        "clean_to_business",
        "publish_readings",
        "record_ledger",
    )

    def __init__(self, platform: Platform, grain: str, announced: list[Extra]) -> None:
        super().__init__(platform)
        self.params = INGEST | {"grain": grain}
        self.announced = announced
        self.extra: Extra = {}
        self.found_nothing = False

    def find_new_meter_files(self) -> None:
        found = ingestion.find_new_meter_files(self.batch, CLEAN, LANDING, "readings/", "london", self.params)
        self.found_nothing = found is None

    def raw_to_clean(self) -> None:
        manifest = f"s3://{CLEAN}/_manifests/{self.batch}.json"
        self.platform.run_script("raw_to_clean", batch=self.batch, manifest=manifest, transformer="london")

    def check_rejected_share(self) -> None:
        ingestion.check_rejected_share(self.batch, CLEAN, self.params)

    def clean_to_business(self) -> None:
        run, grain = self.run_name("clean_to_business"), self.params["grain"]
        self.platform.run_script("clean_to_business", batch=self.batch, run=run, grain=grain)

    def publish_readings(self) -> None:
        ingestion.publish_readings(self.batch, CLEAN, self.platform.database, self.params)

    def record_ledger(self) -> None:
        self.extra = ingestion.record_ledger(self.batch, CLEAN)

    def advance(self) -> None:
        super().advance()
        if self.found_nothing:  # the short circuit skips all that follows
            self.at = len(self.steps)
        elif self.step is None:
            self.announced.append(self.extra)


class AggregateRun(DagRun):
    """`announced` takes what CONSUMPTION events say."""

    steps = ("choose_dates", "aggregate_consumption", "check_completeness", "publish_consumption")

    def __init__(self, platform: Platform, readings: list[Extra], announced: list[Extra]) -> None:
        super().__init__(platform)
        self.readings, self.announced = readings, announced
        self.dates: list[str] = []
        self.extra: Extra = {}

    def choose_dates(self) -> None:
        self.dates = aggregation.choose_dates(self.readings, AGGREGATE, self.platform.database)

    def aggregate_consumption(self) -> None:
        run = self.run_name("aggregate_consumption")
        self.platform.run_script("aggregate_consumption", run=run, dates=",".join(self.dates))

    def check_completeness(self) -> None:
        aggregation.check_completeness(self.batch, CLEAN, AGGREGATE)

    def publish_consumption(self) -> None:
        self.extra = aggregation.publish_consumption(
            self.readings, self.batch, ",".join(self.dates), CLEAN, self.platform.database
        )

    def advance(self) -> None:
        is_chosen = self.step == "choose_dates"
        super().advance()
        if is_chosen and not self.dates:  # the short circuit skips the job and its gate
            self.clear("publish_consumption")
        elif self.step is None:
            self.announced.append(self.extra)


class LoadRun(DagRun):
    """Either merge is skipped when the plan has nothing for it."""

    steps = ("plan_load", "merge_readings", "merge_consumption")

    def __init__(self, platform: Platform, consumption: list[Extra], redshift: Redshift) -> None:
        super().__init__(platform)
        self.consumption, self.redshift = consumption, redshift
        self.merges: list[str] = []

    def plan_load(self) -> None:
        self.merges = warehouse.plan_load(self.consumption, LOAD, self.batch, CLEAN, BUSINESS, self.platform.database)

    def merge_readings(self) -> None:
        self._merge("merge_readings")

    def merge_consumption(self) -> None:
        if "merge_consumption" in self.merges:
            warehouse.plan_sums(self.consumption, LOAD, self.batch, BUSINESS, self.platform.database)
        self._merge("merge_consumption")

    def _merge(self, task_id: str) -> None:
        if task_id in self.merges:
            self.redshift.transact(warehouse.MERGES[task_id], self.batch, self.platform.killer.point)
