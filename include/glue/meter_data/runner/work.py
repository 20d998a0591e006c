"""Works through the items of a job, in its own process while the job is small, else spread over Spark's workers.

A job is a list of items and a function `work(store, item)`. The function reads what the item names, writes the item's
own object and returns what it did. It touches nothing else, so working on an item twice is working on it once, and the
items may be done in any order and anywhere. Both ways give equal objects.
"""

from __future__ import annotations

import base64
import os
import pickle
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import Any, Protocol, TypeVar

import pyarrow as pa

from meter_data.lake import store as lake_store
from meter_data.lake.store import Store

_THREADS_OF_ARROW_FOR_S3 = 4


class Item(Protocol):
    """What one call of `work` does. It can be pickled. `rows` says about how many rows it reads."""

    @property
    def rows(self) -> int: ...


ItemT = TypeVar("ItemT", bound=Item)
SummaryT = TypeVar("SummaryT")


def run(
    work: Callable[[Store, ItemT], SummaryT],
    items: Sequence[ItemT],
    spread_above_rows: int,
    connect: Callable[[], Store] = lake_store.connect,
) -> list[SummaryT]:
    """Returns what `work` returns for each item, in the order of the items. Raises what it raises, for the first item
    that fails; items that have not begun by then are left out.

    `work` and the items are picklable; `work` is a function of a module of this package. The work is spread when the
    items have more than `spread_above_rows` rows together. `connect` gives each item a store of its own.
    """
    if sum(item.rows for item in items) > spread_above_rows:
        return spread(work, items, connect)
    return in_process(work, items, connect)


def in_process(
    work: Callable[[Store, ItemT], SummaryT],
    items: Sequence[ItemT],
    connect: Callable[[], Store] = lake_store.connect,
) -> list[SummaryT]:
    """As `run`, in this process, as many items at a time as it has processors, the largest first."""
    _use_few_threads()
    largest_first = sorted(range(len(items)), key=lambda number: -items[number].rows)

    def work_on(number: int) -> SummaryT:
        return work(connect(), items[number])

    with ThreadPoolExecutor(max(1, min(len(items), processors()))) as threads:
        found = {number: threads.submit(work_on, number) for number in largest_first}
        wait(found.values(), return_when=FIRST_EXCEPTION)
        # If one has failed, those that have not begun would only delay its message. The others cannot be stopped.
        threads.shutdown(cancel_futures=True)
        for number in range(len(items)):  # in their order, should several have failed
            if not found[number].cancelled():
                found[number].result()
        return [found[number].result() for number in range(len(items))]


def spread(
    work: Callable[[Store, ItemT], SummaryT],
    items: Sequence[ItemT],
    connect: Callable[[], Store] = lake_store.connect,
) -> list[SummaryT]:
    """As `run`, by Spark, one item a task. Spark may try an item again that has failed."""
    if not items:
        return []
    from py4j.protocol import Py4JJavaError
    from pyspark import SparkContext

    context = SparkContext.getOrCreate()

    def work_on(part: Iterable[Any]) -> Iterator[Any]:
        _use_few_threads()
        for item in part:
            try:
                yield work(connect(), item)
            except Exception as error:
                raise ItemFailedError(_packed(error)) from error

    # Spark begins with the first tasks.
    largest_first = sorted(range(len(items)), key=lambda number: -items[number].rows)
    tasks = context.parallelize([items[number] for number in largest_first], len(items))
    try:
        summaries = tasks.mapPartitions(work_on).collect()
    except Py4JJavaError as error:
        raise _unpacked(str(error)) or error from error
    by_number = dict(zip(largest_first, summaries, strict=True))
    return [by_number[number] for number in range(len(items))]


class ItemFailedError(Exception):
    """Carries an exception from a worker of Spark to the driver, see `_packed`."""


def _packed(error: Exception) -> str:
    """Returns an exception as a text. Spark passes on no exceptions of Python, only a message with the whole trace."""
    try:
        content = pickle.dumps(error)
        pickle.loads(content)  # noqa: S301 (its own bytes: some exceptions can be packed and not unpacked)
    except Exception:  # noqa: BLE001 (to unpack an exception calls its own constructor, which may raise anything)
        told = RuntimeError(f"{type(error).__name__}: {error}")
        for note in getattr(error, "__notes__", []):
            told.add_note(note)
        content = pickle.dumps(told)
    return f"[{base64.b64encode(content).decode()}]"


def _unpacked(message: str) -> Exception | None:
    """Returns the exception that a worker has packed into Spark's message, None if the failure was not a worker's."""
    found = re.search(rf"{ItemFailedError.__name__}: \[([A-Za-z0-9+/=]+)\]", message)
    return pickle.loads(base64.b64decode(found[1])) if found else None  # noqa: S301 (written by our own worker)


def processors() -> int:
    """Returns how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _use_few_threads() -> None:
    """One thread computes for an item: the items themselves are worked on side by side."""
    pa.set_cpu_count(1)
    pa.set_io_thread_count(_THREADS_OF_ARROW_FOR_S3)
