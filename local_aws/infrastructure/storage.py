"""AWS::S3::Bucket on SeaweedFS. What only matters between accounts, or costs money, is left out: see PASSED_OVER."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from local_aws.infrastructure.deployment import Deployment, missing
from local_aws.infrastructure.templates import Resource, Stack

# Everything on 127.0.0.1 is this machine's user's own: no public access to block, no encryption at rest to order. The
# engine keeps no old versions, and local data ends when the user deletes it, not by a lifecycle rule.
PASSED_OVER = {
    "BucketEncryption",
    "PublicAccessBlockConfiguration",
    "OwnershipControls",
    "VersioningConfiguration",
    "LifecycleConfiguration",
    "LoggingConfiguration",
    "Tags",
}


def bucket(deployment: Deployment, stack: Stack, logical_id: str, properties: dict[str, Any]) -> Resource:
    """Make the bucket if it is missing; its objects are never touched."""
    unknown = set(properties) - PASSED_OVER - {"BucketName"}
    if unknown:
        raise ValueError(f"local_aws does not know the bucket property {', '.join(sorted(unknown))}")
    name = properties.get("BucketName") or deployment.generated_name(stack, logical_id).lower()
    client = deployment.client("s3")
    try:
        client.head_bucket(Bucket=name)
    except ClientError as error:
        if missing(error, "404", "NoSuchBucket"):
            client.create_bucket(
                Bucket=name, CreateBucketConfiguration={"LocationConstraint": deployment.settings.region}
            )
    suffix = "amazonaws.com.cn" if deployment.settings.partition == "aws-cn" else "amazonaws.com"
    attributes = {
        "Arn": f"arn:{deployment.settings.partition}:s3:::{name}",
        "DomainName": f"{name}.s3.{suffix}",
        "RegionalDomainName": f"{name}.s3.{deployment.settings.region}.{suffix}",
    }
    return Resource(name, attributes)
