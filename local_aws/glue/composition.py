"""The services of Glue and CloudWatch Logs, put together."""

from __future__ import annotations

from typing import Any

from local_aws.glue.crawlers import GlueCrawlers
from local_aws.glue.databases import GlueDatabases
from local_aws.glue.job_runs import GlueJobRuns
from local_aws.glue.jobs import GlueJobs
from local_aws.glue.log_store import LogStore
from local_aws.glue.log_streams import LogStreams
from local_aws.glue.partitions import GluePartitions
from local_aws.glue.tables import GlueTables
from local_aws.glue.tags import GlueTags
from local_aws.service import Service
from local_aws.settings import Settings
from local_aws.state import State


def glue_services(settings: Settings, state: State, s3: Any, logs: LogStore) -> list[Service]:
    """In the order in which they start. `s3` is a client of the local S3."""
    account = settings.account_id
    arn_prefix = f"arn:{settings.partition}:logs:{settings.region}:{account}"
    tables = GlueTables(state, account, creator=f"arn:{settings.partition}:iam::{account}:root")
    partitions = GluePartitions(state, account)
    return [
        LogStreams(logs, arn_prefix),
        GlueDatabases(state, account),
        tables,
        partitions,
        GlueCrawlers(state, settings, s3, logs, tables, partitions),
        GlueTags(state),
        GlueJobs(state, settings),
        GlueJobRuns(state, settings, s3, logs),
    ]
