"""Work on items in the job's own process; tests/glue/job_runs/test_runners.py spreads it by Spark as well."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from meter_data.lake.store import Store
from meter_data.runner import work

from tests.glue.folder_store import FolderStore


@dataclass(frozen=True)
class Item:
    """Writes a number."""

    number: int
    rows: int = 1

    @property
    def uri(self) -> str:
        return f"s3://zone/{self.number}"


def write(store: Store, item: Item) -> int:
    store.write(item.uri, str(item.number).encode())
    return item.number * 10


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path


def test_summaries_come_in_the_order_of_the_items(root: Path) -> None:
    items = [Item(number, rows=rows) for number, rows in enumerate([5, 900, 1, 70])]

    assert work.in_process(write, items, lambda: FolderStore(root)) == [0, 10, 20, 30]
    assert sorted(path.name for path in (root / "zone").iterdir()) == ["0", "1", "2", "3"]
    assert work.in_process(write, [], lambda: FolderStore(root)) == []


def test_the_largest_item_begins_first(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "processors", lambda: 1)
    begun: list[int] = []

    work.in_process(
        lambda store, item: begun.append(item.number), [Item(0, 5), Item(1, 900), Item(2, 70)], lambda: None
    )

    assert begun == [1, 2, 0]


def test_each_item_has_a_store_of_its_own(root: Path) -> None:
    """A store's credentials expire, and it belongs to one thread."""
    made: list[FolderStore] = []
    used: list[Store] = []

    def connect() -> FolderStore:
        made.append(FolderStore(root))
        return made[-1]

    work.in_process(lambda store, item: used.append(store), [Item(number) for number in range(5)], connect)

    assert len(made) == 5
    assert {id(store) for store in used} == {id(store) for store in made}


def test_as_many_items_as_processors_are_worked_on_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "processors", lambda: 3)
    three = threading.Barrier(3, timeout=30)

    # Each waits for two others.
    work.in_process(lambda store, item: three.wait(), [Item(number) for number in range(6)], lambda: None)


def test_the_failure_of_an_item_ends_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "processors", lambda: 2)
    has_failed = threading.Event()
    begun: list[int] = []

    def fail_second(store: Any, item: Item) -> None:
        begun.append(item.number)
        if item.number == 1:
            has_failed.set()
            raise ValueError("file 1 has no end")
        has_failed.wait(30)

    with pytest.raises(ValueError, match="file 1 has no end"):
        work.in_process(fail_second, [Item(number) for number in range(200)], lambda: None)
    assert len(begun) < 200, "items that had not begun are left out"


def test_of_several_items_that_fail_the_first_one_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same delivery ends with the same message, whichever thread is faster."""
    monkeypatch.setattr(work, "processors", lambda: 2)
    both = threading.Barrier(2, timeout=30)

    def fail(store: Any, item: Item) -> None:
        both.wait()
        raise ValueError(f"file {item.number} has no end")

    for _ in range(50):
        with pytest.raises(ValueError, match="file 0 has no end"):
            work.in_process(fail, [Item(0, rows=1), Item(1, rows=900)], lambda: None)


@pytest.mark.parametrize(("limit", "runner"), [(10, "in_process"), (9, "spread")])
def test_the_work_is_spread_above_so_many_rows(limit: int, runner: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("in_process", "spread"):
        monkeypatch.setattr(work, name, lambda *_, name=name: [name])

    assert work.run(write, [Item(1, rows=4), Item(2, rows=6)], limit) == [runner]


class QuestioningError(Exception):
    """Asks more of what it is made from than its message has, when it is unpickled."""

    def __init__(self, message: str) -> None:
        super().__init__({"file": "a.csv", "line": "7"}[message])


class StubbornError(Exception):
    """Can be pickled, and not unpickled."""

    def __init__(self, file: str, line: int) -> None:
        super().__init__(f"{file}, line {line}")


@pytest.mark.parametrize(
    ("error", "found"),
    [
        (ValueError("März\n\tat line 2]"), ValueError("März\n\tat line 2]")),
        (StubbornError("a.csv", 7), RuntimeError("StubbornError: a.csv, line 7")),
        (QuestioningError("line"), RuntimeError("QuestioningError: 7")),
    ],
)
def test_an_exception_passes_through_the_message_of_spark(error: Exception, found: Exception) -> None:
    error.add_note("while b.csv was read")
    message = (
        "An error occurred while calling z:org.apache.spark.api.python.PythonRDD.collectAndServe.\n: "
        "org.apache.spark.SparkException: Job aborted due to stage failure: Lost task 0.0: Traceback …\n"
        f"meter_data.runner.work.ItemFailedError: {work._packed(error)}\n\n\tat org.apache.spark.api.python.X"
    )

    unpacked = work._unpacked(message)

    assert unpacked is not None
    assert (type(unpacked), str(unpacked)) == (type(found), str(found))
    assert unpacked.__notes__ == ["while b.csv was read"]
    assert work._unpacked("java.lang.OutOfMemoryError: Java heap space") is None
