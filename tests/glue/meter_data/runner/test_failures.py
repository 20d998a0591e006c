"""The last words of a job that fails."""

from __future__ import annotations

import traceback

import pytest
from meter_data.runner import failures
from meter_data.runner.failures import JobFailedError


def test_what_can_be_shown_is_shown_as_it_is() -> None:
    def main() -> None:
        raise ValueError("Set the delimiter.")

    with pytest.raises(ValueError, match=r"\ASet the delimiter\.\Z"):
        failures.run(main)


def test_notes_are_part_of_the_message(capsys: pytest.CaptureFixture[str]) -> None:
    """Glue keeps the message of an exception, and not its notes."""

    def main() -> None:
        error = OverflowError("date value out of range")
        error.add_note("It happened while a.parquet was read.")
        raise error

    with pytest.raises(JobFailedError) as told:
        failures.run(main)

    assert str(told.value) == "OverflowError: date value out of range\nIt happened while a.parquet was read."
    assert "in main" in capsys.readouterr().err, "the trace goes to the log"
    assert "in main" not in "".join(traceback.format_exception_only(told.value))
