"""`train`: one training in SageMaker's folder, with the log lines and metrics of the real container."""

from __future__ import annotations

import json
import math
import signal
import time
from pathlib import Path
from types import FrameType

from local_aws.sagemaker.deepar import channel, data_rules, scoring, training
from local_aws.sagemaker.deepar.errors import DeepARError
from local_aws.sagemaker.deepar.hyperparameters import Hyperparameters
from local_aws.sagemaker.deepar.series import Series

HOST = "algo-1"


class TrainingJob:
    """input/ → model/, output/metrics.jsonl and, when it fails, output/failure; lines for the log on stdout."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stopped = False

    def run(self) -> int:
        """The exit code: 0, also when it was stopped after an epoch; 1 for a failure, whose reason is written."""
        signal.signal(signal.SIGTERM, self._stop)
        try:
            self._train()
        except DeepARError as error:
            return self._fail(str(error))
        return 0

    def _train(self) -> None:
        config = json.loads((self._folder / "input" / "config" / "hyperparameters.json").read_text(encoding="utf-8"))
        hyperparameters = Hyperparameters.parse(config)
        train, test = self._channels(hyperparameters)
        for line in data_rules.statistics(train):
            say(f"Training set statistics: {line}")
        short = len(train) - len(data_rules.usable(train, hyperparameters.prediction_length))
        if short:
            say(f"{short} time series are shorter than prediction_length and are not trained on")
        model, loss = training.train(
            hyperparameters, train, self._reporter(hyperparameters.epochs), lambda: self._stopped
        )
        model.save(self._folder / "model")
        if not math.isinf(loss):
            say(f"#quality_metric: host={HOST}, train final_loss <loss>={loss}")
            self._record("train:final_loss", loss)
        if test and not self._stopped:
            for name, value in scoring.score(model, test).items():
                say(f"#test_score ({HOST}, {name}): {value}")
                self._record(f"test:{name}", value)

    def _channels(self, hyperparameters: Hyperparameters) -> tuple[list[Series], list[Series]]:
        """The channels train and test, checked; test is [] when it was not given."""
        data = self._folder / "input" / "data"
        train = channel.read(data / "train", "train", hyperparameters.time_freq)
        features = data_rules.check_training_set(train, hyperparameters)
        if not (data / "test").is_dir():
            return train, []
        test = channel.read(data / "test", "test", hyperparameters.time_freq)
        data_rules.check_channel(test, "test", features, hyperparameters)
        return train, test

    def _reporter(self, epochs: int) -> training.Report:
        begun = time.monotonic()

        def report(epoch: training.Epoch) -> None:
            say(f"#progress_metric: host={HOST}, completed {100 * (epoch.number + 1) / epochs:.1f} % of epochs")
            say(f"#quality_metric: host={HOST}, epoch={epoch.number}, train loss <loss>={epoch.loss}")
            if epoch.is_best:
                say(f"Epoch[{epoch.number}] {time.monotonic() - begun:.1f} s: the lowest loss so far, weights are kept")
            self._record("train:loss", epoch.loss, epoch.number)

        return report

    def _record(self, name: str, value: float, epoch: int | None = None) -> None:
        line = {"name": name, "value": value, "time": time.time(), **({} if epoch is None else {"epoch": epoch})}
        file = self._folder / "output" / "metrics.jsonl"
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a", encoding="utf-8") as metrics:
            metrics.write(f"{json.dumps(line)}\n")

    def _fail(self, reason: str) -> int:
        say(reason)
        file = self._folder / "output" / "failure"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(reason, encoding="utf-8")
        return 1

    def _stop(self, _: int, __: FrameType | None) -> None:
        self._stopped = True


def say(line: str) -> None:
    print(line, flush=True)
