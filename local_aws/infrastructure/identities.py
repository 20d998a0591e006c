"""AWS::IAM::Role, Policy and ManagedPolicy by moto. Nothing is enforced locally; ARNs and documents are real."""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import ClientError

from local_aws.infrastructure.deployment import Deployment, missing
from local_aws.infrastructure.templates import Resource, Stack

NOT_FOUND = "NoSuchEntity"


def role(deployment: Deployment, stack: Stack, logical_id: str, properties: dict[str, Any]) -> Resource:
    iam = deployment.client("iam")
    name = properties.get("RoleName") or deployment.generated_name(stack, logical_id)[-64:]
    trust = properties["AssumeRolePolicyDocument"]
    try:
        known = iam.get_role(RoleName=name)["Role"]
        if known["AssumeRolePolicyDocument"] != trust:
            iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(trust))
    except ClientError as error:
        missing(error, NOT_FOUND)
        path = {"Path": properties["Path"]} if "Path" in properties else {}
        known = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust), **path)["Role"]
    for policy in properties.get("Policies", []):
        _put_inline(iam, name, policy["PolicyName"], policy["PolicyDocument"])
    _attach(iam, name, properties.get("ManagedPolicyArns", []))
    return Resource(name, {"Arn": known["Arn"], "RoleId": known["RoleId"]})


def policy(deployment: Deployment, stack: Stack, logical_id: str, properties: dict[str, Any]) -> Resource:
    for name in properties.get("Roles", []):
        _put_inline(deployment.client("iam"), name, properties["PolicyName"], properties["PolicyDocument"])
    return Resource(properties["PolicyName"])


def managed_policy(deployment: Deployment, stack: Stack, logical_id: str, properties: dict[str, Any]) -> Resource:
    iam = deployment.client("iam")
    name = properties.get("ManagedPolicyName") or deployment.generated_name(stack, logical_id)
    arn = deployment.arn("iam", f"policy{properties.get('Path', '/')}{name}", regional=False)
    wanted = properties["PolicyDocument"]
    try:
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        known = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
        if known != wanted:
            iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(wanted), SetAsDefault=True)
            iam.delete_policy_version(PolicyArn=arn, VersionId=version)
    except ClientError as error:
        missing(error, NOT_FOUND)
        path = {"Path": properties["Path"]} if "Path" in properties else {}
        iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(wanted), **path)
    for role_name in properties.get("Roles", []):
        _attach(iam, role_name, [arn])
    return Resource(arn)


def instance_profile(deployment: Deployment, stack: Stack, logical_id: str, properties: dict[str, Any]) -> Resource:
    iam = deployment.client("iam")
    name = properties.get("InstanceProfileName") or deployment.generated_name(stack, logical_id)
    try:
        known = iam.get_instance_profile(InstanceProfileName=name)["InstanceProfile"]
    except ClientError as error:
        missing(error, NOT_FOUND)
        known = iam.create_instance_profile(InstanceProfileName=name)["InstanceProfile"]
        for role_name in properties.get("Roles", []):
            iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=role_name)
    return Resource(name, {"Arn": known["Arn"]})


def _put_inline(iam: Any, role_name: str, policy_name: str, document: dict[str, Any]) -> None:
    try:
        known = iam.get_role_policy(RoleName=role_name, PolicyName=policy_name)["PolicyDocument"]
    except ClientError as error:
        known = None if missing(error, NOT_FOUND) else {}
    if known != document:
        iam.put_role_policy(RoleName=role_name, PolicyName=policy_name, PolicyDocument=json.dumps(document))


def _attach(iam: Any, role_name: str, arns: list[str]) -> None:
    attached = iam.list_attached_role_policies(RoleName=role_name)["AttachedPolicies"]
    for arn in set(arns) - {entry["PolicyArn"] for entry in attached}:
        iam.attach_role_policy(RoleName=role_name, PolicyArn=arn)
