"""What a trigger reports can be stored by Airflow, whatever an engine says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from traceback import format_exception
from typing import Any

import pytest
from airflow.providers.standard.triggers.temporal import TimeDeltaTrigger
from airflow.triggers.base import BaseTrigger, TriggerEvent
from metering.triggers import StorableTrigger, WaitFailedError

# A renamed ZIP archive, half a pair of surrogates, a very long line.
HOSTILE = {"nul": "PK\x03\x04\x00\x00", "surrogate": "half \ud83d of a sign", "long": "x" * 1_000_000}


class SpeakingTrigger(BaseTrigger):
    """Reports a text as the message of its event, or fails with it."""

    cleaned: list[str] = []  # noqa: RUF012 (the instances of one test share it)

    def __init__(self, text: str, fails: bool) -> None:
        super().__init__()
        self.text, self.fails = text, fails

    def serialize(self) -> tuple[str, dict[str, Any]]:
        return f"{__name__}.SpeakingTrigger", {"text": self.text, "fails": self.fails}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        await asyncio.sleep(0)
        if self.fails:
            raise ValueError(self.text)
        yield TriggerEvent({"status": "error", "message": self.text})

    async def cleanup(self) -> None:
        self.cleaned.append(f"{self.task_instance} {self.trigger_id}")


def restored(trigger: StorableTrigger) -> StorableTrigger:
    """The trigger as the triggerer makes it from what was stored of the deferred task."""
    classpath, arguments = trigger.serialize()
    assert classpath == "metering.triggers.StorableTrigger"
    return StorableTrigger(**arguments)


def events(trigger: BaseTrigger) -> list[Any]:
    async def collected() -> list[Any]:
        return [event.payload async for event in trigger.run()]

    return asyncio.run(collected())


def is_storable(text: str) -> bool:
    """Whether a column of type jsonb takes the text, and a page of the UI can show it."""
    return "\x00" not in text and text.encode("utf-8", "ignore").decode() == text and len(text) < 10_000


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_an_event_is_storable_whatever_the_engine_says(text: str) -> None:
    assert not is_storable(text), "the test says nothing otherwise"

    (event,) = events(restored(StorableTrigger.around(SpeakingTrigger(text, fails=False))))

    assert event["status"] == "error"
    assert is_storable(event["message"])


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_the_whole_trace_of_a_failed_trigger_is_storable(text: str) -> None:
    with pytest.raises(WaitFailedError) as failure:
        events(restored(StorableTrigger.around(SpeakingTrigger(text, fails=True))))

    # Airflow's triggerer stores exactly this.
    trace = format_exception(type(failure.value), failure.value, failure.value.__traceback__)
    assert is_storable("".join(trace))
    assert f"WaitFailedError: ValueError: {text[:2]}" in trace[-1]


def test_the_trigger_inside_knows_its_task_and_is_cleaned_up() -> None:
    SpeakingTrigger.cleaned.clear()
    trigger = restored(StorableTrigger.around(SpeakingTrigger("done", fails=False)))
    trigger.task_instance, trigger.trigger_id = "raw_to_clean", 7  # type: ignore[assignment]

    assert events(trigger) == [{"status": "error", "message": "done"}]
    assert SpeakingTrigger.cleaned == ["raw_to_clean 7"]


def test_an_error_while_the_trigger_is_cleaned_up_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async def failing(_: SpeakingTrigger) -> None:
        raise ValueError(HOSTILE["nul"])

    monkeypatch.setattr(SpeakingTrigger, "cleanup", failing)

    assert events(restored(StorableTrigger.around(SpeakingTrigger("done", fails=False)))) == [
        {"status": "error", "message": "done"}
    ]


def test_a_wait_for_a_time_can_be_stored_and_restored() -> None:
    from airflow.sdk.serde import deserialize, serialize

    classpath, arguments = StorableTrigger.around(TimeDeltaTrigger(timedelta(minutes=-1))).serialize()

    trigger = StorableTrigger(**deserialize(serialize(arguments)))
    assert classpath == "metering.triggers.StorableTrigger"
    assert len(events(trigger)) == 1
