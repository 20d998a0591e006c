"""AWS::Glue::Database, Table, Crawler and Job through the Glue API of the control plane."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from local_aws.infrastructure.deployment import Deployment, missing
from local_aws.infrastructure.templates import Resource, Stack

NOT_FOUND = "EntityNotFoundException"


def database(deployment: Deployment, stack: Stack, logical_id: str, properties: dict[str, Any]) -> Resource:
    glue = deployment.client("glue")
    given = properties["DatabaseInput"]
    try:
        glue.get_database(Name=given["Name"])
        glue.update_database(Name=given["Name"], DatabaseInput=given)
    except ClientError as error:
        if missing(error, NOT_FOUND):
            glue.create_database(DatabaseInput=given)
    return Resource(given["Name"])


def table(deployment: Deployment, stack: Stack, logical_id: str, properties: dict[str, Any]) -> Resource:
    """The definition is that of the template; partitions, and parameters that a crawler or a job added, stay."""
    glue = deployment.client("glue")
    database_name, given = properties["DatabaseName"], properties["TableInput"]
    try:
        known = glue.get_table(DatabaseName=database_name, Name=given["Name"])["Table"]
        parameters = {**known.get("Parameters", {}), **given.get("Parameters", {})}
        glue.update_table(DatabaseName=database_name, TableInput={**given, "Parameters": parameters}, SkipArchive=True)
    except ClientError as error:
        if missing(error, NOT_FOUND):
            glue.create_table(DatabaseName=database_name, TableInput=given)
    return Resource(given["Name"])


def crawler(deployment: Deployment, stack: Stack, logical_id: str, properties: dict[str, Any]) -> Resource:
    glue = deployment.client("glue")
    given = {"Name": deployment.generated_name(stack, logical_id), **properties}
    if "Schedule" in given:
        given["Schedule"] = given["Schedule"]["ScheduleExpression"]
    try:
        glue.get_crawler(Name=given["Name"])
        glue.update_crawler(**{name: value for name, value in given.items() if name != "Tags"})
    except ClientError as error:
        if missing(error, NOT_FOUND):
            glue.create_crawler(**given)
    return Resource(given["Name"])


def job(deployment: Deployment, stack: Stack, logical_id: str, properties: dict[str, Any]) -> Resource:
    glue = deployment.client("glue")
    given = {"Name": deployment.generated_name(stack, logical_id), **properties}
    given["DefaultArguments"] = {name: str(value) for name, value in given.get("DefaultArguments", {}).items()}
    try:
        glue.get_job(JobName=given["Name"])
        update = {name: value for name, value in given.items() if name not in ("Name", "Tags")}
        glue.update_job(JobName=given["Name"], JobUpdate=update)
    except ClientError as error:
        if missing(error, NOT_FOUND):
            glue.create_job(**given)
    return Resource(given["Name"])
