"""A container that trains in milliseconds, for the local SageMaker: what its model is worth, its hyperparameters say.

test:mean_wQuantileLoss = num_cells / 100
dropout_rate 0.99       the training is refused
epochs 10000            the training does not end by itself
num_layers 8            the model does not start
"""

from __future__ import annotations

import json
import signal
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


def train(folder: Path) -> int:
    parameters = json.loads((folder / "input/config/hyperparameters.json").read_text())
    if parameters["dropout_rate"] == "0.99":
        (folder / "output/failure").write_text("ClientError: dropout_rate 0.99 leaves nothing to learn from")
        return 1
    (folder / "model/model.json").write_text(json.dumps(parameters))
    if parameters["epochs"] == "10000":
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        time.sleep(600)
    scores = {"test:mean_wQuantileLoss": int(parameters["num_cells"]) / 100, "test:RMSE": 250.0}
    lines = [json.dumps({"name": name, "value": value, "time": time.time()}) for name, value in scores.items()]
    (folder / "output/metrics.jsonl").write_text("\n".join(lines) + "\n")
    return 0


class Handler(BaseHTTPRequestHandler):
    model: bytes

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(self.model)

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return


def serve(folder: Path, port: int) -> int:
    Handler.model = (folder / "model/model.json").read_bytes()
    if json.loads(Handler.model)["num_layers"] == "8":
        print("cannot load eight layers")
        return 5
    ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
    return 0


if __name__ == "__main__":
    given = dict(zip(sys.argv[2::2], sys.argv[3::2], strict=True))
    home = Path(given["--folder"])
    sys.exit(train(home) if sys.argv[1] == "train" else serve(home, int(given["--port"])))
