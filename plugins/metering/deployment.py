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
