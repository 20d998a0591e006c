"""boto3 clients for tasks, made by the provider's hooks when a task runs."""

from __future__ import annotations

from typing import Any


def s3() -> Any:
    from airflow.providers.amazon.aws.hooks.s3 import S3Hook

    return S3Hook().get_conn()


def glue() -> Any:
    from airflow.providers.amazon.aws.hooks.glue_catalog import GlueCatalogHook

    return GlueCatalogHook().get_conn()


def sagemaker() -> Any:
    from airflow.providers.amazon.aws.hooks.sagemaker import SageMakerHook

    return SageMakerHook().get_conn()


def ssm() -> Any:
    from airflow.providers.amazon.aws.hooks.ssm import SsmHook

    return SsmHook().get_conn()
