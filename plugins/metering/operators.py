"""Subclasses of the Amazon provider's operators. Each class says what the original lacks and why we need it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from airflow.providers.amazon.aws.operators.glue import GlueJobOperator
from airflow.providers.amazon.aws.operators.glue_crawler import GlueCrawlerOperator
from airflow.providers.amazon.aws.operators.redshift_data import RedshiftDataOperator
from airflow.providers.amazon.aws.operators.sagemaker import (
    SageMakerEndpointOperator,
    SageMakerTrainingOperator,
    SageMakerTransformOperator,
    SageMakerTuningOperator,
)
from airflow.providers.amazon.aws.triggers.sagemaker import SageMakerTrigger
from airflow.providers.common.compat.sdk import AirflowException
from airflow.providers.standard.triggers.temporal import TimeDeltaTrigger

from metering import endpoints, model_names, sagemaker_jobs
from metering.assets import extras
from metering.sagemaker_jobs import JobKind, Jobs, SageMakerJobError
from metering.triggers import StorableTrigger

WAIT_FOR_ROOM = timedelta(minutes=5)
# What Airflow gives for the method to go on with when a trigger has failed or timed out.
WAIT_FAILED = "__fail__"


class StorableDeferral:
    """Mixed into every operator that waits in deferral: what its trigger reports can always be stored by Airflow."""

    def defer(self, *, trigger: Any, **options: Any) -> None:
        super().defer(trigger=StorableTrigger.around(trigger), **options)  # type: ignore[misc]


class JobRunOperator(StorableDeferral, GlueJobOperator):
    """GlueJobOperator. Why a job run failed is told by the job, which may quote a file."""


class CrawlOperator(StorableDeferral, GlueCrawlerOperator):
    """GlueCrawlerOperator. Why a crawl failed is told by the crawler, which may quote a file."""


class RedshiftTransactionOperator(StorableDeferral, RedshiftDataOperator):
    """RedshiftDataOperator whose secret is a template too: the secret's ARN belongs to the deployment."""

    template_fields = (*RedshiftDataOperator.template_fields, "secret_arn")


class PlannedTransactionOperator(RedshiftTransactionOperator):
    """Calls `plan` before the transaction, in every try: what an earlier try was to copy may have a newer version.

    `plan` gets what the events say that triggered the run, its params, and `plan_arguments`, which are templates.
    """

    template_fields = (*RedshiftTransactionOperator.template_fields, "plan_arguments")

    def __init__(self, *, plan: Callable[..., None], plan_arguments: list[str], **options: Any) -> None:
        super().__init__(**options)
        self.plan = plan
        self.plan_arguments = plan_arguments

    def execute(self, context: Any) -> Any:
        self.plan(extras(context.get("triggering_asset_events")), context["params"], *self.plan_arguments)
        return super().execute(context)


class _JobOfTry(StorableDeferral):
    """Mixed into an operator that starts a job of SageMaker and waits for it in deferral.

    - The job has a name of its own in every try, as SageMaker takes no name twice: `config` names it without the try.
    - The jobs of former tries are ended first: the provider knows only the name that it is about to use.
    - A job that fails says why: a trigger that fails hands over nothing but its traceback, in which SageMaker's reason
      does not stand.
    - A job whose task has failed otherwise (timeout, lost connection) or was killed is stopped. A task that is cleared
      or marked as failed while it is deferred gets no word of it: then the next try stops the job.
    """

    kind: JobKind
    config: dict[str, Any]
    check_interval: int
    max_attempts: int

    def execute(self, context: Any) -> Any:
        job = self._job()
        former = (model_names.of_try(job, number) for number in range(1, context["ti"].try_number))
        # Waited for in the task, not in deferral: it happens seldom, and takes a minute or two.
        self._jobs.end_all(former, poll_seconds=self.check_interval, attempts=self.max_attempts)
        self._take_name_of_try(context)
        return super().execute(context)  # type: ignore[misc]

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Any) -> Any:
        try:
            return super().resume_execution(next_method, next_kwargs, context)  # type: ignore[misc]
        except AirflowException as error:
            if next_method != WAIT_FAILED:
                raise
            self._take_name_of_try(context)
            return self._after_failed_wait(context, error)

    def on_kill(self) -> None:
        if name := self.config.get(self.kind.name):
            self._jobs.stop(name)

    def defer(self, *, trigger: Any, **options: Any) -> None:
        """The provider bounds the wait for a tuning job by a number of polls, whatever the time between them."""
        if isinstance(trigger, SageMakerTrigger):
            trigger.max_attempts = self.max_attempts
        super().defer(trigger=trigger, **options)

    def _job(self) -> str:
        """The name without the try."""
        name: str = self.config[self.kind.name]
        return name

    def _take_name_of_try(self, context: Any) -> None:
        self.config[self.kind.name] = model_names.of_try(self._job(), context["ti"].try_number)

    def _after_failed_wait(self, context: Any, error: Exception) -> Any:
        from botocore.exceptions import BotoCoreError, ClientError

        name = self.config[self.kind.name]
        try:
            found = self._jobs.find(name)
            if found and found[self.kind.status] == sagemaker_jobs.COMPLETED:
                return self.execute_complete(  # type: ignore[attr-defined]
                    context, {"status": "success", "message": f"{name} has completed", "job_name": name}
                )
            reason = self._jobs.failure(name)
            if self._jobs.stop(name):
                reason = f"{error} while the job ran; it was told to stop. {reason}"
        except (BotoCoreError, ClientError) as unreachable:
            reason = f"{name} could not be followed ({error}; {unreachable}). The next try ends it if it still runs."
        raise SageMakerJobError(reason) from error

    @property
    def _jobs(self) -> Jobs:
        return Jobs(self.hook.conn, self.kind)  # type: ignore[attr-defined]


class TrainingOperator(_JobOfTry, SageMakerTrainingOperator):
    """Waits for the training job as long as `max_attempts` polls take."""

    kind = sagemaker_jobs.TRAINING


class TuningOperator(_JobOfTry, SageMakerTuningOperator):
    """The same for a tuning job; the provider's operator takes no `max_attempts`."""

    kind = sagemaker_jobs.TUNING

    def __init__(self, *, max_attempts: int, **options: Any) -> None:
        super().__init__(**options)
        self.max_attempts = max_attempts


class BatchTransformOperator(_JobOfTry, SageMakerTransformOperator):
    """One batch of a forecast. `batch` is {"number", "uri"}; `config` is what all transform jobs have in common.

    An account may run few transform jobs at once, and Airflow, which does not count deferred tasks, cannot keep to that
    number: a job for which there is no room is tried again every few minutes, for as long as the wait for a job.
    """

    kind = sagemaker_jobs.TRANSFORM
    template_fields = (*SageMakerTransformOperator.template_fields, "batch", "forecast_batch")

    def __init__(self, *, batch: dict[str, Any], forecast_batch: str, **options: Any) -> None:
        super().__init__(**options)
        self.batch = batch
        self.forecast_batch = forecast_batch

    def execute(self, context: Any, waits: int = 0) -> Any:
        from botocore.exceptions import ClientError

        self.config["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"] = self.batch["uri"]
        try:
            return super().execute(context)
        except ClientError as error:
            longest = timedelta(seconds=self.max_attempts * self.check_interval)
            if error.response["Error"]["Code"] != "ResourceLimitExceeded" or waits * WAIT_FOR_ROOM > longest:
                raise
            self.log.info("SageMaker has no room for another transform job now: %s", error)
        self.defer(trigger=TimeDeltaTrigger(WAIT_FOR_ROOM), method_name="execute_again", kwargs={"waits": waits + 1})
        return None

    def execute_again(self, context: Any, waits: int, event: Any = None) -> Any:
        return self.execute(context, waits)

    def serialize_result(self, job_name: str) -> dict[str, Any]:
        """Without the model's description: the model may have been replaced, and deleted, while the job ran."""
        self.serialized_transform = {"TransformJobName": job_name}
        return {"Transform": self.serialized_transform}

    def _job(self) -> str:
        return model_names.transform_job(self.forecast_batch, self.batch["number"])


class EndpointDeploymentOperator(StorableDeferral, SageMakerEndpointOperator):
    """Makes an endpoint serve a configuration, whatever state it is in, and fails unless it does in the end.

    The provider's operator creates or updates as it is told. It takes an update that was rolled back for a success,
    because the endpoint is in service again, with its old configuration; and it cannot mend an endpoint that failed.
    """

    def execute(self, context: Any) -> Any:
        name, config_name = self.config["EndpointName"], self.config["EndpointConfigName"]
        step = endpoints.next_step(self.hook.conn, name, config_name)
        self.log.info("%s: %s", name, step)
        if step == endpoints.NOTHING:
            return config_name
        if step == endpoints.WAIT:
            self._wait("execute_again")
        if step == endpoints.REPLACE:
            attempts = int(self.max_ingestion_time // self.check_interval)
            endpoints.delete_failed(self.hook.conn, name, poll_seconds=self.check_interval, attempts=attempts)
        self.operation = endpoints.UPDATE if step == endpoints.UPDATE else endpoints.CREATE
        return super().execute(context)

    def execute_again(self, context: Any, event: Any = None) -> Any:
        return self.execute(context)

    def execute_complete(self, context: Any, event: dict[str, Any] | None = None) -> Any:
        endpoints.require_in_service(self.hook.conn, self.config["EndpointName"], self.config["EndpointConfigName"])
        return self.config["EndpointConfigName"]

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Any) -> Any:
        """A wait that ends badly says why: the trigger hands over no more than its traceback."""
        try:
            return super().resume_execution(next_method, next_kwargs, context)
        except AirflowException:
            if next_method != WAIT_FAILED:
                raise
            return self.execute_complete(context)

    def _wait(self, method_name: str) -> None:
        trigger = SageMakerTrigger(
            job_name=self.config["EndpointName"],
            job_type="endpoint",
            poke_interval=self.check_interval,
            aws_conn_id=self.aws_conn_id,
        )
        self.defer(trigger=trigger, method_name=method_name, timeout=timedelta(seconds=self.max_ingestion_time))
