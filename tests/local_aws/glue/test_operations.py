from __future__ import annotations

from pathlib import Path

from local_aws import control_plane
from local_aws.glue.composition import glue_services
from local_aws.glue.log_store import LogStore
from local_aws.settings import Settings
from local_aws.state import State


def test_the_answer_of_every_operation_is_checked_against_botocores_model(tmp_path: Path) -> None:
    state, logs = State(tmp_path / "state.sqlite"), LogStore(tmp_path / "logs.sqlite")
    services = glue_services(Settings(home=tmp_path), state, s3=None, logs=logs)
    implemented = {name for _, name in control_plane.operations(services)}
    state.close()
    logs.close()
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    unchecked = sorted(name for name in implemented if f'("{name}"' not in tests)
    assert not unchecked, f"call these by the fixtures glue or logs in a test of this folder: {unchecked}"
