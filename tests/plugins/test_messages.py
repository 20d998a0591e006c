"""Texts for Airflow's database."""

from __future__ import annotations

from metering import messages


def test_a_readable_text_stays_as_it_is() -> None:
    text = "März 2024.csv has the columns\n  meter_id,\twert (kWh)"

    assert messages.printable(text) == text


def test_what_cannot_be_printed_is_shown_by_its_escape() -> None:
    assert messages.printable("PK\x03\x04\x00 \ud800 \u202e\r") == "PK\\x03\\x04\\x00 \\ud800 \\u202e\\r"


def test_of_a_long_text_the_beginning_and_the_end_are_kept() -> None:
    text = messages.printable("UnknownHeaderError: " + "x" * 1_000_000 + " Choose another transformer.")

    assert text.startswith("UnknownHeaderError: xxx")
    assert "(996,048 characters are left out)" in text
    assert text.endswith("xxx Choose another transformer.")
    assert len(text) < 4_100


def test_texts_are_found_wherever_they_are_in_an_event() -> None:
    event = {"status": "error", "run": {"message": "a\x00b", "tries": 3}, "parts": ["\udfff", None, 1.5, True]}

    assert messages.storable(event) == {
        "status": "error",
        "run": {"message": "a\\x00b", "tries": 3},
        "parts": ["\\udfff", None, 1.5, True],
    }
