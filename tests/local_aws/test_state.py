from __future__ import annotations

import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from local_aws.state import Document, State


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    opened = State(tmp_path / "folder" / "state.sqlite")
    yield opened
    opened.close()


def test_a_document_comes_back_as_it_was_put(state: State) -> None:
    document = {"Name": "daily", "Columns": [{"Name": "meter_id"}], "Count": 3, "Share": 0.5, "On": True, "No": None}
    state.put("table", "metering.daily", document)
    assert state.get("table", "metering.daily") == document


def test_datetimes_come_back_as_datetimes_in_utc(state: State) -> None:
    berlin = timezone(timedelta(hours=1))
    state.put("run", "1", {"started": datetime(2026, 1, 1, 1, tzinfo=berlin), "deep": [{"at": datetime(2026, 1, 2)}]})  # noqa: DTZ001 (naive is UTC)
    assert state.get("run", "1") == {
        "started": datetime(2026, 1, 1, 0, tzinfo=UTC),
        "deep": [{"at": datetime(2026, 1, 2, tzinfo=UTC)}],
    }


def test_what_is_no_document_is_refused(state: State) -> None:
    with pytest.raises(TypeError, match="not bytes"):
        state.put("run", "1", {"body": b"x"})


def test_a_missing_document_is_none(state: State) -> None:
    assert state.get("table", "nothing") is None


def test_kinds_are_kept_apart(state: State) -> None:
    state.put("table", "x", {"is": "table"})
    state.put("job", "x", {"is": "job"})
    assert state.get("table", "x") == {"is": "table"}
    assert state.list("job") == [{"is": "job"}]


def test_a_list_is_in_the_order_of_keys_and_may_be_narrowed_by_prefix(state: State) -> None:
    for key in ("b/2", "a/1", "b/1", "b%/1", "B/1"):
        state.put("partition", key, {"key": key})
    assert [document["key"] for document in state.list("partition")] == ["B/1", "a/1", "b%/1", "b/1", "b/2"]
    assert [key for key, _ in state.items("partition", "b/")] == ["b/1", "b/2"]
    assert state.list("partition", "b_") == []


def test_delete_says_whether_there_was_a_document(state: State) -> None:
    state.put("table", "x", {})
    assert state.delete("table", "x") is True
    assert state.delete("table", "x") is False


def test_changing_what_was_read_does_not_change_what_is_stored(state: State) -> None:
    state.put("table", "x", {"columns": []})
    read = state.get("table", "x")
    assert read is not None
    read["columns"].append(1)
    assert state.get("table", "x") == {"columns": []}


def test_an_update_is_one_step_for_all_threads(state: State) -> None:
    def count(document: Document | None) -> Document:
        return {"count": (document or {"count": 0})["count"] + 1}

    with ThreadPoolExecutor(8) as pool:
        for _ in range(200):
            pool.submit(state.update, "counter", "x", count)
    assert state.get("counter", "x") == {"count": 200}


def test_an_update_to_none_deletes(state: State) -> None:
    state.put("table", "x", {})
    assert state.update("table", "x", lambda document: None) is None
    assert state.get("table", "x") is None


def test_many_documents_are_stored_all_or_none(state: State) -> None:
    state.put_many("partition", {"1": {"n": 1}, "2": {"n": 2}})
    assert state.list("partition") == [{"n": 1}, {"n": 2}]
    with pytest.raises(TypeError):
        state.put_many("partition", {"3": {"n": 3}, "4": {"n": b""}})
    assert len(state.list("partition")) == 2


def test_a_new_process_finds_everything_and_nobody_else_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    first = State(path)
    first.put("secret", "x", {"value": "s3cret"})
    second = State(path)
    assert second.get("secret", "x") == {"value": "s3cret"}
    for file in tmp_path.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file.name
    first.close()
    second.close()
