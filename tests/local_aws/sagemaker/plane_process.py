"""A control plane of SageMaker with the fake container in a process of its own: <home> <control port> <s3 port>."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from local_aws.settings import Settings
from tests.local_aws.sagemaker.conftest import Plane

home, control_port, s3_port = sys.argv[1:]
Plane(Settings(home=Path(home), control_port=int(control_port), s3_port=int(s3_port))).start()
print("serving", flush=True)
signal.pause()
