"""Redshift Data on PostgreSQL: SQL in Redshift's dialect, COPY from S3, statements that run in the background."""

from __future__ import annotations

from local_aws.engines.seaweedfs import s3_client
from local_aws.redshift.access import Access
from local_aws.redshift.copy_load import CopyLoader
from local_aws.redshift.execution import Execution
from local_aws.redshift.metadata import RedshiftMetadata
from local_aws.redshift.results import Results
from local_aws.redshift.statement_store import StatementStore
from local_aws.redshift.statements import RedshiftStatements
from local_aws.service import Service
from local_aws.settings import Settings
from local_aws.state import State


def redshift_services(settings: Settings, state: State) -> list[Service]:
    """The classes that serve redshift-data, wired to the engines of the settings."""
    access = Access(settings)
    results = Results(settings.home / "redshift" / "results")
    store = StatementStore(state, results)
    execution = Execution(store, results, access, CopyLoader(s3_client(settings)))
    return [RedshiftStatements(store, results, access, execution), RedshiftMetadata(access, execution)]
