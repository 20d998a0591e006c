"""Athena's queries: start, stop, look at, read results."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlparse

from botocore.exceptions import ClientError

from local_aws.athena.catalog import CATALOG
from local_aws.athena.execution import Execution
from local_aws.athena.execution_store import OPEN, ExecutionStore
from local_aws.athena.paging import begin_of, page
from local_aws.athena.results import PAGE_ROWS, Results
from local_aws.athena.translation import Query
from local_aws.athena.workgroups import ENGINE, PRIMARY, WorkGroups, invalid
from local_aws.service import Request, Response, Service

LONGEST_QUERY = 262144
# The first word after comments and brackets.
_FIRST_WORD = re.compile(r"(?:\s|--[^\n]*\n|/\*.*?\*/|\()*([A-Z]+)", re.IGNORECASE | re.DOTALL)


class Queries(Service):
    """StartQueryExecution and all that looks at its outcome."""

    service_name = "athena"

    def __init__(
        self, store: ExecutionStore, results: Results, execution: Execution, workgroups: WorkGroups, s3: Any
    ) -> None:
        self._store = store
        self._results = results
        self._execution = execution
        self._workgroups = workgroups
        self._s3 = s3

    def on_start(self) -> None:
        self._store.take_up()

    def on_stop(self) -> None:
        self._execution.stop()

    def start_query_execution(self, request: Request) -> Response:
        text, context = request["QueryString"], request.get("QueryExecutionContext", {})
        if len(text) > LONGEST_QUERY:
            raise invalid(f"QueryString is longer than {LONGEST_QUERY} characters")
        if context.get("Catalog", CATALOG).lower() != CATALOG:
            raise invalid(f"local_aws knows the catalog AwsDataCatalog only, not {context['Catalog']}")
        group = request.get("WorkGroup", PRIMARY)
        requested = request.get("ResultConfiguration", {}).get("OutputLocation")
        folder = self._workgroups.output_location(group, requested)
        self._require_bucket(folder)
        query_id = str(uuid.uuid4())
        location = f"{folder.rstrip('/')}/{query_id}.csv"
        document = {
            "QueryExecutionId": query_id,
            "Query": text,
            "StatementType": _statement_type(text),
            "ResultConfiguration": request.get("ResultConfiguration", {}) | {"OutputLocation": location},
            "QueryExecutionContext": context,
            "Status": {"State": "QUEUED", "SubmissionDateTime": datetime.now(UTC)},
            "Statistics": {"EngineExecutionTimeInMillis": 0, "DataScannedInBytes": 0},
            "WorkGroup": group,
            "EngineVersion": ENGINE,
            **({"ExecutionParameters": request["ExecutionParameters"]} if "ExecutionParameters" in request else {}),
        }
        stored = self._store.add(document, request.get("ClientRequestToken"))
        if stored is document:
            query = Query(text, context.get("Database"), request.get("ExecutionParameters", []))
            self._execution.submit(query_id, query, location)
        return {"QueryExecutionId": stored["QueryExecutionId"]}

    def get_query_execution(self, request: Request) -> Response:
        return {"QueryExecution": _shown(self._existing(request["QueryExecutionId"]))}

    def batch_get_query_execution(self, request: Request) -> Response:
        found, missing = [], []
        for query_id in request["QueryExecutionIds"]:
            document = self._store.get(query_id)
            if document is None:
                message = f"QueryExecution {query_id} was not found"
                missing.append({"QueryExecutionId": query_id, "ErrorCode": "INVALID_INPUT", "ErrorMessage": message})
            else:
                found.append(_shown(document))
        return {"QueryExecutions": found, "UnprocessedQueryExecutionIds": missing}

    def list_query_executions(self, request: Request) -> Response:
        """The newest first."""
        group = self._workgroups.existing(request.get("WorkGroup", PRIMARY))["Name"]
        documents = self._store.newest_first()
        ids = [document["QueryExecutionId"] for document in documents if document["WorkGroup"] == group]
        return page("QueryExecutionIds", ids, request, 50)

    def stop_query_execution(self, request: Request) -> Response:
        self._existing(request["QueryExecutionId"])
        self._execution.stop_query(request["QueryExecutionId"])
        return {}

    def get_query_results(self, request: Request) -> Response:
        """Row 0 is the header, as in Athena: the first page has one row of data less."""
        query_id = self._succeeded(request["QueryExecutionId"])
        head = self._results.columns(query_id)
        begin = begin_of(request)
        count = min(request.get("MaxResults") or PAGE_ROWS, PAGE_ROWS)
        rows: list[list[str | None]] = [[column["Name"] for column in head["columns"]]] if begin == 0 else []
        rows += self._results.rows(query_id, max(begin - 1, 0), count - len(rows))
        answer: Response = {
            "UpdateCount": 0,
            "ResultSet": {
                "Rows": [{"Data": [_cell(value) for value in row]} for row in rows],
                "ResultSetMetadata": {"ColumnInfo": head["columns"]},
            },
        }
        return answer | ({"NextToken": str(begin + count)} if begin + count < head["rows"] + 1 else {})

    def get_query_runtime_statistics(self, request: Request) -> Response:
        document = self._existing(request["QueryExecutionId"])
        statistics, output = document["Statistics"], document.get("Output", {})
        names = ("EngineExecutionTimeInMillis", "QueryPlanningTimeInMillis", "TotalExecutionTimeInMillis")
        return {
            "QueryRuntimeStatistics": {
                "Timeline": {name: statistics[name] for name in names if name in statistics},
                "Rows": {
                    "InputBytes": statistics["DataScannedInBytes"],
                    "OutputBytes": output.get("Bytes", 0),
                    "OutputRows": output.get("Rows", 0),
                },
            }
        }

    def _existing(self, query_id: str) -> dict[str, Any]:
        document = self._store.get(query_id)
        if document is None:
            raise invalid(f"QueryExecution {query_id} was not found")
        return document

    def _succeeded(self, query_id: str) -> str:
        state = self._existing(query_id)["Status"]["State"]
        if state in OPEN:
            raise invalid(f"Query has not yet finished. Current state: {state}")
        if state != "SUCCEEDED":
            raise invalid(f"Query did not finish successfully. Final query state: {state}")
        return query_id

    def _require_bucket(self, folder: str) -> None:
        where = urlparse(folder)
        if where.scheme != "s3" or not where.netloc:
            raise invalid(f"outputLocation is not a valid S3 path: {folder}")
        try:
            self._s3.head_bucket(Bucket=where.netloc)
        except ClientError:
            raise invalid(f"Unable to verify/create output bucket {where.netloc}") from None


def _shown(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != "Output"}


def _cell(value: str | None) -> dict[str, str]:
    return {} if value is None else {"VarCharValue": value}


def _statement_type(text: str) -> str:
    found = _FIRST_WORD.match(text)
    word = found[1].upper() if found else ""
    if word in ("SHOW", "DESCRIBE", "EXPLAIN"):
        return "UTILITY"
    return "DDL" if word in ("CREATE", "DROP", "ALTER", "MSCK") else "DML"
