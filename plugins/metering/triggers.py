"""The trigger with which all tasks wait."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from importlib import import_module
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from metering import messages


class WaitFailedError(RuntimeError):
    """A trigger failed. The message is the kind and the text of the trigger's own error, printable and short."""


class StorableTrigger(BaseTrigger):
    """Runs another trigger, and reports only what Airflow's database can store.

    The provider's triggers report messages of AWS services as they are. One NUL character in such a message ends
    Airflow's triggerer, on MWAA the scheduler's whole container (see the module `messages`).
    """

    def __init__(self, classpath: str, arguments: dict[str, Any]) -> None:
        """`classpath` and `arguments` are what `serialize()` of the other trigger returns."""
        super().__init__()
        self.classpath = classpath
        self.arguments = arguments

    @classmethod
    def around(cls, trigger: BaseTrigger) -> StorableTrigger:
        """Returns the trigger that runs `trigger`."""
        return cls(*trigger.serialize())

    def serialize(self) -> tuple[str, dict[str, Any]]:
        return f"{__name__}.{type(self).__qualname__}", {"classpath": self.classpath, "arguments": self.arguments}

    def original(self) -> BaseTrigger:
        """Returns a new trigger of the other kind."""
        module, _, name = self.classpath.rpartition(".")
        trigger: BaseTrigger = getattr(import_module(module), name)(**self.arguments)
        return trigger

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yields the other trigger's events. Raises WaitFailedError in place of any error of the other trigger."""
        trigger = self.original()
        trigger.task_instance, trigger.trigger_id = self.task_instance, self.trigger_id
        try:
            async for event in trigger.run():
                yield TriggerEvent(messages.storable(event.payload))
        except Exception as error:  # noqa: BLE001 (the text of any error would be stored)
            text = messages.printable(f"{type(error).__name__}: {error}")
            self.log.error("%s failed: %s", self.classpath, text)
            # Airflow stores the whole chain of errors: the original must not be a part of it.
            raise WaitFailedError(text) from None
        finally:
            # As Airflow does it: an error while a trigger is cleaned up changes nothing.
            with suppress(Exception):
                await trigger.cleanup()
