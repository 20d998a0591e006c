"""The provider's operators, where a template field is missing."""

from __future__ import annotations

from airflow.providers.amazon.aws.operators.redshift_data import RedshiftDataOperator


class RedshiftTransactionOperator(RedshiftDataOperator):
    """RedshiftDataOperator whose secret is a template too: the secret's ARN belongs to the deployment."""

    template_fields = (*RedshiftDataOperator.template_fields, "secret_arn")
