"""The check of a run's configuration: which runs it lets pass, and what it says to the others."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException
from metering.run_configuration import refusal, require_known_keys

KNOWN = ["transformer", "reprocess", "max_rejected_share", "dry_run"]


def context(conf: dict[str, Any] | None) -> dict[str, Any]:
    dag = SimpleNamespace(dag_id="ingest_meter_readings", params=dict.fromkeys(KNOWN))
    return {"dag": dag, "dag_run": SimpleNamespace(conf=conf)}


@pytest.mark.parametrize("conf", [None, {}, {"transformer": None}, dict.fromkeys(KNOWN, 1)])
def test_a_run_without_configuration_or_with_known_keys_passes(conf: dict[str, Any] | None) -> None:
    require_known_keys(context(conf))


def test_a_slip_is_told_with_the_key_that_was_meant_and_all_known_keys() -> None:
    with pytest.raises(AirflowFailException) as refused:
        require_known_keys(context({"transfomer": "default", "reprocess": []}))

    assert str(refused.value) == (
        "This run's configuration has a key that ingest_meter_readings does not know: transfomer (did you mean "
        "transformer?). Known keys: dry_run, max_rejected_share, reprocess, transformer. Nothing was done. Trigger "
        "ingest_meter_readings again with the right key."
    )


def test_several_unknown_keys_are_all_told() -> None:
    told = refusal("ingest_meter_readings", ["colour", "dryRun"], KNOWN)

    assert "has 2 keys that ingest_meter_readings does not know: colour, dryRun (did you mean dry_run?)." in told
    assert told.endswith("Trigger ingest_meter_readings again with the right keys.")


@pytest.mark.parametrize(
    ("slip", "meant"),
    [("Transformer", "transformer"), ("DRY_RUN", "dry_run"), ("maxRejectedShare", "max_rejected_share")],
)
def test_capital_letters_hide_no_key(slip: str, meant: str) -> None:
    assert f"{slip} (did you mean {meant}?)" in refusal("ingest_meter_readings", [slip], KNOWN)


def test_a_dag_without_parameters_takes_no_configuration() -> None:
    assert refusal("set_up_warehouse", ["tables"], []) == (
        "This run's configuration has a key that set_up_warehouse does not know: tables. Known keys: none. Nothing was "
        "done. Trigger set_up_warehouse again without a configuration."
    )
