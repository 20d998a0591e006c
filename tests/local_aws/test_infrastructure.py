"""infra/main.yaml, and small templates of the test's own, carried out on the real engines."""

from __future__ import annotations

import io
import json
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from local_aws.control_plane import ControlPlane
from local_aws.engines.postgres import Postgres
from local_aws.infrastructure import artefacts
from local_aws.infrastructure.deploy import deploy, deployment_parameters, local_parameters, rest_api_file
from local_aws.infrastructure.resources import HANDLERS, PASSED_OVER
from local_aws.infrastructure.templates import TemplateError
from local_aws.moto_services import KIND
from local_aws.settings import REPOSITORY, Settings
from local_aws.state import State

Client = Callable[[str], Any]


@pytest.fixture(scope="module")
def deployed(settings: Settings, control_plane: ControlPlane) -> dict[str, Any]:
    return deploy(settings)


def kept_calls(settings: Settings) -> int:
    state = State(settings.home / "state.sqlite")
    try:
        return len(state.list(KIND))
    finally:
        state.close()


def test_every_zone_has_its_bucket(deployed: dict[str, Any], settings: Settings, aws: Client) -> None:
    names = {entry["Name"] for entry in aws("s3").list_buckets()["Buckets"]}
    for zone in ("landing", "clean", "business", "working", "scripts", "athena"):
        assert f"metering-{zone}-123456789012-eu-west-1" in names
        assert deployed[f"{zone.capitalize()}BucketName"] == f"metering-{zone}-123456789012-eu-west-1"


def test_jobs_and_tables_are_those_of_the_template(deployed: dict[str, Any], aws: Client) -> None:
    glue = aws("glue")
    tables = {table["Name"] for table in glue.get_tables(DatabaseName="metering")["TableList"]}
    assert {"readings_raw", "readings_clean", "daily", "aggregated_daily"} <= tables
    job = glue.get_job(JobName="raw_to_clean")["Job"]
    assert job["Command"]["ScriptLocation"] == "s3://metering-scripts-123456789012-eu-west-1/glue/raw_to_clean.py"
    assert job["DefaultArguments"]["--landing_bucket"] == "metering-landing-123456789012-eu-west-1"
    assert glue.get_crawler(Name="crawl_landing")["Crawler"]["DatabaseName"] == "metering"


def test_the_scripts_lie_where_the_jobs_look_for_them(deployed: dict[str, Any], aws: Client) -> None:
    s3 = aws("s3")
    for name in (script.stem for script in (REPOSITORY / "include" / "glue").glob("*.py")):
        job = aws("glue").get_job(JobName=name)["Job"]
        arguments = job["DefaultArguments"]
        sent = [arguments["--extra-py-files"], arguments.get("--additional-python-modules", "")]
        for uri in filter(None, [job["Command"]["ScriptLocation"], *",".join(sent).split(",")]):
            bucket, _, key = uri.removeprefix("s3://").partition("/")
            assert s3.head_object(Bucket=bucket, Key=key)["ContentLength"] > 0, uri


def test_the_airflow_variable_names_what_was_made(deployed: dict[str, Any], aws: Client) -> None:
    value = json.loads(aws("ssm").get_parameter(Name="/airflow/variables/metering")["Parameter"]["Value"])
    assert value["clean_bucket"] == deployed["CleanBucketName"]
    assert value["partition"] == "aws"
    assert value["alerts_topic_arn"] == "arn:aws:sns:eu-west-1:123456789012:metering-alerts"
    assert aws("sns").get_topic_attributes(TopicArn=value["alerts_topic_arn"])["Attributes"]["DisplayName"]
    role = value["redshift_copy_role_arn"].rpartition("/")[2]
    assert aws("iam").get_role(RoleName=role)["Role"]["Arn"] == value["redshift_copy_role_arn"]
    assert aws("iam").list_role_policies(RoleName=role)["PolicyNames"] == ["read-zones"]


def test_the_settings_of_the_machine_reach_the_dags(deployed: dict[str, Any], settings: Settings, aws: Client) -> None:
    value = json.loads(aws("ssm").get_parameter(Name="/airflow/variables/metering")["Parameter"]["Value"])
    of_settings = {"epochs": settings.training_epochs, "training_samples": settings.training_samples}
    assert value["training_defaults"] == of_settings | {"min_improvement": 0}
    assert value["with_weather"] is False
    chosen = Settings(home=Path("/nowhere"), with_weather=1, training_epochs=3, training_samples=7)
    assert deployment_parameters(chosen) == {"WithWeather": "1", "TrainingEpochs": "3", "TrainingSamples": "7"}


def test_the_master_user_of_the_warehouse_logs_in_with_the_secret(
    deployed: dict[str, Any], aws: Client, postgres: Postgres
) -> None:
    secret = json.loads(aws("secretsmanager").get_secret_value(SecretId="metering/redshift")["SecretString"])
    url = postgres.url_for(secret["username"], secret["password"], "meter-data")
    with psycopg.connect(url) as connection:
        owner = connection.execute("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'meter-data'")
        assert owner.fetchone() == (secret["username"],)
    clusters = aws("redshift").describe_clusters(ClusterIdentifier="redshift-cluster-1")["Clusters"]
    assert [cluster["DBName"] for cluster in clusters] == ["meter-data"]


def test_the_gateway_gets_functions_and_routes(deployed: dict[str, Any], settings: Settings, aws: Client) -> None:
    description = json.loads(rest_api_file(settings).read_text())
    functions = description["functions"]
    function = functions["metering-get_consumption"]
    assert (function["folder"], function["handler"], function["timeout"]) == ("get_consumption", "handler.handler", 29)
    assert function["environment"]["DATABASE"] == "meter-data"
    of_lake = {"GLUE_DATABASE": "metering", "WORKGROUP": "metering"}
    for name in ("get_forecast", "get_anomalies", "get_outages"):
        assert functions[f"metering-{name}"]["environment"].items() >= of_lake.items()
    (api,) = description["apis"].values()
    assert isinstance(api["cors"]["AllowOrigins"], list)
    assert {route["route_key"]: route["function"] for route in api["routes"]} == {
        "GET /consumption/{aggregation}/{year}/{meter_id}": "metering-get_consumption",
        "GET /forecast/{meter_id}": "metering-get_forecast",
        "GET /anomaly/{meter_id}": "metering-get_anomalies",
        "GET /outage": "metering-get_outages",
    }
    assert {route["authorizer"]["function"] for route in api["routes"]} == {"metering-authorize"}
    key = functions["metering-authorize"]["environment"]["API_KEY_SECRET_ARN"]
    assert len(json.loads(aws("secretsmanager").get_secret_value(SecretId=key)["SecretString"])["api_key"]) == 40


@pytest.mark.parametrize(
    ("path", "query", "status", "told"),
    [
        (
            "/outage",
            {"start_date_time": "2013-01-01 00:00:00", "end_date_time": "2013-01-02 00:00:00"},
            200,
            {"Items": []},
        ),
        ("/anomaly/MAC1", {}, 404, {"message": "meter MAC1 is not known", "parameter": "meter_id"}),
        (
            "/forecast/MAC1",
            {},
            503,
            {"message": "there is no forecast model yet: trigger the DAG train_forecast_model"},
        ),
    ],
)
def test_the_gateway_answers_from_the_tables_and_parameters_of_the_templates(
    deployed: dict[str, Any],
    settings: Settings,
    aws: Client,
    path: str,
    query: dict[str, str],
    status: int,
    told: dict[str, Any],
) -> None:
    secret = aws("secretsmanager").get_secret_value(SecretId="metering/api-key")["SecretString"]
    headers = {"x-api-key": json.loads(secret)["api_key"]}
    url = f"{settings.api_url}{path}"

    assert httpx.get(url, params=query, trust_env=False, timeout=30).status_code == 401
    answer = httpx.get(url, params=query, headers=headers, trust_env=False, timeout=30)

    assert (answer.status_code, answer.json()) == (status, told)


def test_deploying_again_changes_nothing_and_keeps_data(
    deployed: dict[str, Any], settings: Settings, aws: Client
) -> None:
    s3, glue, secrets = aws("s3"), aws("glue"), aws("secretsmanager")
    s3.put_object(Bucket=deployed["LandingBucketName"], Key="readings/a.csv", Body=b"x")
    location = f"s3://{deployed['BusinessBucketName']}/daily/run=1/reading_type=INT/month=201301/"
    table = glue.get_table(DatabaseName="metering", Name="daily")["Table"]
    descriptor = {**table["StorageDescriptor"], "Location": location}
    glue.create_partition(
        DatabaseName="metering",
        TableName="daily",
        PartitionInput={"Values": ["INT", "201301"], "StorageDescriptor": descriptor},
    )
    api_key = secrets.get_secret_value(SecretId="metering/api-key")["SecretString"]
    calls = kept_calls(settings)

    assert deploy(settings) == deployed

    assert kept_calls(settings) == calls
    assert secrets.get_secret_value(SecretId="metering/api-key")["SecretString"] == api_key
    assert s3.get_object(Bucket=deployed["LandingBucketName"], Key="readings/a.csv")["Body"].read() == b"x"
    partition = glue.get_partition(DatabaseName="metering", TableName="daily", PartitionValues=["INT", "201301"])
    assert partition["Partition"]["StorageDescriptor"]["Location"] == location


SMALL = """
Parameters: {Text: {Type: String, Default: one}}
Resources:
  Parameter: {Type: AWS::SSM::Parameter, Properties: {Name: /test/small, Type: String, Value: !Ref Text}}
  Secret: {Type: AWS::SecretsManager::Secret, Properties: {Name: test/small, SecretString: !Ref Text}}
  Job:
    Type: AWS::Glue::Job
    Properties:
      Name: small
      Role: arn:aws:iam::123456789012:role/x
      Command: {Name: glueetl, ScriptLocation: s3://b/k.py}
      DefaultArguments: {--number: 3, --text: !Ref Text}
  Key: {Type: AWS::KMS::Key, Properties: {Description: test, KeyPolicy: {Version: "2012-10-17", Statement: []}}}
  Alias: {Type: AWS::KMS::Alias, Properties: {AliasName: alias/small, TargetKeyId: !Ref Key}}
  Subnet: {Type: AWS::EC2::Subnet}
  Uses: {Type: AWS::SSM::Parameter, Properties: {Name: /test/subnet, Type: String, Value: !GetAtt Subnet.SubnetId}}
  Group:
    Type: AWS::Athena::WorkGroup
    Properties:
      Name: small
      Description: !Ref Text
      WorkGroupConfiguration:
        EnforceWorkGroupConfiguration: true
        ResultConfiguration: {OutputLocation: !Sub "s3://results/${Text}/"}
Outputs: {Key: {Value: !GetAtt Key.Arn}}
"""


def small(settings: Settings, tmp_path: Path, text: str, **parameters: str) -> dict[str, Any]:
    path = tmp_path / "small.yaml"
    path.write_text(text)
    return deploy(settings, path, parameters)


def test_a_changed_template_updates_definitions(
    control_plane: ControlPlane, settings: Settings, aws: Client, tmp_path: Path
) -> None:
    first = small(settings, tmp_path, SMALL)
    assert aws("ssm").get_parameter(Name="/test/small")["Parameter"]["Value"] == "one"
    assert aws("glue").get_job(JobName="small")["Job"]["DefaultArguments"] == {"--number": "3", "--text": "one"}

    group = aws("athena").get_work_group(WorkGroup="small")["WorkGroup"]
    assert group["Configuration"]["ResultConfiguration"] == {"OutputLocation": "s3://results/one/"}

    second = small(settings, tmp_path, SMALL, Text="two")
    assert second == first, "the key is the same one"
    assert aws("ssm").get_parameter(Name="/test/small")["Parameter"]["Value"] == "two"
    assert aws("secretsmanager").get_secret_value(SecretId="test/small")["SecretString"] == "two"
    assert aws("glue").get_job(JobName="small")["Job"]["DefaultArguments"]["--text"] == "two"
    group = aws("athena").get_work_group(WorkGroup="small")["WorkGroup"]
    assert group["Configuration"]["ResultConfiguration"] == {"OutputLocation": "s3://results/two/"}
    assert (group["Description"], group["Configuration"]["EnforceWorkGroupConfiguration"]) == ("two", True)
    assert aws("kms").describe_key(KeyId="alias/small")["KeyMetadata"]["Arn"] == first["Key"]


@pytest.mark.parametrize(
    ("resource", "message"),
    [
        ("{Type: AWS::Neptune::DBCluster}", r"small.yaml, X \(AWS::Neptune::DBCluster\): local_aws knows no such"),
        ("{Type: AWS::SSM::Parameter, Properties: {Name: /x, Type: String}}", "the property 'Value' is missing"),
        ("{Type: AWS::S3::Bucket, Properties: {BucketName: good-name, Oops: 1}}", "bucket property Oops"),
        (
            "{Type: AWS::Glue::Job, Properties: {Name: x, Role: r}}",
            r"(?s)X \(AWS::Glue::Job\): .*parameter in input: \"Command\"",
        ),
    ],
)
def test_a_resource_that_cannot_be_made_stops_with_its_place(
    control_plane: ControlPlane, settings: Settings, tmp_path: Path, resource: str, message: str
) -> None:
    with pytest.raises(TemplateError, match=message):
        small(settings, tmp_path, f"Resources: {{X: {resource}}}")


def test_a_type_is_either_made_or_passed_over_with_a_reason() -> None:
    assert not set(HANDLERS) & set(PASSED_OVER)
    assert all(len(reason) > 20 for reason in PASSED_OVER.values())


def test_the_master_password_is_made_once_and_kept_private(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    password = local_parameters(settings)["MasterUserPassword"]
    assert local_parameters(settings)["MasterUserPassword"] == password
    assert len(password) >= 8
    assert stat.S_IMODE((tmp_path / "master_password").stat().st_mode) == 0o600


def test_the_same_files_give_the_same_package_and_python_imports_it(tmp_path: Path) -> None:
    package = tmp_path / "meter_data"
    (package / "deep").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "deep" / "london.py").write_text("NAME = 'london'\n")
    (package / "deep" / "holidays.json").write_text("[]")
    (package / "__pycache__").mkdir()
    (package / "__pycache__" / "x.pyc").write_bytes(b"x")
    first = artefacts.zipped(package)
    (package / "deep" / "london.py").touch()
    assert artefacts.zipped(package) == first
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        assert archive.namelist() == [
            "meter_data/__init__.py",
            "meter_data/deep/holidays.json",
            "meter_data/deep/london.py",
        ]


def test_only_changed_artefacts_are_uploaded(aws: Client, bucket: str) -> None:
    s3 = aws("s3")
    assert artefacts.upload(s3, bucket, {"glue/a.py": b"1", "glue/b.py": b"2"}) == ["glue/a.py", "glue/b.py"]
    assert artefacts.upload(s3, bucket, {"glue/a.py": b"1", "glue/b.py": b"3"}) == ["glue/b.py"]
