"""Files that cannot be read: what the operators are told, and when the run fails."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from metering import set_aside

BATCH = "20260102T090000-3fa2c1"


def summary(unread: int, read: int = 1) -> dict[str, Any]:
    names = [f"s3://landing/readings/{at}.zip" for at in range(unread)]
    bad = [{"uri": name, "set_aside": {"reason": f"{name} is bad\x00."}} for name in names]
    good = [{"uri": f"s3://landing/readings/{at}.csv", "set_aside": None} for at in range(read)]
    return {"batch": BATCH, "files": [*bad, *good]}


def report(of: dict[str, Any]) -> list[tuple[str, str]]:
    told: list[tuple[str, str]] = []
    set_aside.report(of, lambda subject, message: told.append((subject, message)))
    return told


def test_a_delivery_that_was_read_is_not_worth_a_word() -> None:
    assert report(summary(0)) == []
    assert set_aside.check(summary(0)) == ""
    assert set_aside.uris(summary(0)) == []


def test_the_alert_names_the_files_and_the_log_has_the_reasons(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="metering.set_aside"):
        ((subject, message),) = report(summary(6, read=2))

    assert subject == "Meter files could not be read"
    shown = ", ".join(f"s3://landing/readings/{at}.zip" for at in range(5))
    assert f"6 of 8 files of batch {BATCH} could not be read and were set aside: {shown} and 1 more." in message
    assert "is bad" not in message
    reasons = "\n".join(rf"s3://landing/readings/{at}.zip is bad\x00." for at in range(6))
    assert caplog.messages == [f"Files were set aside, because they cannot be read:\n{reasons}"]


def test_the_gate_says_why_files_were_set_aside() -> None:
    assert set_aside.check(summary(2)) == (
        "2 of 3 files set aside, unreadable:\n"
        "s3://landing/readings/0.zip is bad\\x00.\ns3://landing/readings/1.zip is bad\\x00."
    )


def test_a_delivery_of_which_nothing_can_be_read_fails() -> None:
    with pytest.raises(set_aside.NothingReadError) as failure:
        set_aside.check(summary(7, read=0))

    said = str(failure.value)
    assert said.startswith(f"None of the 7 files of batch {BATCH} can be read. Nothing was published.")
    assert "4.zip is bad" in said
    assert "5.zip" not in said
    assert "… and 2 more" in said
    assert "reprocess" in said
