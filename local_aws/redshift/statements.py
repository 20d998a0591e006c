"""The Redshift Data API's statements: execute, batch, describe, results, cancel, list."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from local_aws.redshift.access import Access
from local_aws.redshift.dialect import placeholders
from local_aws.redshift.errors import StatementError
from local_aws.redshift.execution import Execution
from local_aws.redshift.paging import decode_page, encode_page
from local_aws.redshift.results import Results
from local_aws.redshift.statement_store import OPEN, Record, StatementStore
from local_aws.service import Request, Response, Service, ServiceError

LARGEST_SQL_BYTES = 100_000

_ECHOED = ("ClusterIdentifier", "Database", "DbUser", "SecretArn")


class RedshiftStatements(Service):
    """Execute, BatchExecute, Describe, Cancel, ListStatements and GetStatementResult."""

    service_name = "redshift-data"

    def __init__(self, store: StatementStore, results: Results, access: Access, execution: Execution) -> None:
        self._store = store
        self._results = results
        self._access = access
        self._execution = execution

    def on_start(self) -> None:
        self._store.take_up()

    def on_stop(self) -> None:
        self._execution.stop()

    def execute_statement(self, request: Request) -> Response:
        return self._submit(request, [request["Sql"]], batch=False)

    def batch_execute_statement(self, request: Request) -> Response:
        return self._submit(request, request["Sqls"], batch=True)

    def describe_statement(self, request: Request) -> Response:
        record, number = self._record(request["Id"])
        parts = record["SubStatements"]
        shown = {name: record[name] for name in _ECHOED if name in record}
        shown |= {"Id": request["Id"], "CreatedAt": record["CreatedAt"], "UpdatedAt": record["UpdatedAt"]}
        shown |= {"RedshiftPid": record.get("RedshiftPid", 0), "ResultFormat": "JSON"}
        if record.get("QueryParameters"):
            shown["QueryParameters"] = record["QueryParameters"]
        if record["IsBatch"] and number is None:
            return shown | _batch(record)
        index = (number or 1) - 1
        part = dict(parts[index])
        # A single statement's own status is the record's: it is written last, when the transaction has ended.
        part["Status"] = record["Status"] if not record["IsBatch"] else part["Status"]
        if not record["IsBatch"] and "Error" in record:
            part["Error"] = record["Error"]
        return shown | part | {"QueryString": record["Sqls"][index]}

    def get_statement_result(self, request: Request) -> Response:
        record, number = self._record(request["Id"])
        number = number or (None if record["IsBatch"] else 1)
        if number is None:
            raise _invalid("Query results of a batch are read by the Id of one of its sub-statements")
        result_id = f"{record['Id']}:{number}"
        place = decode_page(request["NextToken"], result_id) if "NextToken" in request else 0
        found = None
        if record["Status"] == "FINISHED" and record["SubStatements"][number - 1]["HasResultSet"]:
            found = self._results.page(result_id, place)
        if found is None:
            raise _not_found("Query does not have result. Please check query status with DescribeStatement.")
        head, records = found
        answer = {"ColumnMetadata": head["columns"], "Records": records, "TotalNumRows": head["rows"]}
        return answer | ({"NextToken": encode_page(result_id, place + 1)} if place + 1 < head["pages"] else {})

    def cancel_statement(self, request: Request) -> Response:
        record, number = self._record(request["Id"])
        if number is not None:
            raise _invalid("A sub-statement cannot be cancelled: cancel its batch")
        if record["Status"] not in OPEN:
            raise _invalid(
                f"Could not cancel a query that is already in {record['Status']} state with ID: {record['Id']}"
            )
        self._execution.cancel(record["Id"])
        return {"Status": True}

    def list_statements(self, request: Request) -> Response:
        """The newest first. As in the real API only finished ones unless Status says otherwise."""
        status = request.get("Status", "FINISHED")
        chosen = [
            record
            for record in self._store.newest_first()
            if status in ("ALL", record["Status"])
            and record.get("StatementName", "").startswith(request.get("StatementName", ""))
            and all(request.get(name) in (None, record.get(name)) for name in ("Database", "ClusterIdentifier"))
        ]
        place = decode_page(request["NextToken"], "statements") if "NextToken" in request else 0
        end = place + (request.get("MaxResults") or 100)
        answer: Response = {"Statements": [_listed(record) for record in chosen[place:end]]}
        return answer | ({"NextToken": encode_page("statements", end)} if end < len(chosen) else {})

    def _submit(self, request: Request, sqls: list[str], batch: bool) -> Response:
        for name in ("SessionId", "SessionKeepAliveSeconds"):
            if name in request:
                raise ServiceError("NotImplemented", f"local_aws does not implement {name} of Redshift Data", 501)
        if request.get("ResultFormat", "JSON") != "JSON":
            raise ServiceError("NotImplemented", "local_aws does not implement ResultFormat CSV of Redshift Data", 501)
        if "Database" not in request:
            raise _invalid("Database is missing")
        if any(len(sql.encode()) > LARGEST_SQL_BYTES for sql in sqls):
            raise _invalid(f"The statement is longer than {LARGEST_SQL_BYTES // 1000} KB")
        parameters = request.get("Parameters", [])
        _check_parameters(sqls, parameters)
        login = self._access.login(request, request["Database"])
        now = datetime.now(UTC)
        part = {"Status": "SUBMITTED", "Duration": -1, "HasResultSet": False, "ResultRows": -1, "ResultSize": -1}
        record: Record = {
            "Id": str(uuid.uuid4()),
            "Sqls": sqls,
            "IsBatch": batch,
            "Status": "SUBMITTED",
            "CreatedAt": now,
            "UpdatedAt": now,
            "QueryParameters": parameters,
            "SubStatements": [dict(part) for _ in sqls],
            **{name: request[name] for name in (*_ECHOED, "StatementName") if name in request},
        }
        stored = self._store.add(record, request.get("ClientToken"))
        if stored is record:
            self._execution.submit(record, login)
        answer = {name: stored[name] for name in _ECHOED if name in stored}
        return answer | {"Id": stored["Id"], "CreatedAt": stored["CreatedAt"], "DbGroups": []}

    def _record(self, statement_id: str) -> tuple[Record, int | None]:
        """The record of an id, and the number of the sub-statement if it names one."""
        parent, _, number = statement_id.partition(":")
        record = self._store.get(parent)
        if record is None or (number and not 1 <= int(number) <= len(record["Sqls"])):
            raise _not_found("Query does not exist.")
        return record, int(number) if number else None


def _batch(record: Record) -> Response:
    parts = record["SubStatements"]
    spent = [part["Duration"] for part in parts if part["Duration"] >= 0]
    answer = {
        "Status": record["Status"],
        "Duration": sum(spent) if spent else -1,
        "HasResultSet": any(part["HasResultSet"] for part in parts),
        "ResultRows": -1,
        "ResultSize": -1,
        "SubStatements": [
            part
            | {
                "Id": f"{record['Id']}:{number}",
                "QueryString": sql,
                "CreatedAt": record["CreatedAt"],
                "UpdatedAt": record["UpdatedAt"],
            }
            for number, (part, sql) in enumerate(zip(parts, record["Sqls"], strict=True), start=1)
        ],
    }
    for part in answer["SubStatements"]:
        part.pop("RedshiftPid", None)
    return answer | ({"Error": record["Error"]} if "Error" in record else {})


def _listed(record: Record) -> dict[str, Any]:
    entry = {name: record[name] for name in ("Id", "Status", "CreatedAt", "UpdatedAt")}
    entry |= {name: record[name] for name in ("SecretArn", "StatementName") if name in record}
    entry |= {"IsBatchStatement": record["IsBatch"], "ResultFormat": "JSON"}
    if record["IsBatch"]:
        entry["QueryStrings"] = record["Sqls"]
    else:
        entry["QueryString"] = record["Sqls"][0]
    if record.get("QueryParameters"):
        entry["QueryParameters"] = record["QueryParameters"]
    return entry


def _check_parameters(sqls: list[str], parameters: list[dict[str, str]]) -> None:
    """Every parameter must occur in a statement, and every :name of a statement must be given, once."""
    given = [item["name"] for item in parameters]
    if len(set(given)) != len(given):
        raise _invalid("Parameters list contains duplicate parameters.")
    try:
        wanted = [name for sql in sqls for name in placeholders(sql)]
    except StatementError:
        # The statement cannot even be cut into words; it fails for that when it runs.
        return
    missing = [name for name in wanted if name not in given]
    if missing:
        raise _invalid(f"Cannot find parameter: {missing[0]}")
    unused = [name for name in given if name not in wanted]
    if unused:
        raise _invalid(f"Parameters list contains unused parameters. Unused parameters: [{', '.join(unused)}]")


def _invalid(message: str) -> ServiceError:
    return ServiceError("ValidationException", message)


def _not_found(message: str) -> ServiceError:
    return ServiceError("ResourceNotFoundException", message)
