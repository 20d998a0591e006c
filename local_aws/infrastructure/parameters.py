"""AWS::SSM::Parameter, AWS::SecretsManager::Secret, AWS::SNS::* and AWS::KMS::*, by moto.

Nothing is written that is already so: every write is kept by the control plane for its next start.
"""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import ClientError

from local_aws.infrastructure.deployment import Deployment, missing
from local_aws.infrastructure.templates import Resource, Stack


def ssm_parameter(deployment: Deployment, stack: Stack, logical_id: str, properties: dict[str, Any]) -> Resource:
    ssm = deployment.client("ssm")
    name = properties.get("Name") or deployment.generated_name(stack, logical_id)
    try:
        known = ssm.get_parameter(Name=name)["Parameter"]["Value"]
    except ClientError as error:
        known = None if missing(error, "ParameterNotFound") else ""
    if known != properties["Value"]:
        wanted = {key: properties[key] for key in ("Description", "Type", "Value") if key in properties}
        ssm.put_parameter(Name=name, Overwrite=True, **wanted)
    return Resource(name, {"Type": properties["Type"], "Value": properties["Value"]})


def secret(deployment: Deployment, stack: Stack, logical_id: str, properties: dict[str, Any]) -> Resource:
    """A given text is kept up to date; a generated one is made once and never again."""
    manager = deployment.client("secretsmanager")
    name = properties.get("Name") or deployment.generated_name(stack, logical_id)
    given = properties.get("SecretString")
    try:
        known = manager.get_secret_value(SecretId=name)
        if given is not None and known["SecretString"] != given:
            manager.put_secret_value(SecretId=name, SecretString=given)
        arn = known["ARN"]
    except ClientError as error:
        missing(error, "ResourceNotFoundException")
        text = given if given is not None else _generated(manager, properties.get("GenerateSecretString", {}))
        wanted = {"Description": properties["Description"]} if "Description" in properties else {}
        arn = manager.create_secret(Name=name, SecretString=text, **wanted)["ARN"]
    return Resource(arn, {"Id": arn})


def topic(deployment: Deployment, stack: Stack, logical_id: str, properties: dict[str, Any]) -> Resource:
    sns = deployment.client("sns")
    name = properties.get("TopicName") or deployment.generated_name(stack, logical_id)
    arn = deployment.arn("sns", name)
    try:
        sns.get_topic_attributes(TopicArn=arn)
    except ClientError as error:
        missing(error, "NotFound", "NotFoundException")
        display = {"DisplayName": properties["DisplayName"]} if "DisplayName" in properties else {}
        sns.create_topic(Name=name, Attributes=display)
    return Resource(arn, {"TopicArn": arn, "TopicName": name})


def topic_policy(deployment: Deployment, stack: Stack, logical_id: str, properties: dict[str, Any]) -> Resource:
    sns = deployment.client("sns")
    wanted = properties["PolicyDocument"]
    for arn in properties["Topics"]:
        known = sns.get_topic_attributes(TopicArn=arn)["Attributes"].get("Policy", "{}")
        if json.loads(known) != wanted:
            sns.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=json.dumps(wanted))
    return Resource(deployment.generated_name(stack, logical_id))


def subscription(deployment: Deployment, stack: Stack, logical_id: str, properties: dict[str, Any]) -> Resource:
    sns = deployment.client("sns")
    arn, protocol, endpoint = properties["TopicArn"], properties["Protocol"], properties["Endpoint"]
    for known in sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]:
        if (known["Protocol"], known["Endpoint"]) == (protocol, endpoint):
            return Resource(known["SubscriptionArn"])
    made = sns.subscribe(TopicArn=arn, Protocol=protocol, Endpoint=endpoint, ReturnSubscriptionArn=True)
    return Resource(made["SubscriptionArn"])


def key(deployment: Deployment, stack: Stack, logical_id: str, properties: dict[str, Any]) -> Resource:
    """A key is found again by a tag with its place in the templates."""
    kms = deployment.client("kms")
    mark = {"TagKey": "local_aws:logical-id", "TagValue": f"{stack.name}/{logical_id}"}
    for known in kms.list_keys()["Keys"]:
        if mark in kms.list_resource_tags(KeyId=known["KeyId"])["Tags"]:
            return Resource(known["KeyId"], {"Arn": known["KeyArn"], "KeyId": known["KeyId"]})
    policy = json.dumps(properties.get("KeyPolicy", {}))
    made = kms.create_key(Description=properties.get("Description", ""), Policy=policy, Tags=[mark])["KeyMetadata"]
    return Resource(made["KeyId"], {"Arn": made["Arn"], "KeyId": made["KeyId"]})


def key_alias(deployment: Deployment, stack: Stack, logical_id: str, properties: dict[str, Any]) -> Resource:
    kms = deployment.client("kms")
    name, target = properties["AliasName"], properties["TargetKeyId"].rpartition("/")[2]
    known = {alias["AliasName"]: alias.get("TargetKeyId") for alias in kms.list_aliases()["Aliases"]}
    if name not in known:
        kms.create_alias(AliasName=name, TargetKeyId=target)
    elif known[name] != target:
        kms.update_alias(AliasName=name, TargetKeyId=target)
    return Resource(name)


def _generated(manager: Any, rules: dict[str, Any]) -> str:
    about_text = ("GenerateStringKey", "SecretStringTemplate")
    about_password = {name: value for name, value in rules.items() if name not in about_text}
    password: str = manager.get_random_password(**about_password)["RandomPassword"]
    if "GenerateStringKey" not in rules:
        return password
    return json.dumps({**json.loads(rules["SecretStringTemplate"]), rules["GenerateStringKey"]: password})
