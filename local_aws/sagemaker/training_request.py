"""What a training job's request may say."""

from __future__ import annotations

from local_aws.sagemaker.names import invalid, refuse, unserved
from local_aws.service import Request
from local_aws.state import Document


def require_served(request: Request) -> None:
    """Raises ValidationException for what SageMaker refuses, and for what cannot be kept here."""
    refuse(request, "ServerlessJobConfig", "ModelPackageConfig", "MlflowConfig")
    algorithm = request["AlgorithmSpecification"]
    if not algorithm.get("TrainingImage"):
        raise unserved("a training job without AlgorithmSpecification.TrainingImage")
    if algorithm.get("MetricDefinitions"):
        raise invalid(
            "You can't override the metric definitions for Amazon SageMaker algorithms."
            " Please retry the request without specifying metric definitions."
        )
    if "ResourceConfig" not in request:
        raise invalid("ResourceConfig is required")
    names = [channel["ChannelName"] for channel in request.get("InputDataConfig", [])]
    if len(set(names)) < len(names):
        raise invalid(f"Channel names must be unique, and are {', '.join(names)}")
    for channel in request.get("InputDataConfig", []):
        _require_served_channel(channel, algorithm["TrainingInputMode"])
    if request["OutputDataConfig"].get("CompressionType", "GZIP") != "GZIP":
        raise unserved("OutputDataConfig.CompressionType NONE")


def _require_served_channel(channel: Document, input_mode: str) -> None:
    where = f"channel {channel['ChannelName']}"
    source = channel["DataSource"].get("S3DataSource")
    if source is None or source["S3DataType"] not in ("S3Prefix", "ManifestFile"):
        raise unserved(f"{where}: a source other than S3Prefix and ManifestFile")
    if channel.get("InputMode", input_mode) == "Pipe":
        raise invalid(f"{where}: the algorithm reads its channels in File mode")
    if channel.get("CompressionType", "None") != "None" or channel.get("RecordWrapperType", "None") != "None":
        raise unserved(f"{where}: CompressionType and RecordWrapperType")
