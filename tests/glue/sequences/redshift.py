"""The warehouse: the product's own SQL on PostgreSQL, by the session that serves the Data API."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jinja2
from metering import warehouse

from local_aws.redshift.access import Login
from local_aws.redshift.copy_load import CopyLoader
from local_aws.redshift.dialect import translate
from local_aws.redshift.results import Results
from local_aws.redshift.session import FunctionInstaller, Session

SQL = Path(__file__).resolve().parents[3] / "include" / "sql"
TABLES = ("daily", *warehouse.AGGREGATES)


class Redshift:
    """A database; `s3` is the client of COPY, which the kill of a task does not reach; `bucket` holds the manifests."""

    def __init__(self, url: str, s3: Any, bucket: str, results: Path) -> None:
        self._login, self._loader, self._results = Login(url), CopyLoader(s3), Results(results)
        self._bucket = bucket
        FunctionInstaller().install(url)
        self.transact(warehouse.CREATE_TABLES, batch="", passed=lambda where: None)

    def transact(self, files: Iterable[str], batch: str, passed: Callable[[str], None]) -> None:
        """Run statements as one transaction; `passed` is told where it stands before each and after the commit."""
        with contextlib.closing(self._session()) as session:
            for file in files:
                passed(f"before {Path(file).stem}")
                session.run(translate(self._statement(file, batch), {}), "none")
            passed("before COMMIT")
            session.commit()
        passed("after COMMIT")

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with contextlib.closing(self._session()) as session:
            return session.fetch(query, [])

    def empty(self) -> None:
        with contextlib.closing(self._session()) as session:
            session.run(translate(f"TRUNCATE {TABLES[0]}", {}), "none")
            for table in TABLES[1:]:
                session.run(translate(f"DELETE FROM {table}", {}), "none")
            session.commit()

    def _session(self) -> Session:
        return Session(self._login, self._loader, self._results)

    def _statement(self, file: str, batch: str) -> str:
        deployment = {
            "business_bucket": self._bucket,
            "landing_bucket": self._bucket,
            "redshift_copy_role_arn": "arn:aws:iam::123456789012:role/copy",
        }
        template = jinja2.Template((SQL / file).read_text(encoding="utf-8"), undefined=jinja2.StrictUndefined)
        return template.render(
            var={"json": {"metering": deployment}}, dag_run=SimpleNamespace(), batch_of=lambda dag_run: batch
        )
