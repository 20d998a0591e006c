"""Functions in processes of their own: their surroundings, failures, time limits and new code."""

from __future__ import annotations

import concurrent.futures
import json
import os
from pathlib import Path

import psutil
import pytest

from tests.local_aws.gateway.conftest import Gateway

PID = """
import os

def handler(event, context):
    return {"pid": os.getpid()}
"""


def test_a_function_has_the_environment_of_the_template_and_of_lambda_only(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_THE_SHELL", "1")
    code = """
    import os, sys

    def handler(event, context):
        return {"environment": dict(os.environ), "cwd": os.getcwd(), "path": sys.path,
                "name": context.function_name, "arn": context.invoked_function_arn,
                "memory": context.memory_limit_in_mb,
                "left": context.get_remaining_time_in_millis(), "id": context.aws_request_id}
    """
    gateway.route("GET /", gateway.function("surroundings", code, timeout=5, TABLE="daily"))

    seen = gateway.deploy().get("/").json

    environment = seen["environment"]
    assert environment["TABLE"] == "daily"
    assert environment["AWS_LAMBDA_FUNCTION_NAME"] == "surroundings"
    assert environment["AWS_ENDPOINT_URL"] == gateway.settings.control_url
    assert environment["AWS_ENDPOINT_URL_S3"] == gateway.settings.s3_url
    assert "SECRET_OF_THE_SHELL" not in environment
    folder = str(gateway.lambdas / "surroundings")
    assert seen["cwd"] == folder
    assert folder in seen["path"]
    assert str(Path(__file__).parents[3]) not in seen["path"]
    assert seen["name"] == "surroundings"
    assert seen["arn"] == "arn:aws:lambda:eu-west-1:123456789012:function:surroundings"
    assert seen["memory"] == "128"
    assert 3000 < seen["left"] <= 5000
    assert len(seen["id"]) == 36


def test_an_exception_is_an_internal_error_with_the_traceback_in_the_log_only(gateway: Gateway) -> None:
    code = """
    def handler(event, context):
        raise RuntimeError("the cause")
    """
    gateway.route("GET /", gateway.function("broken", code))

    answer = gateway.deploy().get("/")

    assert (answer.status_code, answer.json) == (500, {"message": "Internal Server Error"})
    log = gateway.log("broken")
    assert "RuntimeError: the cause" in log
    assert "handler.py" in log


def test_a_function_that_cannot_be_imported_is_an_internal_error_until_it_is_mended(gateway: Gateway) -> None:
    gateway.route("GET /", gateway.function("unfinished", "import no_such_module\n"))
    client = gateway.deploy()

    assert client.get("/").status_code == 500
    assert "No module named 'no_such_module'" in gateway.log("unfinished")

    gateway.function("unfinished", PID)
    assert client.get("/").status_code == 200


def test_a_function_that_takes_too_long_is_killed_and_the_next_call_has_a_new_process(
    gateway: Gateway, tmp_path: Path
) -> None:
    code = """
    import os, time
    from pathlib import Path

    def handler(event, context):
        if "slow" in event["rawQueryString"]:
            Path(os.environ["NOTE"]).write_text(str(os.getpid()))
            time.sleep(60)
        return {"pid": os.getpid()}
    """
    note = tmp_path / "pid"
    gateway.route("GET /", gateway.function("slow", code, timeout=1, NOTE=str(note)))
    client = gateway.deploy()

    answer = client.get("/?slow")

    assert (answer.status_code, answer.json) == (503, {"message": "Service Unavailable"})
    assert "Task timed out" in gateway.log("slow")
    killed = int(note.read_text())
    assert not psutil.pid_exists(killed)
    assert client.get("/").json["pid"] != killed


def test_a_route_that_waits_less_than_the_function_may_run_gives_up_first(gateway: Gateway) -> None:
    code = """
    import time

    def handler(event, context):
        time.sleep(60)
    """
    gateway.route("GET /", gateway.function("slow", code, timeout=60), timeout_ms=300)

    assert gateway.deploy().get("/").status_code == 503


def test_a_killed_process_is_an_internal_error_and_is_replaced(gateway: Gateway) -> None:
    code = """
    import os, signal

    def handler(event, context):
        if "die" in event["rawQueryString"]:
            os.kill(os.getpid(), signal.SIGKILL)
        return {"pid": os.getpid()}
    """
    gateway.route("GET /", gateway.function("mortal", code))
    client = gateway.deploy()
    first = client.get("/").json["pid"]

    answer = client.get("/?die")

    assert (answer.status_code, answer.json) == (500, {"message": "Internal Server Error"})
    assert "SIGKILL" in gateway.log("mortal")
    assert client.get("/").json["pid"] != first


def test_a_process_killed_between_two_requests_is_not_noticed(gateway: Gateway) -> None:
    gateway.route("GET /", gateway.function("mortal", PID))
    client = gateway.deploy()
    process = psutil.Process(client.get("/").json["pid"])
    process.kill()
    psutil.wait_procs([process], timeout=10)

    answer = client.get("/")

    assert answer.status_code == 200
    assert answer.json["pid"] != process.pid


def test_a_process_stays_warm(gateway: Gateway) -> None:
    gateway.route("GET /", gateway.function("warm", PID))
    client = gateway.deploy()

    assert client.get("/").json == client.get("/").json


def test_new_code_is_taken_up_by_the_next_request(gateway: Gateway) -> None:
    gateway.route("GET /", gateway.function("versioned", 'def handler(event, context):\n    return "one"\n'))
    client = gateway.deploy()
    assert client.get("/").text == "one"

    file = gateway.lambdas / "versioned" / "handler.py"
    file.write_text('def handler(event, context):\n    return "two"\n')
    os.utime(file, ns=(file.stat().st_atime_ns, file.stat().st_mtime_ns + 1))

    assert client.get("/").text == "two"


def test_a_new_description_is_taken_up_by_the_next_request(gateway: Gateway) -> None:
    code = 'import os\n\ndef handler(event, context):\n    return os.environ["VERSION"]\n'
    gateway.route("GET /", gateway.function("versioned", code, VERSION="1"))
    assert gateway.deploy().get("/").text == "1"

    gateway.function("versioned", code, VERSION="2")

    assert gateway.deploy().get("/").text == "2"


def test_requests_at_the_same_time_get_processes_of_their_own(gateway: Gateway, tmp_path: Path) -> None:
    code = """
    import os, time
    from pathlib import Path

    def handler(event, context):
        folder = Path(os.environ["MEETING"])
        (folder / str(os.getpid())).touch()
        while len(list(folder.iterdir())) < 2:
            time.sleep(0.01)
        return {"pid": os.getpid()}
    """
    meeting = tmp_path / "meeting"
    meeting.mkdir()
    gateway.route("GET /", gateway.function("meeting", code, timeout=20, MEETING=str(meeting)))
    gateway.deploy()

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        pids = [answer.json["pid"] for answer in pool.map(lambda _: gateway.client.get("/"), range(2))]

    assert len(set(pids)) == 2


def test_prints_and_log_records_go_to_the_functions_log(gateway: Gateway) -> None:
    code = """
    import logging

    def handler(event, context):
        print("printed")
        logging.getLogger("meter").info("logged %s", 1, extra={"rows": 7})
        return {"id": context.aws_request_id}
    """
    gateway.route("GET /", gateway.function("talking", code))

    request_id = gateway.deploy().get("/").json["id"]

    lines = gateway.log("talking").splitlines()
    assert "printed" in lines
    record = next(json.loads(line) for line in lines if line.startswith("{"))
    assert (record["level"], record["message"], record["logger"], record["rows"]) == ("INFO", "logged 1", "meter", 7)
    assert record["requestId"] == request_id


def test_stopping_the_gateway_ends_its_functions(gateway: Gateway) -> None:
    gateway.route("GET /", gateway.function("warm", PID))
    pid = gateway.deploy().get("/").json["pid"]

    gateway.application.stop()

    assert not psutil.pid_exists(pid)
