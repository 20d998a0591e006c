"""The templates are valid, nest each other, and resolve in the commercial and the China partition alike."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from local_aws.infrastructure.templates import load
from tests.infra.conftest import texts

INFRA = Path(__file__).resolve().parents[2] / "infra"
TEMPLATES = sorted(INFRA.glob("*.yaml"))

# Names and defaults that operators know from the deployment guide.
GUIDE_PARAMETERS = {
    "MasterUsername": None,
    "MasterUserPassword": None,
    "ClusterName": "redshift-cluster-1",
    "DBName": "meter-data",
    "RedshiftPort": 5439,
    "AvailabilityZones": None,
    "VPCCIDR": "10.0.0.0/16",
    "PrivateSubnet1ACIDR": "10.0.0.0/19",
    "PrivateSubnet2ACIDR": "10.0.32.0/19",
    "RemoteAccessCIDR": "",
    "LandingzoneTransformer": "London",
    "CreateLandingZoneS3Bucket": "Yes",
    "LandingZoneS3BucketName": "",
    "NoOfMeters": "1-50000",
    "WithWeather": "0",
    "QSS3BucketName": None,
    "QSS3KeyPrefix": "metering/",
    "QSS3BucketRegion": "",
}


def test_the_linter_finds_nothing_in_either_partition() -> None:
    linter = Path(sys.executable).parent / "cfn-lint"
    command = [str(linter), "--regions", "eu-west-1", "cn-north-1", "cn-northwest-1", "--"]
    lint = subprocess.run([*command, *map(str, TEMPLATES)], capture_output=True, text=True, timeout=300)

    assert lint.returncode == 0, lint.stdout + lint.stderr


def test_the_main_template_nests_every_other_one() -> None:
    nested = {
        Path(resource["Properties"]["TemplateURL"]["Fn::Sub"][0]).name
        for resource in load(INFRA / "main.yaml")["Resources"].values()
    }

    assert nested == {path.name for path in TEMPLATES} - {"main.yaml"}


def test_operators_find_the_parameters_and_defaults_of_the_guide() -> None:
    parameters = load(INFRA / "main.yaml")["Parameters"]

    assert {name: parameters.get(name, {}).get("Default") for name in GUIDE_PARAMETERS} == GUIDE_PARAMETERS


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_no_template_needs_a_transform(template: Path) -> None:
    assert "Transform" not in load(template)


def test_every_arn_is_of_the_partition_it_is_deployed_in(deployment) -> None:
    found = [text for made in deployment.resources for text in texts(made.properties) if text.startswith("arn:")]

    assert len(found) > 20
    assert {text.split(":")[1] for text in found} == {deployment.partition}


def test_addresses_end_in_the_suffix_of_the_partition(deployment) -> None:
    suffix = {"aws": "amazonaws.com", "aws-cn": "amazonaws.com.cn"}[deployment.partition]

    assert deployment.outputs["ApiUrl"].endswith(f".execute-api.{deployment.region}.{suffix}")


def test_nothing_is_left_unresolved(deployment) -> None:
    of_iam = "${aws:userid}"
    left = [
        (made.template, made.logical_id, text)
        for made in deployment.resources
        for text in texts(made.properties)
        if "${" in text.replace(of_iam, "") or "None" in text
    ]

    assert left == []


@pytest.mark.parametrize(
    ("password", "fits"),
    [
        ("Abcdef12", True),
        ("aB3!#$%&()*+,-.:;<=>?[]^_`{|}~", True),
        ("Abcdef1", False),
        ("abcdef12", False),
        ("ABCDEF12", False),
        ("Abcdefgh", False),
        ("A" + "b1" * 32, False),
        *[(f"Abcdef12{sign}", False) for sign in "'\"/\\@ é"],
    ],
)
@pytest.mark.parametrize("template", ["main.yaml", "redshift.yaml"])
def test_the_master_password_follows_the_rules_of_redshift(template: str, password: str, fits: bool) -> None:
    rule = load(INFRA / template)["Parameters"]["MasterUserPassword"]

    assert bool(re.fullmatch(rule["AllowedPattern"], password)) is fits
    assert rule["NoEcho"] is True


@pytest.mark.parametrize(
    ("username", "fits"),
    [("owner", True), ("a", True), ("o.w_n+e@r-1", True), ("Owner", False), ("1owner", False), ("o" * 128, False)],
)
def test_the_master_username_follows_the_rules_of_redshift(username: str, fits: bool) -> None:
    rule = load(INFRA / "main.yaml")["Parameters"]["MasterUsername"]["AllowedPattern"]

    assert bool(re.fullmatch(rule, username)) is fits


@pytest.mark.parametrize(
    ("cidr", "fits"),
    [("", True), ("10.1.0.0/16", True), ("192.0.2.7/32", True), ("0.0.0.0/0", False), ("10.0.0.0/7", False)],
)
def test_the_warehouse_cannot_be_opened_to_the_world(cidr: str, fits: bool) -> None:
    rule = load(INFRA / "main.yaml")["Parameters"]["RemoteAccessCIDR"]["AllowedPattern"]

    assert bool(re.fullmatch(rule, cidr)) is fits


def test_every_transformer_that_a_deployment_may_choose_is_there() -> None:
    choices = load(INFRA / "main.yaml")["Parameters"]["LandingzoneTransformer"]["AllowedValues"]
    modules = load(INFRA / "airflow_variables.yaml")["Mappings"]["Transformer"]

    assert choices == ["London", "Default"]
    for choice in choices:
        assert (INFRA.parent / "include/glue/meter_data/readers" / f"{modules[choice]['Name']}.py").exists()


def test_the_airflow_variable_names_the_deployment(deployment) -> None:
    suffix = f"123456789012-{deployment.region}"
    parameter = deployment.named("DeploymentVariable")
    value = json.loads(parameter["Value"])
    names = ("redshift_secret_arn", "redshift_copy_role_arn", "alerts_topic_arn", "sagemaker_role_arn")
    arns = {name: value.pop(name) for name in names}

    assert parameter["Name"] == "/airflow/variables/metering"
    assert value == {
        "account_id": "123456789012",
        "region": deployment.region,
        "partition": deployment.partition,
        "landing_bucket": f"metering-landing-{suffix}",
        "landing_prefix": "readings/",
        "clean_bucket": f"metering-clean-{suffix}",
        "business_bucket": f"metering-business-{suffix}",
        "working_bucket": f"metering-working-{suffix}",
        "scripts_bucket": f"metering-scripts-{suffix}",
        "athena_bucket": f"metering-athena-{suffix}",
        "glue_database": "metering",
        "redshift_cluster": "redshift-cluster-1",
        "redshift_database": "meter-data",
        "landing_transformer": "london",
        "athena_workgroup": "metering",
        "forecast_endpoint": "metering-forecast",
        "model_parameters": "/metering",
        "with_weather": False,
        "holidays_country": "GB",
        "intervals_per_hour": 2,
        "training_defaults": {"epochs": 400, "training_samples": 50, "min_improvement": 0},
    }
    assert arns["redshift_secret_arn"].endswith(":metering/redshift")
    assert arns["redshift_copy_role_arn"].startswith(f"arn:{deployment.partition}:iam:")
    assert (
        arns["sagemaker_role_arn"] == f"arn:{deployment.partition}:iam:{deployment.region}:123456789012:ExecutionRole"
    )
    assert arns["alerts_topic_arn"].endswith(":metering-alerts")
    assert len(parameter["Value"]) < 4096, "a standard SSM parameter holds 4 kB"


def test_the_dags_get_the_choices_of_the_operator(deploy) -> None:
    made = deploy(
        "cn-north-1",
        WithWeather="1",
        TrainingEpochs="60",
        TrainingSamples="500",
        MinImprovement="0.05",
        ForecastEndpointName="beijing",
        HolidaysCountry="CN",
        IntervalsPerHour="4",
    )
    value = json.loads(made.named("DeploymentVariable")["Value"])

    assert value["with_weather"] is True
    assert value["training_defaults"] == {"epochs": 60, "training_samples": 500, "min_improvement": 0.05}
    assert (value["forecast_endpoint"], value["holidays_country"], value["intervals_per_hour"]) == ("beijing", "CN", 4)
    assert made.outputs["ForecastEndpointName"] == "beijing"
    assert made.named("EndpointLogs")["LogGroupName"] == "/aws/sagemaker/Endpoints/beijing"


@pytest.mark.parametrize(
    ("name", "value", "fits"),
    [
        ("ForecastEndpointName", "a" * 63, True),
        ("ForecastEndpointName", "a" * 64, False),
        ("ForecastEndpointName", "two--hyphens", False),
        ("ForecastEndpointName", "under_score", False),
        ("HolidaysCountry", "GB", True),
        ("HolidaysCountry", "gb", False),
        ("LandingPrefix", "in/meters/", True),
        ("LandingPrefix", "", False),
    ],
)
def test_a_name_that_aws_would_refuse_is_refused_first(name: str, value: str, fits: bool) -> None:
    assert bool(re.fullmatch(load(INFRA / "main.yaml")["Parameters"][name]["AllowedPattern"], value)) is fits


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_a_template_is_short_enough_to_be_read(template: Path) -> None:
    assert template.read_text().count("\n") < 400, f"{template.name}: split it, as catalog.yaml and glue.yaml are"


def test_a_landing_bucket_of_ones_own_is_used_and_not_created(deploy) -> None:
    made = deploy("eu-west-1", CreateLandingZoneS3Bucket="No", LandingZoneS3BucketName="utility-files")

    assert json.loads(made.named("DeploymentVariable")["Value"])["landing_bucket"] == "utility-files"
    assert "utility-files" not in {bucket.properties["BucketName"] for bucket in made.of("AWS::S3::Bucket")}
    assert made.named("RawToClean")["DefaultArguments"]["--landing_bucket"] == "utility-files"


def test_a_vpc_of_ones_own_is_used_and_none_created(deploy) -> None:
    made = deploy("eu-west-1", VPCID="vpc-1", PrivateSubnet1AID="subnet-1", PrivateSubnet2AID="subnet-2")

    assert made.of("AWS::EC2::VPC") == []
    assert made.named("SecurityGroup")["VpcId"] == "vpc-1"
    assert made.named("SubnetGroup")["SubnetIds"] == ["subnet-1", "subnet-2"]


def test_artefacts_may_lie_in_another_region() -> None:
    storage = load(INFRA / "main.yaml")["Resources"]["Storage"]["Properties"]["TemplateURL"]["Fn::Sub"]

    assert storage == [
        "https://${QSS3BucketName}.s3.${ArtefactRegion}.${AWS::URLSuffix}/${QSS3KeyPrefix}infra/storage.yaml",
        {"ArtefactRegion": {"Fn::If": ["ArtefactsAreHere", {"Ref": "AWS::Region"}, {"Ref": "QSS3BucketRegion"}]}},
    ]
