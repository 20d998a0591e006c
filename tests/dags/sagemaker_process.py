"""S3, SSM and SageMaker of local_aws with the quick container beside this file: <home>. Runs in .venv-local.

Writes one line of JSON, {"control": url, "s3": url}, when it serves; ends when its input does.
"""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path

from local_aws.control_plane import ControlPlane, serve
from local_aws.engines.seaweedfs import SeaweedFS
from local_aws.glue.log_store import LogStore
from local_aws.ports import free_ports
from local_aws.sagemaker.composition import sagemaker_services
from local_aws.sagemaker.container import Container
from local_aws.settings import Settings
from local_aws.state import State

CONTAINER = Container(
    repository="forecasting-deepar",
    tag="1",
    command=(sys.executable, "-I", "-S", "-u", Path(__file__).with_name("sagemaker_container.py")),
    python_path=Path(__file__).parent,
    objectives=("test:RMSE", "test:mean_wQuantileLoss"),
)


def main(home: Path) -> None:
    control_port, s3_port = free_ports(2)
    settings = Settings(home=home, control_port=control_port, s3_port=s3_port)
    s3 = SeaweedFS(settings)
    s3.start(die_with_parent=True)
    state = State(home / "state.sqlite")
    logs = LogStore(home / "logs.sqlite")
    services = sagemaker_services(settings, state, s3.client(), logs, container=CONTAINER, start_seconds=10)
    plane = ControlPlane(settings, state, services)
    server = serve(plane)
    plane.start()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    print(json.dumps({"control": settings.control_url, "s3": settings.s3_url}), flush=True)
    sys.stdin.read()
    server.shutdown()
    thread.join()
    plane.stop()
    s3.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
