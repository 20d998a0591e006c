"""Models and endpoint configs: made, shown, listed, deleted, refused."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.engines.seaweedfs import SeaweedFS
from tests.local_aws.sagemaker import requests
from tests.local_aws.sagemaker.conftest import Call

Create = Callable[..., str]


def test_a_model_is_shown_as_it_was_made_until_it_is_deleted(sagemaker: Call, model: Create) -> None:
    name = model(A="1")
    described = sagemaker("DescribeModel", ModelName=name)
    assert described["ModelArn"] == f"arn:aws:sagemaker:eu-west-1:123456789012:model/{name}"
    assert described["PrimaryContainer"]["Environment"] == {"A": "1"}
    assert described["ExecutionRoleArn"] == requests.ROLE
    assert [entry["ModelName"] for entry in sagemaker("ListModels", NameContains=name)["Models"]] == [name]
    with pytest.raises(ClientError, match="Cannot create already existing model"):
        sagemaker("CreateModel", ModelName=name, PrimaryContainer=described["PrimaryContainer"])
    sagemaker("DeleteModel", ModelName=name)
    for operation in ("DescribeModel", "DeleteModel"):
        with pytest.raises(ClientError, match=f'Could not find model ".*:model/{name}"') as caught:
            sagemaker(operation, ModelName=name)
        assert caught.value.response["Error"]["Code"] == "ValidationException"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ModelDataUrl": "s3://no-such-bucket-here/model.tar.gz"}, "Could not find model data at s3://no-such-bucket"),
        ({"Image": "1.dkr.ecr.eu-west-1.amazonaws.com/xgboost:1"}, "local_aws runs the image forecasting-deepar:1"),
        ({"Mode": "MultiModel"}, "does not serve Mode MultiModel"),
    ],
)
def test_a_model_that_could_not_be_served_is_refused(
    sagemaker: Call, model: Create, changes: dict[str, str], message: str
) -> None:
    container = sagemaker("DescribeModel", ModelName=model())["PrimaryContainer"]
    with pytest.raises(ClientError, match=message):
        sagemaker("CreateModel", ModelName=requests.new_name("m"), PrimaryContainer=container | changes)


def test_an_artefact_that_is_no_archive_fails_the_endpoint(sagemaker: Call, data: str, seaweedfs: SeaweedFS) -> None:
    seaweedfs.client().put_object(Bucket=data, Key="broken.tar.gz", Body=b"nonsense")
    assert "Failed to extract model data archive" in failure(sagemaker, f"s3://{data}/broken.tar.gz")


def test_an_archive_that_leads_out_of_its_folder_fails_the_endpoint(
    sagemaker: Call, data: str, seaweedfs: SeaweedFS
) -> None:
    body = requests.archive({}, name="../../evil.json")
    seaweedfs.client().put_object(Bucket=data, Key="evil.tar.gz", Body=body)
    assert "'../../evil.json' is no file or folder of the model" in failure(sagemaker, f"s3://{data}/evil.tar.gz")


def test_an_archive_with_a_link_out_of_its_folder_fails_the_endpoint(
    sagemaker: Call, data: str, seaweedfs: SeaweedFS
) -> None:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz") as tar:
        link = tarfile.TarInfo("model.json")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    seaweedfs.client().put_object(Bucket=data, Key="link.tar.gz", Body=target.getvalue())
    assert "'model.json' is no file or folder of the model" in failure(sagemaker, f"s3://{data}/link.tar.gz")


def failure(sagemaker: Call, artefact: str) -> str:
    """The FailureReason of an endpoint that serves an artefact."""
    name = requests.new_name("broken")
    sagemaker("CreateModel", **requests.model(name, artefact, {}))
    sagemaker("CreateEndpointConfig", **requests.endpoint_config(name, name))
    sagemaker("CreateEndpoint", EndpointName=name, EndpointConfigName=name)
    described = requests.settled_endpoint(sagemaker, name)
    assert described["EndpointStatus"] == "Failed"
    return described["FailureReason"]


def test_an_endpoint_config_is_shown_as_it_was_made_until_it_is_deleted(sagemaker: Call, config: Create) -> None:
    name = config()
    described = sagemaker("DescribeEndpointConfig", EndpointConfigName=name)
    assert described["EndpointConfigArn"] == f"arn:aws:sagemaker:eu-west-1:123456789012:endpoint-config/{name}"
    [variant] = described["ProductionVariants"]
    assert (variant["InstanceType"], variant["InitialVariantWeight"]) == ("ml.m5.xlarge", 1.0)
    found = sagemaker("ListEndpointConfigs", NameContains=name)["EndpointConfigs"]
    assert [entry["EndpointConfigName"] for entry in found] == [name]
    with pytest.raises(ClientError, match="Cannot create already existing endpoint configuration"):
        sagemaker("CreateEndpointConfig", **requests.endpoint_config(name, variant["ModelName"]))
    sagemaker("DeleteEndpointConfig", EndpointConfigName=name)
    with pytest.raises(ClientError, match="Could not find endpoint configuration"):
        sagemaker("DescribeEndpointConfig", EndpointConfigName=name)


def test_a_config_of_an_unknown_model_or_of_two_variants_is_refused(sagemaker: Call, model: Create) -> None:
    name = requests.new_name("config")
    with pytest.raises(ClientError, match="Could not find model"):
        sagemaker("CreateEndpointConfig", **requests.endpoint_config(name, "nobody"))
    two = requests.endpoint_config(name, model())
    two["ProductionVariants"].append(two["ProductionVariants"][0] | {"VariantName": "Second"})
    with pytest.raises(ClientError, match="does not serve more than one production variant"):
        sagemaker("CreateEndpointConfig", **two)


def test_an_endpoint_of_an_unknown_config_is_refused(sagemaker: Call) -> None:
    with pytest.raises(ClientError, match="Could not find endpoint configuration"):
        sagemaker("CreateEndpoint", EndpointName=requests.new_name("e"), EndpointConfigName="nobody")


def test_a_stepwise_deployment_is_refused(sagemaker: Call, endpoint: Create, config: Create) -> None:
    routing: dict[str, Any] = {"Type": "CANARY", "WaitIntervalInSeconds": 1}
    routing["CanarySize"] = {"Type": "INSTANCE_COUNT", "Value": 1}
    with pytest.raises(ClientError, match="other than blue/green, ALL_AT_ONCE"):
        sagemaker(
            "UpdateEndpoint",
            EndpointName=endpoint(),
            EndpointConfigName=config(),
            DeploymentConfig={"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing}},
        )
