"""What may reach the data: buckets, policies, networks, secrets, logs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.infra.conftest import PASSWORD, Deployment, texts

LAMBDAS = Path(__file__).resolve().parents[2] / "api_lambdas"

OWN_STATEMENTS = {"StringEquals": {"redshift-data:statement-owner-iam-userid": "${aws:userid}"}}


def held_by(action: str, owner: str, region: str) -> dict[str, Any] | None:
    """The condition that must hold an action which AWS defines for no resource narrower than "*"; None for others."""
    namespaces = {
        "JobRole": {"StringEquals": {"cloudwatch:namespace": "Glue"}},
        "ExecutionRole": {"StringLike": {"cloudwatch:namespace": "/aws/sagemaker/*"}},
    }
    return {
        "cloudwatch:PutMetricData": namespaces.get(owner),
        "ecr:GetAuthorizationToken": {"StringEquals": {"aws:RequestedRegion": region}},
        "redshift-data:CancelStatement": OWN_STATEMENTS,
        "redshift-data:DescribeStatement": OWN_STATEMENTS,
        "redshift-data:GetStatementResult": OWN_STATEMENTS,
    }.get(action)


def statements(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "Statement":
                yield from inner
            else:
                yield from statements(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from statements(inner)


def words(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def allowed(deployment: Deployment) -> Iterator[tuple[str, dict[str, Any]]]:
    for made in deployment.resources:
        for statement in statements(made.properties):
            if statement["Effect"] == "Allow":
                yield made.logical_id, statement


def test_every_bucket_is_encrypted_and_private(deployment: Deployment) -> None:
    buckets = deployment.of("AWS::S3::Bucket")

    assert len(buckets) == 6
    for bucket in buckets:
        (rule,) = bucket.properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] in ("AES256", "aws:kms")
        assert bucket.properties["PublicAccessBlockConfiguration"] == {
            "BlockPublicAcls": True,
            "BlockPublicPolicy": True,
            "IgnorePublicAcls": True,
            "RestrictPublicBuckets": True,
        }


def test_every_bucket_refuses_plain_http(deployment: Deployment) -> None:
    buckets = {bucket.properties["BucketName"] for bucket in deployment.of("AWS::S3::Bucket")}
    refused = set()
    for policy in deployment.of("AWS::S3::BucketPolicy"):
        for statement in policy.properties["PolicyDocument"]["Statement"]:
            if statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}:
                assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
                assert len(statement["Resource"]) == 2
                refused.add(policy.properties["Bucket"])

    assert refused == buckets


def test_old_versions_and_results_do_not_stay_for_ever(deployment: Deployment) -> None:
    def rules(zone: str) -> dict[str, dict[str, Any]]:
        (bucket,) = [
            made.properties
            for made in deployment.of("AWS::S3::Bucket")
            if made.properties["BucketName"].startswith(f"metering-{zone}-")
        ]
        return {rule["Id"]: rule for rule in bucket["LifecycleConfiguration"]["Rules"]}

    assert rules("landing")["overwritten-files"]["NoncurrentVersionExpiration"] == {"NoncurrentDays": 90}
    assert rules("athena")["query-results"]["ExpirationInDays"] == 7
    assert rules("clean")["quarantine"] | {"Status": ""} == {
        "Id": "quarantine",
        "Status": "",
        "Prefix": "quarantine/",
        "ExpirationInDays": 365,
    }
    assert rules("scripts")["temporary-files"]["Prefix"] == "temp/"
    working = {rule["Prefix"]: rule["ExpirationInDays"] for rule in rules("working").values() if "Prefix" in rule}
    assert working == {"training/": 90, "forecast/": 90}, "models must stay"


def test_overwritten_meter_files_can_be_brought_back(deployment: Deployment) -> None:
    assert deployment.named("LandingBucket")["VersioningConfiguration"] == {"Status": "Enabled"}


def test_no_policy_allows_all_actions_of_a_service(deployment: Deployment) -> None:
    actions = [(owner, action) for owner, statement in allowed(deployment) for action in words(statement["Action"])]

    assert len(actions) > 40
    assert [(owner, action) for owner, action in actions if "*" in action] == []


def test_no_policy_allows_an_action_on_everything_without_a_reason(deployment: Deployment) -> None:
    for owner, statement in allowed(deployment):
        if "*" in words(statement.get("Resource", [])):
            for action in words(statement["Action"]):
                condition = held_by(action, owner, deployment.region)
                assert condition is not None, f"{owner}: {action} on *"
                assert statement.get("Condition") == condition, f"{owner}: {action} on *"


def test_no_policy_lets_anybody_in(deployment: Deployment) -> None:
    for owner, statement in allowed(deployment):
        assert "*" not in texts(statement.get("Principal", {})), owner


def test_services_of_other_accounts_cannot_use_the_roles_of_services(deployment: Deployment) -> None:
    services = {}
    for owner, statement in allowed(deployment):
        service = statement.get("Principal", {}).get("Service", "")
        if service.startswith(("glue.", "redshift.", "sagemaker.")):
            assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}, owner
            services[owner] = service

    assert services == {
        "CrawlerRole": "glue.amazonaws.com",
        "JobRole": "glue.amazonaws.com",
        "CopyRole": "redshift.amazonaws.com",
        "ExecutionRole": "sagemaker.amazonaws.com",
    }


def objects_of(deployment: Deployment, role: str, action: str) -> set[str]:
    """Where in the buckets a role may do that, as <zone>/<keys>."""
    suffix = f"-123456789012-{deployment.region}/"
    return {
        resource.partition(":::metering-")[2].replace(suffix, "/")
        for owner, statement in allowed(deployment)
        if owner == role and action in words(statement["Action"])
        for resource in words(statement["Resource"])
    }


def test_sagemaker_reaches_its_folders_of_the_working_bucket_and_no_more(deployment: Deployment) -> None:
    written = objects_of(deployment, "ExecutionRole", "s3:PutObject")

    assert written == {"working/models/*", "working/tuning/*", "working/forecast/*"}
    assert objects_of(deployment, "ExecutionRole", "s3:GetObject") == written | {"working/training/*"}


def test_sagemaker_pulls_the_image_of_deepar_only(deployment: Deployment) -> None:
    pulled = {
        resource
        for owner, statement in allowed(deployment)
        if owner == "ExecutionRole" and "ecr:BatchGetImage" in words(statement["Action"])
        for resource in words(statement["Resource"])
    }

    assert pulled == {f"arn:{deployment.partition}:ecr:{deployment.region}:*:repository/forecasting-deepar"}


@pytest.mark.parametrize(
    ("role", "tables"),
    [
        ("GetForecastRole", {"daily", "weather", "aggregated_monthly"}),
        ("GetAnomaliesRole", {"anomaly", "aggregated_monthly"}),
        ("GetOutagesRole", {"daily", "geodata"}),
    ],
)
def test_a_function_reads_the_tables_that_its_sql_names_and_no_more(
    deployment: Deployment, role: str, tables: set[str]
) -> None:
    folder = {"GetForecastRole": "get_forecast", "GetAnomaliesRole": "get_anomalies", "GetOutagesRole": "get_outages"}
    sql = " ".join(path.read_text() for path in (LAMBDAS / folder[role]).glob("*.sql"))
    named = set(re.findall(r"(?:FROM|JOIN) ([a-z_]+)\b", sql))
    declared = {made.properties["TableInput"]["Name"] for made in deployment.of("AWS::Glue::Table")}
    catalog = f"arn:{deployment.partition}:glue:{deployment.region}:123456789012:"
    listed = {
        resource.removeprefix(catalog)
        for owner, statement in allowed(deployment)
        if owner == role and "glue:GetTable" in words(statement["Action"])
        for resource in words(statement["Resource"])
    }

    assert named & declared == tables
    assert objects_of(deployment, role, "s3:GetObject") == {f"business/{table}/*" for table in tables}
    assert listed == {"catalog", "database/metering", *(f"table/metering/{table}" for table in tables)}


def test_the_functions_query_in_the_workgroup_and_write_their_results_only(deployment: Deployment) -> None:
    policy = deployment.named("QueryPolicy")
    queried = {
        resource
        for owner, statement in allowed(deployment)
        if "athena:StartQueryExecution" in words(statement["Action"])
        for resource in words(statement["Resource"])
    }

    assert policy["Roles"] == ["GetForecastRole", "GetAnomaliesRole", "GetOutagesRole"]
    assert queried == {f"arn:{deployment.partition}:athena:{deployment.region}:123456789012:workgroup/metering"}
    assert objects_of(deployment, "QueryPolicy", "s3:PutObject") == {"athena/results/*"}
    assert objects_of(deployment, "QueryPolicy", "s3:GetObject") == {"athena/results/*"}
    for role in policy["Roles"]:
        assert objects_of(deployment, role, "s3:PutObject") == set()


def test_the_forecast_reads_the_records_of_models_and_no_other_parameter(deployment: Deployment) -> None:
    of_account = f"{deployment.region}:123456789012"
    reached = {
        action: set(words(statement["Resource"]))
        for owner, statement in allowed(deployment)
        for action in words(statement["Action"])
        if owner.startswith("Get") and action.startswith(("ssm:", "sagemaker:"))
    }

    parameters = f"arn:{deployment.partition}:ssm:{of_account}:parameter/metering"
    assert reached == {
        "ssm:GetParameter": {f"{parameters}/current-model", f"{parameters}/models/*"},
        "sagemaker:InvokeEndpoint": {f"arn:{deployment.partition}:sagemaker:{of_account}:endpoint/*"},
    }


def test_the_gateway_may_invoke_each_function_for_its_route_only(deployment: Deployment) -> None:
    sources = {
        made.logical_id: made.properties["SourceArn"].partition("123456789012:")[2].partition("/")[2]
        for made in deployment.of("AWS::Lambda::Permission")
    }

    assert sources.pop("AuthorizePermission").startswith("authorizers/")
    assert sources == {
        "GetConsumptionPermission": "*/GET/consumption/*",
        "GetForecastPermission": "*/GET/forecast/*",
        "GetAnomaliesPermission": "*/GET/anomaly/*",
        "GetOutagesPermission": "*/GET/outage",
    }


def test_customer_data_is_read_by_the_warehouse_and_its_crawler_only(deployment: Deployment) -> None:
    customers = "landing/reference/cisdata/*"
    roles = [made.logical_id for made in deployment.of("AWS::IAM::Role")]
    readers = {role for role in roles if customers in objects_of(deployment, role, "s3:GetObject")}

    assert readers == {"CopyRole", "CrawlerRole"}
    for role in set(roles) - readers:
        reached = {place for place in objects_of(deployment, role, "s3:GetObject") if place.startswith("landing/")}
        assert reached <= {"landing/readings/*"}, role


def test_no_role_has_a_managed_policy_of_aws(deployment: Deployment) -> None:
    roles = deployment.of("AWS::IAM::Role")

    assert len(roles) == 9
    assert [role.logical_id for role in roles if "ManagedPolicyArns" in role.properties] == []


def test_nothing_is_open_to_the_world(deployment: Deployment) -> None:
    found = [text for made in deployment.resources for text in texts(made.properties) if text in ("0.0.0.0/0", "::/0")]
    ingress = deployment.named("SecurityGroup")["SecurityGroupIngress"]

    assert found == []
    assert [(rule["CidrIp"], rule["FromPort"], rule["ToPort"]) for rule in ingress] == [("10.0.0.0/16", 5439, 5439)]


def test_the_warehouse_is_encrypted_private_and_speaks_tls_only(deployment: Deployment) -> None:
    cluster = deployment.named("Cluster")

    assert cluster["Encrypted"] is True
    assert cluster["PubliclyAccessible"] is False
    assert cluster["ClusterSubnetGroupName"] == "SubnetGroup"
    assert deployment.named("ClusterParameters")["Parameters"] == [
        {"ParameterName": "require_ssl", "ParameterValue": "true"}
    ]


def test_the_master_password_stands_in_its_secret_only(deployment: Deployment) -> None:
    holders = [
        (made.logical_id, key)
        for made in deployment.resources
        for key, value in made.properties.items()
        if any(PASSWORD in text for text in texts(value))
    ]

    assert holders == [("MasterSecret", "SecretString")]
    assert all(PASSWORD not in str(value) for value in deployment.outputs.values())


def test_the_api_key_is_made_by_secrets_manager(deployment: Deployment) -> None:
    secret = deployment.named("ApiKeySecret")

    assert secret["Name"] == "metering/api-key"
    assert "SecretString" not in secret
    assert secret["GenerateSecretString"]["GenerateStringKey"] == "api_key"
    assert secret["GenerateSecretString"]["PasswordLength"] >= 32


def test_every_log_group_forgets(deployment: Deployment) -> None:
    groups = deployment.of("AWS::Logs::LogGroup")

    assert len(groups) == 7
    assert {group.properties["RetentionInDays"] for group in groups} == {30}


def test_access_logs_do_not_name_the_meter(deployment: Deployment) -> None:
    form = deployment.named("Stage")["AccessLogSettings"]["Format"]

    assert "$context.routeKey" in form
    assert not [word for word in ("$context.path", "$context.http.path", "sourceIp") if word in form]
