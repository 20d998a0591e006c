"""The program of the image as SageMaker starts it: processes, files, signals and HTTP."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from local_aws.ports import free_ports
from local_aws.sagemaker.deepar import training_job
from local_aws.sagemaker.deepar.model import Model
from tests.local_aws.sagemaker.deepar.meters import LEVELS, SMALL, START, day
from tests.local_aws.sagemaker.requests import until

PROGRAM = (sys.executable, "-m", "local_aws.sagemaker.deepar")
SECONDS = 60
INFERENCE = {"num_samples": 5, "output_types": ["quantiles"], "quantiles": ["0.1", "0.5", "0.9"]}
INSTANCE = {"start": START, "target": day(120, 100)}


def job(folder: Path, hours: dict[str, int], **given: str) -> Path:
    """A folder as SageMaker gives it, with so many hours of each meter in each channel."""
    (folder / "input" / "config").mkdir(parents=True)
    (folder / "input" / "config" / "hyperparameters.json").write_text(json.dumps(SMALL | given))
    for channel, length in hours.items():
        data = folder / "input" / "data" / channel
        data.mkdir(parents=True)
        entries = [{"start": START, "target": day(level, length)} for level in LEVELS]
        (data / "part-0.json").write_text("\n".join(json.dumps(entry) for entry in entries))
    return folder


def start(*arguments: str | Path, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        (*PROGRAM, *arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | environment,
    )


def train(folder: Path) -> tuple[int, list[str]]:
    """The exit code and the lines of the log."""
    with start("train", "--folder", folder) as process:
        output, _ = process.communicate(timeout=SECONDS)
    return process.returncode, output.splitlines()


def metrics(folder: Path) -> list[dict[str, Any]]:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    text = (folder / "output" / "metrics.jsonl").read_text()
    return [json.loads(line, parse_constant=refuse) for line in text.splitlines()]


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """The folder and the log of a training that went well."""
    folder = job(tmp_path_factory.mktemp("trained"), {"train": 240, "test": 264}, epochs="3")
    code, log = train(folder)
    assert code == 0, log
    return folder, log


@pytest.fixture(scope="module")
def address(ended: tuple[Path, list[str]]) -> Iterator[str]:
    [port] = free_ports(1)
    arguments = ("serve", "--folder", ended[0], "--port", str(port))
    process = start(*arguments, DEEPAR_INFERENCE_CONFIG=json.dumps(INFERENCE))
    try:
        until(lambda: process.poll() is not None or pings(port), seconds=SECONDS)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        output, _ = process.communicate(timeout=SECONDS)
    assert "Traceback" not in output
    assert str(INSTANCE["target"][0]) not in output.replace(str(port), "")


def pings(port: int) -> bool:
    try:
        return ask(f"http://127.0.0.1:{port}/ping")[0] == 200
    except OSError:
        return False


def ask(url: str, body: bytes | None = None, kind: str = "application/json") -> tuple[int, str]:
    request = urllib.request.Request(url, data=body, headers={"Content-Type": kind})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


class StoppedAtOnce:
    """In the place of the module signal."""

    SIGTERM = signal.SIGTERM

    @staticmethod
    def signal(number: int, handler: Callable[[int, FrameType | None], None]) -> None:
        handler(number, None)


def test_a_training_logs_what_the_real_container_logs(ended: tuple[Path, list[str]]) -> None:
    folder, log = ended
    loss = [line for line in log if line.startswith("#quality_metric: host=algo-1, epoch=")]
    assert [line.partition(", train loss <loss>=")[0][-1] for line in loss] == ["0", "1", "2"]
    final = [line for line in log if line.startswith("#quality_metric: host=algo-1, train final_loss <loss>=")]
    assert float(final[0].partition("=algo-1")[2].partition("<loss>=")[2]) == min(
        float(line.rpartition("=")[2]) for line in loss
    )
    scores = {line.partition(", ")[2].partition("): ")[0] for line in log if line.startswith("#test_score (algo-1, ")}
    assert scores == {
        "RMSE",
        "mean_absolute_QuantileLoss",
        "mean_wQuantileLoss",
        "wQuantileLoss[0.1]",
        "wQuantileLoss[0.5]",
        "wQuantileLoss[0.9]",
    }
    assert "#progress_metric: host=algo-1, completed 100.0 % of epochs" in log
    assert "Training set statistics: number of time series: 6" in log
    assert "Training set statistics: number of observations: 1440" in log
    assert not (folder / "output" / "failure").exists()


def test_a_training_leaves_its_metrics_line_by_line(ended: tuple[Path, list[str]]) -> None:
    found = metrics(ended[0])
    names = [metric["name"] for metric in found]
    assert names[:4] == ["train:loss"] * 3 + ["train:final_loss"]
    assert {"test:RMSE", "test:mean_wQuantileLoss"} <= set(names[4:])
    assert [metric["epoch"] for metric in found[:3]] == [0, 1, 2]
    assert all(math.isfinite(metric["value"]) and metric["time"] > 0 for metric in found)
    assert found[3]["value"] == min(metric["value"] for metric in found[:3])


def test_a_training_leaves_a_model_that_can_be_loaded(ended: tuple[Path, list[str]]) -> None:
    model = Model.load(ended[0] / "model")
    assert model.hyperparameters.epochs == 3
    assert sorted(file.name for file in (ended[0] / "model").iterdir()) == ["description.json", "weights.pt"]


def test_what_the_algorithm_refuses_is_the_clients_failure(tmp_path: Path) -> None:
    folder = job(tmp_path, {"train": 240}, num_cels="8")
    code, log = train(folder)
    failure = (folder / "output" / "failure").read_text()
    assert code == 1
    assert failure.startswith("ClientError: ")
    assert failure.endswith("Additional properties are not allowed ('num_cels' was unexpected)")
    assert log == [failure]
    assert not (folder / "model").exists()


def test_a_training_stopped_before_its_first_epoch_ends_has_no_final_loss(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In this process, with a SIGTERM that comes as soon as it is listened to."""
    folder = job(tmp_path, {"train": 240, "test": 264})
    monkeypatch.setattr(training_job, "signal", StoppedAtOnce)
    assert training_job.TrainingJob(folder).run() == 0
    assert not (folder / "output").exists()
    assert "_loss" not in capsys.readouterr().out


def test_a_stopped_training_keeps_its_best_weights(tmp_path: Path) -> None:
    folder = job(tmp_path, {"train": 240, "test": 264}, epochs="100000")
    file = folder / "output" / "metrics.jsonl"
    process = start("train", "--folder", folder)
    try:
        until(lambda: process.poll() is not None or (file.exists() and len(metrics(folder)) > 2), seconds=SECONDS)
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=SECONDS)
    finally:
        process.kill()
    assert process.returncode == 0, output
    *epochs, final = metrics(folder)
    assert final["name"] == "train:final_loss"
    assert final["value"] == min(metric["value"] for metric in epochs)
    assert Model.load(folder / "model").hyperparameters.epochs == 100_000
    assert not (folder / "output" / "failure").exists()


def test_an_endpoint_answers_a_json_request(address: str) -> None:
    body = json.dumps({"instances": [INSTANCE, INSTANCE], "configuration": INFERENCE}).encode()
    status, text = ask(f"{address}/invocations", body)
    assert status == 200
    first, second = json.loads(text)["predictions"]
    assert first == second
    assert {quantile: len(values) for quantile, values in first["quantiles"].items()} == {
        "0.1": 24,
        "0.5": 24,
        "0.9": 24,
    }


def test_json_lines_have_the_same_forecasts_by_the_processs_variable(address: str) -> None:
    line = json.dumps(INSTANCE).encode()
    status, text = ask(f"{address}/invocations", line + b"\n" + line, "application/jsonlines")
    assert status == 200
    alone = json.dumps({"instances": [INSTANCE], "configuration": INFERENCE}).encode()
    [prediction] = json.loads(ask(f"{address}/invocations", alone)[1])["predictions"]
    assert [json.loads(one) for one in text.splitlines()] == [prediction, prediction]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "the request is not JSON"),
        (b'{"instances": 3}', "the request must be a JSON object with a list of instances"),
        (b'{"instances": [{"target": [1]}]}', "instance 0: the field 'start' is missing"),
        (b'{"instances": [], "configuration": {"num_samples": 0}}', "configuration num_samples"),
    ],
)
def test_a_bad_request_is_answered_with_400_and_the_reason(address: str, body: bytes, problem: str) -> None:
    status, text = ask(f"{address}/invocations", body)
    assert (status, text[: len(problem)]) == (400, problem)


def test_a_forecast_beyond_all_bounds_is_the_models_failure(address: str) -> None:
    body = json.dumps({"instances": [{"start": START, "target": [1e38] * 48}]}).encode()
    assert ask(f"{address}/invocations", body) == (500, "the model gives no finite forecast for an instance")


def test_other_paths_and_methods_are_not_served(address: str) -> None:
    assert ask(f"{address}/models")[0] == 404
    assert ask(f"{address}/invocations")[0] == 404
    assert ask(f"{address}/ping") == (200, "")
