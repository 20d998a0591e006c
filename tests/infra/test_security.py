"""What may reach the data: buckets, policies, networks, secrets, logs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.infra.conftest import PASSWORD, Deployment, texts

# Actions that AWS defines for no resource narrower than "*"; each must be held by a condition.
WITHOUT_RESOURCE = {
    "cloudwatch:PutMetricData": {"StringEquals": {"cloudwatch:namespace": "Glue"}},
    "redshift-data:CancelStatement": {"StringEquals": {"redshift-data:statement-owner-iam-userid": "${aws:userid}"}},
    "redshift-data:DescribeStatement": {"StringEquals": {"redshift-data:statement-owner-iam-userid": "${aws:userid}"}},
    "redshift-data:GetStatementResult": {"StringEquals": {"redshift-data:statement-owner-iam-userid": "${aws:userid}"}},
}


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
                assert statement.get("Condition") == WITHOUT_RESOURCE.get(action), f"{owner}: {action} on *"


def test_no_policy_lets_anybody_in(deployment: Deployment) -> None:
    for owner, statement in allowed(deployment):
        assert "*" not in texts(statement.get("Principal", {})), owner


def test_services_of_other_accounts_cannot_use_the_roles_of_glue_and_redshift(deployment: Deployment) -> None:
    for owner, statement in allowed(deployment):
        if statement.get("Principal", {}).get("Service") in ("glue.amazonaws.com", "redshift.amazonaws.com"):
            assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}, owner


def test_no_role_has_a_managed_policy_of_aws(deployment: Deployment) -> None:
    roles = deployment.of("AWS::IAM::Role")

    assert len(roles) == 5
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

    assert len(groups) == 3
    assert {group.properties["RetentionInDays"] for group in groups} == {30}


def test_access_logs_do_not_name_the_meter(deployment: Deployment) -> None:
    form = deployment.named("Stage")["AccessLogSettings"]["Format"]

    assert "$context.routeKey" in form
    assert not [word for word in ("$context.path", "$context.http.path", "sourceIp") if word in form]
