"""What a crawler's definition must be, with Glue's defaults filled in."""

from __future__ import annotations

import json

from local_aws.glue.names import invalid
from local_aws.service import Response

TARGETS = (
    "S3Targets",
    "JdbcTargets",
    "MongoDBTargets",
    "DynamoDBTargets",
    "CatalogTargets",
    "DeltaTargets",
    "IcebergTargets",
    "HudiTargets",
)
SERVED_TARGETS = ("S3Targets", "CatalogTargets")


def checked(crawler: Response) -> Response:
    """The crawler as GetCrawler shows it, less what Glue itself adds. Raises InvalidInputException."""
    targets = {kind: crawler["Targets"].get(kind, []) for kind in TARGETS}
    unserved = [kind for kind, listed in targets.items() if listed and kind not in SERVED_TARGETS]
    if unserved:
        raise invalid(f"{', '.join(unserved)} are not served here")
    if not any(targets.values()):
        raise invalid("A crawler needs at least one target.")
    if crawler.get("Schedule"):
        raise invalid("Schedules of crawlers are not served here: DAGs start them")
    policy = {
        "UpdateBehavior": "UPDATE_IN_DATABASE",
        "DeleteBehavior": "DEPRECATE_IN_DATABASE",
        **crawler.get("SchemaChangePolicy", {}),
    }
    if targets["CatalogTargets"] and policy["DeleteBehavior"] != "LOG":
        raise invalid("The SchemaChangePolicy for Catalog Target can have only LOG DeleteBehavior value.")
    if targets["CatalogTargets"] and targets["S3Targets"]:
        raise invalid("Catalog targets cannot be mixed with other targets.")
    if targets["S3Targets"] and not crawler.get("DatabaseName"):
        raise invalid("Database name is missing.")
    for target in targets["S3Targets"]:
        if not target.get("Path", "").startswith("s3://"):
            raise invalid(f"{target.get('Path')} is no s3:// path")
    if crawler.get("Configuration"):
        _require_json(crawler["Configuration"])
    defaults = {
        "Classifiers": [],
        "RecrawlPolicy": {"RecrawlBehavior": "CRAWL_EVERYTHING"},
        "LineageConfiguration": {"CrawlerLineageSettings": "DISABLE"},
    }
    s3_targets = [{"Exclusions": [], **target} for target in targets["S3Targets"]]
    return defaults | crawler | {"Targets": targets | {"S3Targets": s3_targets}, "SchemaChangePolicy": policy}


def _require_json(configuration: str) -> None:
    try:
        version = json.loads(configuration).get("Version")
    except (ValueError, AttributeError) as error:
        raise invalid(f"Configuration is no JSON object: {error}") from None
    if version != 1.0:
        raise invalid("Configuration must name its Version: 1.0")
