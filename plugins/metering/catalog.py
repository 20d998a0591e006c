"""Publishing: point partitions of the Glue catalog at the folders of a run. Readers see the old version or the new."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from metering import dates

MOST_PARTITIONS = 100  # of one BatchCreatePartition or BatchUpdatePartition
MOST_WITHDRAWN = 25  # of one BatchDeletePartition
RUN, ROWS, PUBLISHED_AT = "run", "rows", "published_at"

_CLEAR = "Clear the Glue job of this run instead (with its downstream tasks): it starts from what is published now."

Values = tuple[str, ...]


@dataclass(frozen=True)
class Published:
    """A partition: its folder, with a slash at its end, and when it was published (None: not by a DAG)."""

    location: str
    published_at: datetime | None


class SupersededError(RuntimeError):
    """Another run has published the same partitions since the job read them; publishing its result would undo that."""


class PublishError(RuntimeError):
    """The catalog refused partitions; the message names them."""


def publish(
    glue: Any,
    *,
    database: str,
    table: str,
    partitions: list[dict[str, Any]],
    run: str,
    written_at: datetime,
    published_at: datetime,
) -> int:
    """Point `partitions` (of a job's summary: values, location, rows, replaces) at their new folders; their number.

    Safe to repeat. SupersededError (see require_current) is raised before anything is changed.
    """
    known = require_current(glue, database=database, table=table, partitions=partitions, written_at=written_at)
    descriptor = glue.get_table(DatabaseName=database, Name=table)["Table"]["StorageDescriptor"]
    inputs = [_input(wanted, descriptor, run, published_at) for wanted in partitions]
    where = {"DatabaseName": database, "TableName": table}
    for chunk in _chunks([given for given in inputs if tuple(given["Values"]) not in known]):
        answer = glue.batch_create_partition(**where, PartitionInputList=chunk)
        _require_no_errors(answer, table, "PartitionValues")
    for chunk in _chunks([given for given in inputs if tuple(given["Values"]) in known]):
        entries = [{"PartitionValueList": given["Values"], "PartitionInput": given} for given in chunk]
        answer = glue.batch_update_partition(**where, Entries=entries)
        _require_no_errors(answer, table, "PartitionValueList")
    return len(inputs)


def require_current(
    glue: Any, *, database: str, table: str, partitions: list[dict[str, Any]], written_at: datetime
) -> dict[Values, dict[str, Any]]:
    """The catalog's partitions of a table, by their values. Raises SupersededError when it holds versions of
    `partitions` that their job has not read.

    `replaces` is the place of the version that the job has read, None where it found none. A version that was published
    after `written_at`, when the job had written its own, is refused too, even if it lies in that place: the folders of
    the job count as superseded then, and sweep_storage may have deleted them.
    """
    known = {tuple(partition["Values"]): partition for partition in _partitions(glue, database, table)}
    for wanted in partitions:
        _refuse_superseded(known.get(_values(wanted)), wanted, table, written_at)
    return known


def require_unchanged(glue: Any, *, database: str, table: str, read: list[dict[str, Any]]) -> None:
    """Raises SupersededError when the catalog holds another version of what a job has read and does not replace.

    `read` has values and location of these partitions; None where the job found none.
    """
    now = published(glue, database, table) if read else {}
    for partition in read:
        current = now.get(_values(partition))
        if (current and current.location) != partition["location"]:
            values = "/".join(_values(partition))
            raise SupersededError(
                f"What is published of {table} {values} has changed since this run's job read it, and this run's "
                f"folders know nothing of it. {_CLEAR}"
            )


def locations(glue: Any, database: str, table: str) -> dict[Values, str]:
    """Where each partition of a table is published: values → s3://…/"""
    return {
        tuple(partition["Values"]): partition["StorageDescriptor"]["Location"]
        for partition in _partitions(glue, database, table)
    }


def published(glue: Any, database: str, table: str) -> dict[Values, Published]:
    """Where each partition of a table is published, and when it was."""
    return {
        tuple(partition["Values"]): Published(
            f"{partition['StorageDescriptor']['Location'].rstrip('/')}/",
            datetime.fromisoformat(text) if (text := partition.get("Parameters", {}).get(PUBLISHED_AT)) else None,
        )
        for partition in _partitions(glue, database, table)
    }


def withdraw(glue: Any, *, database: str, table: str, values: Iterable[Values]) -> None:
    """Take partitions out of the catalog; those that it does not have are none. Safe to repeat."""
    known = set(locations(glue, database, table))
    wanted = sorted(known & set(values))
    for start in range(0, len(wanted), MOST_WITHDRAWN):
        chunk = [{"Values": list(of_one)} for of_one in wanted[start : start + MOST_WITHDRAWN]]
        answer = glue.batch_delete_partition(DatabaseName=database, TableName=table, PartitionsToDelete=chunk)
        _require_no_errors(answer, table, "PartitionValues")


def published_dates(glue: Any, database: str) -> list[str]:
    """The dates of the published interval readings, as closed ranges (whole months at grain month)."""
    published = locations(glue, database, "daily")
    return dates.of_partitions(month for reading_type, month in published if reading_type == "INT")


def _partitions(glue: Any, database: str, table: str) -> Iterator[dict[str, Any]]:
    pages = glue.get_paginator("get_partitions")
    for page in pages.paginate(DatabaseName=database, TableName=table, ExcludeColumnSchema=True):
        yield from page["Partitions"]


def _values(wanted: dict[str, Any]) -> Values:
    return tuple(str(value) for value in wanted["values"])


def _input(wanted: dict[str, Any], descriptor: dict[str, Any], run: str, published_at: datetime) -> dict[str, Any]:
    return {
        "Values": list(_values(wanted)),
        "StorageDescriptor": {**descriptor, "Location": wanted["location"]},
        "Parameters": {
            RUN: run,
            ROWS: str(wanted["rows"]),
            PUBLISHED_AT: published_at.astimezone(UTC).isoformat(timespec="seconds"),
        },
    }


def _refuse_superseded(
    current: dict[str, Any] | None, wanted: dict[str, Any], table: str, written_at: datetime
) -> None:
    if current is None or (location := current["StorageDescriptor"]["Location"]) == wanted["location"]:
        return
    parameters = current.get("Parameters", {})
    published = parameters.get(PUBLISHED_AT)
    if wanted["replaces"] != location or (published and datetime.fromisoformat(published) > written_at):
        values = "/".join(_values(wanted))
        raise SupersededError(
            f"Run {parameters.get(RUN)} has published {table} {values} since this run's job read it. Publishing "
            f"this run's folders would take that run's readings away. {_CLEAR}"
        )


def _require_no_errors(answer: dict[str, Any], table: str, values_member: str) -> None:
    if errors := answer.get("Errors"):
        refused = "; ".join(
            f"{'/'.join(error[values_member])}: {error['ErrorDetail'].get('ErrorCode')} "
            f"{error['ErrorDetail'].get('ErrorMessage', '')}"
            for error in errors
        )
        raise PublishError(f"The catalog refused partitions of {table}: {refused}. Clear this task to try again.")


def _chunks(inputs: list[dict[str, Any]]) -> Iterable[list[dict[str, Any]]]:
    return (inputs[start : start + MOST_PARTITIONS] for start in range(0, len(inputs), MOST_PARTITIONS))
