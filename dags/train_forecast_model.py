"""
# Train the forecast model

## Purpose
Trains a DeepAR model on the hourly consumption of a sample of meters and puts it into service, if it is good enough.

## When it runs
On the 1st of a month at 02:00 UTC, by hand, and after a load of the warehouse (asset `warehouse`) as long as there is
no model. Other loads, and a platform with too few days of readings, skip all tasks after the first; its log says how
many are needed. One run at a time.

## Reads
The published readings, `aggregated_daily`, and `weather` where the deployment uses weather; the current model's record.

## Writes
`training/`, `models/` and `tuning/` in the working bucket; a model, its endpoint configuration and the endpoint in
SageMaker; at last the records `models/<endpoint>` and `current-model` in the Parameter Store. What the endpoint served
before is deleted then. Emits the asset `forecast_model`.

## Parameters
The trigger form explains each. An empty one takes the deployment's value.

## On failure
The endpoint and the current model of before go on serving until `record_model` has run. Every task can be cleared as
often as needed; a job that an earlier try has left running is stopped first.

- `plan_training`: parameters contradict each other; the message says which to change. Trigger the DAG anew.
- `prepare_training_set`: the log ends with the job's message. The job's own log is in CloudWatch,
  `/aws-glue/jobs/error`, stream = id of the job run.
- `train_model`, `tune_hyperparameters`: the message is SageMaker's reason; the job's log is in CloudWatch,
  `/aws/sagemaker/TrainingJobs`. A task that is marked as failed while it waits leaves its job running: stop it in
  SageMaker.
- `check_model_quality`: the model is worse than it must be. The message says by how much and what to do. Clearing this
  task alone changes nothing.
- `deploy_model`: the endpoint did not start, or SageMaker rolled the update back. The message says why. Clear the task
  when the reason has passed.
- `retire_superseded_model`: the new model serves; only the old one was not deleted. The next run tries again.

Otherwise ask the data platform's engineer on call, with the link of the alert.
"""

from airflow.sdk import Param, chain, dag, task
from airflow.timetables.assets import AssetOrTimeSchedule
from airflow.timetables.trigger import CronTriggerTimetable
from metering import glue, sagemaker_jobs, training
from metering.assets import FORECAST_MODEL, WAREHOUSE
from metering.batches import BATCH
from metering.defaults import DAG_OPTIONS
from metering.deployment import CLEAN_BUCKET, DEPLOYMENT, SAGEMAKER_ROLE_ARN, WORKING_BUCKET
from metering.operators import EndpointDeploymentOperator, JobRunOperator, TrainingOperator, TuningOperator
from metering.training import PLAN, TRAINING_JOB, TUNING
from metering.training_form import FORM


@dag(
    schedule=AssetOrTimeSchedule(timetable=CronTriggerTimetable("0 2 1 * *", timezone="UTC"), assets=[WAREHOUSE]),
    params={name: Param(**field) for name, field in FORM.items()},
    tags=["forecast"],
    doc_md=__doc__,
    **DAG_OPTIONS,
)
def train_forecast_model():
    @task(outlets=[FORECAST_MODEL])
    def announce_model(plan, training_job, outlet_events=None):
        outlet_events[FORECAST_MODEL].extra = training.announcement(plan, training_job)

    # Without tuning the job is skipped, and the training goes on.
    describe_tuning_job = task.short_circuit(training.describe_tuning_job, ignore_downstream_trigger_rules=False)
    tuning_job = describe_tuning_job(PLAN, BATCH, SAGEMAKER_ROLE_ARN, CLEAN_BUCKET, WORKING_BUCKET)
    describe_training_job = task(training.describe_training_job, trigger_rule="none_failed")
    training_job = describe_training_job(PLAN, TUNING, BATCH, SAGEMAKER_ROLE_ARN, CLEAN_BUCKET, WORKING_BUCKET)

    chain(
        task.short_circuit(training.plan_training)(DEPLOYMENT),
        JobRunOperator(**glue.job("prepare_training_set", training.PREPARE_ARGUMENTS)),
        tuning_job,
        TuningOperator(task_id="tune_hyperparameters", config=tuning_job, **sagemaker_jobs.OPTIONS),
        training_job,
        TrainingOperator(task_id="train_model", config=training_job, **training.TRAINING_OPTIONS),
        task(training.check_model_quality, retries=0)(PLAN, TRAINING_JOB, DEPLOYMENT, CLEAN_BUCKET, BATCH),
        task(training.create_model)(PLAN, TRAINING_JOB, SAGEMAKER_ROLE_ARN),
        EndpointDeploymentOperator(task_id="deploy_model", config=training.ENDPOINT, **training.ENDPOINT_OPTIONS),
        task(training.record_model)(PLAN, TRAINING_JOB, DEPLOYMENT, CLEAN_BUCKET, BATCH),
        [task(training.retire_superseded_model)(PLAN, DEPLOYMENT), announce_model(PLAN, TRAINING_JOB)],
    )


train_forecast_model()
