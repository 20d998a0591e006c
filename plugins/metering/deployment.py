"""Templates of the deployment's values. The Airflow variable `metering` (JSON) serves them when a task is rendered.

CloudFormation writes the variable (infra/airflow_variables.yaml); nothing is read when a DAG file is parsed.
"""

from __future__ import annotations

LANDING_BUCKET = "{{ var.json.metering.landing_bucket }}"
LANDING_PREFIX = "{{ var.json.metering.landing_prefix }}"
CLEAN_BUCKET = "{{ var.json.metering.clean_bucket }}"
BUSINESS_BUCKET = "{{ var.json.metering.business_bucket }}"
GLUE_DATABASE = "{{ var.json.metering.glue_database }}"
REDSHIFT_CLUSTER = "{{ var.json.metering.redshift_cluster }}"
REDSHIFT_DATABASE = "{{ var.json.metering.redshift_database }}"
REDSHIFT_SECRET_ARN = "{{ var.json.metering.redshift_secret_arn }}"  # noqa: S105 (the name of a value, not the value)
WITH_WEATHER = "{{ var.json.metering.with_weather | tojson }}"
HOLIDAYS_COUNTRY = "{{ var.json.metering.holidays_country }}"
INTERVALS_PER_HOUR = "{{ var.json.metering.intervals_per_hour }}"
WORKING_BUCKET = "{{ var.json.metering.working_bucket }}"
SAGEMAKER_ROLE_ARN = "{{ var.json.metering.sagemaker_role_arn }}"
MODEL_PARAMETERS = "{{ var.json.metering.model_parameters }}"
# All values, as JSON, for tasks that need many of them.
DEPLOYMENT = "{{ var.json.metering | tojson }}"
