"""A container that keeps SageMaker's contract and does as it is told, in milliseconds.

Hyperparameters of a training: behaviour = well | refuse | crash | hang | no model; seconds = how long it takes; any
number `x` gives the metric test:RMSE = (x - 3)^2. The model is what the hyperparameters and the channels were.

Environment of a served model: START_SECONDS before /ping answers; DIE = 1 ends at once; NEVER = 1 never answers /ping.
It answers a JSON Lines body line by line with {"model": …, "got": the line}, refuses a line with "refuse" (400), fails
for "crash" (500), ends for "die", and is slow for "slow".
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


def train(folder: Path) -> int:
    parameters = json.loads((folder / "input/config/hyperparameters.json").read_text())
    channels = folder / "input/data"
    files = sorted(str(file.relative_to(channels)) for file in channels.rglob("*") if file.is_file())
    print("Arguments:", json.dumps(parameters, sort_keys=True))
    behaviour = parameters.get("behaviour", "well")
    if behaviour == "refuse":
        (folder / "output/failure").write_text("ClientError: the hyperparameter behaviour says refuse")
        return 1
    if behaviour == "crash":
        return 3
    model = {"parameters": parameters, "files": files, "environment": os.environ.get("GIVEN", "")}
    save(folder, model | {"whole": False})
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    metric(folder, "train:loss", 9.0)
    if behaviour == "hang":
        print("a first model is saved")
        time.sleep(600)
    time.sleep(float(parameters.get("seconds", 0)))
    metric(folder, "train:loss", 4.0)
    metric(folder, "train:final_loss", float("nan"))
    metric(folder, "test:RMSE", (float(parameters.get("x", 0)) - 3) ** 2)
    print("#test_score (algo-1, RMSE): 1.0")
    if behaviour == "no model":
        (folder / "model/model.json").unlink()
    else:
        save(folder, model | {"whole": True})
    return 0


def save(folder: Path, model: dict[str, object]) -> None:
    (folder / "model/model.json").write_text(json.dumps(model))


def metric(folder: Path, name: str, value: float) -> None:
    with (folder / "output/metrics.jsonl").open("a") as file:
        file.write(json.dumps({"name": name, "value": value, "epoch": 0, "time": time.time()}) + "\n")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    model: dict[str, object]
    ready_at: float

    def do_GET(self) -> None:
        self.answer(200 if time.monotonic() > self.ready_at else 503, b"")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        print("request of", len(body))
        if "die" in body:
            os._exit(7)
        if "slow" in body:
            time.sleep(1)
        if "refuse" in body:
            self.answer(400, b"the record says refuse")
        elif "crash" in body:
            self.answer(500, b"the record says crash")
        else:
            own = {"model": self.model["parameters"], "accept": self.headers.get("Accept")}
            lines = [json.dumps(own | {"got": json.loads(line)}) for line in body.splitlines()]
            self.answer(200, "\n".join(lines).encode())

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", self.headers.get("Accept") or "text/plain")
        self.send_header(
            "X-Amzn-SageMaker-Custom-Attributes", self.headers.get("X-Amzn-SageMaker-Custom-Attributes", "")
        )
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return


def serve(folder: Path, port: int) -> int:
    if "DIE" in os.environ:
        print("cannot load the model")
        return 5
    Handler.model = json.loads((folder / "model/model.json").read_text())
    never = 10**9 if "NEVER" in os.environ else 0
    Handler.ready_at = time.monotonic() + never + float(os.environ.get("START_SECONDS", 0))
    print("serving", json.dumps(Handler.model["parameters"], sort_keys=True))
    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = False
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    server.serve_forever()
    return 0


if __name__ == "__main__":
    given = dict(zip(sys.argv[2::2], sys.argv[3::2], strict=True))
    home = Path(given["--folder"])
    sys.exit(train(home) if sys.argv[1] == "train" else serve(home, int(given["--port"])))
