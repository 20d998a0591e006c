"""Carry out infra/main.yaml on the running local stack, as often as wanted: definitions are updated, data stays."""

from __future__ import annotations

import json
import secrets
import string
from pathlib import Path
from typing import Any

from local_aws.private_files import write_private
from local_aws.settings import Settings

MASTER_USERNAME = "metering"


def deploy(
    settings: Settings, template: Path | None = None, parameters: dict[str, str] | None = None
) -> dict[str, Any]:
    """Make all resources of the template and upload the Glue artefacts; returns the stack's outputs.

    The description of the REST API is written to rest_api_file(settings). Raises TemplateError.
    """
    # The control plane imports this module for rest_api_file; the parser of templates costs it 150 MB.
    from local_aws.infrastructure import artefacts
    from local_aws.infrastructure.deployment import Deployment
    from local_aws.infrastructure.resources import create
    from local_aws.infrastructure.templates import Stack

    deployment = Deployment(settings)
    stack = Stack(
        settings.project_name,
        template or settings.repository / "infra" / "main.yaml",
        local_parameters(settings) if parameters is None else parameters,
        settings.region,
        settings.account_id,
        lambda *arguments: create(deployment, *arguments),
    )
    stack.make_all()
    outputs = stack.outputs()
    if "ScriptsBucketName" in outputs:
        scripts = artefacts.glue_artefacts(settings.repository)
        artefacts.upload(deployment.client("s3"), outputs["ScriptsBucketName"], scripts)
    write_private(rest_api_file(settings), json.dumps(deployment.api, indent=1))
    return outputs


def rest_api_file(settings: Settings) -> Path:
    """Where the gateway finds its functions and routes (see infrastructure/rest_api.py)."""
    return settings.home / "rest_api.json"


def local_parameters(settings: Settings) -> dict[str, str]:
    """The values that a person would type when deploying; the password is made once and kept (mode 0600)."""
    return {
        "ProjectName": settings.project_name,
        "MasterUsername": MASTER_USERNAME,
        "MasterUserPassword": _master_password(settings.home / "master_password"),
        "DBName": settings.redshift_database,
        "AvailabilityZones": f"{settings.region}a,{settings.region}b",
        "QSS3BucketName": settings.bucket("scripts"),
        **deployment_parameters(settings),
    }


def deployment_parameters(settings: Settings) -> dict[str, str]:
    """What a setting of this machine chooses."""
    return {
        "WithWeather": str(settings.with_weather),
        "TrainingEpochs": str(settings.training_epochs),
        "TrainingSamples": str(settings.training_samples),
    }


def _master_password(path: Path) -> str:
    """At least one upper-case letter, one lower-case letter and one digit, as Redshift asks for."""
    if not path.exists():
        alphabet = string.ascii_letters + string.digits
        random = "".join(secrets.choice(alphabet) for _ in range(24))
        write_private(path, f"{random}aA1")
    return path.read_text()
