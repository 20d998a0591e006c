"""Which resource types become what. A type that stands in neither table stops the deployment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local_aws.infrastructure import (
    catalog,
    identities,
    log_groups,
    parameters,
    rest_api,
    storage,
    warehouse,
    workgroups,
)
from local_aws.infrastructure.deployment import Deployment
from local_aws.infrastructure.templates import Resource, Stack, TemplateError

Handler = Callable[[Deployment, Stack, str, dict[str, Any]], Resource]

HANDLERS: dict[str, Handler] = {
    "AWS::S3::Bucket": storage.bucket,
    "AWS::Glue::Database": catalog.database,
    "AWS::Glue::Table": catalog.table,
    "AWS::Glue::Crawler": catalog.crawler,
    "AWS::Glue::Job": catalog.job,
    "AWS::Athena::WorkGroup": workgroups.workgroup,
    "AWS::SSM::Parameter": parameters.ssm_parameter,
    "AWS::SecretsManager::Secret": parameters.secret,
    "AWS::SNS::Topic": parameters.topic,
    "AWS::SNS::TopicPolicy": parameters.topic_policy,
    "AWS::SNS::Subscription": parameters.subscription,
    "AWS::KMS::Key": parameters.key,
    "AWS::KMS::Alias": parameters.key_alias,
    "AWS::IAM::Role": identities.role,
    "AWS::IAM::Policy": identities.policy,
    "AWS::IAM::ManagedPolicy": identities.managed_policy,
    "AWS::IAM::InstanceProfile": identities.instance_profile,
    "AWS::Logs::LogGroup": log_groups.log_group,
    "AWS::Redshift::Cluster": warehouse.cluster,
    "AWS::Lambda::Function": rest_api.function,
    "AWS::ApiGatewayV2::Api": rest_api.api,
    "AWS::ApiGatewayV2::Authorizer": rest_api.authorizer,
    "AWS::ApiGatewayV2::Integration": rest_api.integration,
    "AWS::ApiGatewayV2::Route": rest_api.route,
    "AWS::ApiGatewayV2::Stage": rest_api.stage,
}

_NETWORK = "everything listens on 127.0.0.1: there is no network to build"
_MONITORING = "nothing is measured locally: `status` and the logs tell how the stack is"
_PERMISSION = "the local gateway calls the functions of its own routes only"

PASSED_OVER: dict[str, str] = {
    "AWS::S3::BucketPolicy": "it guards against other accounts and plain HTTP; locally S3 is plain HTTP on 127.0.0.1",
    "AWS::EC2::VPC": _NETWORK,
    "AWS::EC2::Subnet": _NETWORK,
    "AWS::EC2::RouteTable": _NETWORK,
    "AWS::EC2::SubnetRouteTableAssociation": _NETWORK,
    "AWS::EC2::VPCEndpoint": _NETWORK,
    "AWS::EC2::SecurityGroup": _NETWORK,
    "AWS::EC2::SecurityGroupIngress": _NETWORK,
    "AWS::EC2::SecurityGroupEgress": _NETWORK,
    "AWS::EC2::InternetGateway": _NETWORK,
    "AWS::EC2::VPCGatewayAttachment": _NETWORK,
    "AWS::EC2::NatGateway": _NETWORK,
    "AWS::EC2::EIP": _NETWORK,
    "AWS::EC2::Route": _NETWORK,
    "AWS::Redshift::ClusterSubnetGroup": _NETWORK,
    "AWS::Redshift::ClusterParameterGroup": "PostgreSQL has parameters of its own",
    "AWS::CloudWatch::Alarm": _MONITORING,
    "AWS::CloudWatch::Dashboard": _MONITORING,
    "AWS::Lambda::Permission": _PERMISSION,
    "AWS::MWAA::Environment": "Airflow runs as a process of the local stack",
}


class _PassedOver(Resource):
    """A resource that exists by name only. What GetAtt gives of it can stand in other passed-over places."""

    def get_cfn_attribute(self, name: str) -> str:
        return f"{self.physical_resource_id}.{name}"


def create(deployment: Deployment, stack: Stack, logical_id: str, kind: str, properties: dict[str, Any]) -> Resource:
    """Make one resource of a template, or bring it up to date. Raises TemplateError."""
    where = f"{stack.path.name}, {logical_id} ({kind})"
    if kind in PASSED_OVER:
        return _PassedOver(deployment.generated_name(stack, logical_id))
    if kind not in HANDLERS:
        raise TemplateError(f"{where}: local_aws knows no such resource type: make it, or say why it is passed over")
    try:
        return HANDLERS[kind](deployment, stack, logical_id, properties)
    except (ClientError, BotoCoreError) as error:
        raise TemplateError(f"{where}: {error}") from error
    except KeyError as error:
        raise TemplateError(f"{where}: the property {error} is missing") from error
    except ValueError as error:
        raise TemplateError(f"{where}: {error}") from error
