"""The DAGs as Airflow parses them, with nothing of Airflow running.

Airflow reads its configuration when it is first imported, so the environment is set before that.
"""

from __future__ import annotations

import atexit
import json
import os
import shutil
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
AIRFLOW_HOME = tempfile.mkdtemp(prefix="airflow-")
atexit.register(shutil.rmtree, AIRFLOW_HOME, ignore_errors=True)

DEPLOYMENT = {
    "account_id": "123456789012",
    "region": "cn-north-1",
    "partition": "aws-cn",
    "landing_bucket": "the-landing",
    "landing_prefix": "readings/",
    "clean_bucket": "the-clean",
    "business_bucket": "the-business",
    "working_bucket": "the-working",
    "scripts_bucket": "the-scripts",
    "athena_bucket": "the-athena",
    "glue_database": "metering",
    "redshift_cluster": "redshift-cluster-1",
    "redshift_database": "meter-data",
    "redshift_secret_arn": "arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:metering/redshift-a1b2c3",
    "redshift_copy_role_arn": "arn:aws-cn:iam::123456789012:role/copy",
    "alerts_topic_arn": "arn:aws-cn:sns:cn-north-1:123456789012:metering-alerts",
    "landing_transformer": "london",
    "with_weather": False,
    "holidays_country": "GB",
    "intervals_per_hour": 2,
    "sagemaker_role_arn": "arn:aws-cn:iam::123456789012:role/sagemaker",
    "forecast_endpoint": "metering-forecast",
    "model_parameters": "/metering",
    "training_defaults": {"epochs": 300, "training_samples": 60, "min_improvement": 0.02},
}

for name in [name for name in os.environ if name.startswith(("AIRFLOW", "METERING_", "AWS_"))]:
    del os.environ[name]
os.environ |= {
    "AIRFLOW_HOME": AIRFLOW_HOME,
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__CORE__DAGS_FOLDER": str(REPOSITORY / "dags"),
    "AIRFLOW__CORE__PLUGINS_FOLDER": str(REPOSITORY / "plugins"),
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{AIRFLOW_HOME}/airflow.db",
    "AIRFLOW_VAR_METERING": json.dumps(DEPLOYMENT),
    "AIRFLOW_CONN_AWS_DEFAULT": "aws://",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": DEPLOYMENT["region"],
}

import pytest  # noqa: E402
from airflow.dag_processing.dagbag import DagBag  # noqa: E402
from airflow.sdk import DAG  # noqa: E402

from tests.dags.aws_endpoint import AwsEndpoint  # noqa: E402

# Warnings of Airflow's own code, which the versions in the image of MWAA bring along.
OF_AIRFLOW = ("ignore:GitWildMatchPattern:DeprecationWarning",)


def pytest_configure(config: pytest.Config) -> None:
    for line in OF_AIRFLOW:
        config.addinivalue_line("filterwarnings", line)


@pytest.fixture(scope="session")
def dag_bag() -> DagBag:
    return DagBag(REPOSITORY / "dags", include_examples=False)


@pytest.fixture(scope="session")
def dags(dag_bag: DagBag) -> dict[str, DAG]:
    assert not dag_bag.import_errors, dag_bag.import_errors
    return dag_bag.dags


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> AwsEndpoint:
    """What botocore sends, and canned answers to it."""
    endpoint = AwsEndpoint()
    monkeypatch.setattr("botocore.httpsession.URLLib3Session.send", endpoint.send)
    monkeypatch.setattr("aiobotocore.httpsession.AIOHTTPSession.send", endpoint.send_from_a_trigger)
    return endpoint
