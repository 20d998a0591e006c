"""Athena on DuckDB: SQL in Trino's dialect over the tables of the Glue catalog, results on S3."""

from __future__ import annotations

from local_aws.athena.catalog import Catalog
from local_aws.athena.engine import Engine
from local_aws.athena.execution import Execution
from local_aws.athena.execution_store import ExecutionStore
from local_aws.athena.metadata import Metadata
from local_aws.athena.queries import Queries
from local_aws.athena.results import Results
from local_aws.athena.sources import Sources
from local_aws.athena.translation import Translator
from local_aws.athena.workgroups import WorkGroups
from local_aws.engines.seaweedfs import s3_client
from local_aws.service import Service
from local_aws.settings import Settings
from local_aws.state import State


def athena_services(settings: Settings, state: State) -> list[Service]:
    """The classes that serve athena, wired to the engines of the settings."""
    s3 = s3_client(settings)
    catalog = Catalog(settings, state)
    results = Results(settings.home / "athena" / "results", s3)
    store = ExecutionStore(state, results)
    execution = Execution(store, results, Translator(catalog, Sources(s3)), Engine(settings))
    workgroups = WorkGroups(state)
    return [workgroups, Queries(store, results, execution, workgroups, s3), Metadata(catalog)]
