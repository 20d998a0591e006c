"""The program of the DeepAR image, with a folder in the place of /opt/ml.

    python -m local_aws.sagemaker.deepar train --folder F
    python -m local_aws.sagemaker.deepar serve --folder F --port P

train reads F/input/config/hyperparameters.json and F/input/data/{train,test}; it writes F/model, F/output/metrics.jsonl
and, when it fails, F/output/failure. serve answers GET /ping and POST /invocations with the model in F/model.
DEEPAR_THREADS sets how many threads torch may use (default 1).
"""

from __future__ import annotations

import argparse
import ctypes
import os
import sys
import warnings
from pathlib import Path

# mallopt's parameters and what they are set to, in bytes; see man 3 mallopt.
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD = -1, -2, -3
_MALLOC = {_M_MMAP_THRESHOLD: 32 << 20, _M_TRIM_THRESHOLD: 512 << 20, _M_TOP_PAD: 64 << 20}


def keep_freed_memory() -> None:
    """Tell glibc's malloc to use freed memory again and not give it back at once; other C libraries do as they do.

    A forecast of many steps makes and drops tensors of megabytes at each step: a third of the time went into pages
    that the kernel took back and zeroed again.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:
        for parameter, size in _MALLOC.items():
            mallopt(parameter, size)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("train").add_argument("--folder", type=Path, required=True)
    serve = commands.add_parser("serve")
    serve.add_argument("--folder", type=Path, required=True)
    serve.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()

    keep_freed_memory()
    # What GluonTS does that pandas and torch will not allow for ever is nothing that a user can act on.
    for category in (FutureWarning, UserWarning):
        warnings.filterwarnings("ignore", category=category, module="gluonts")
    import torch

    torch.set_num_threads(int(os.environ.get("DEEPAR_THREADS", "1")))
    if arguments.command == "train":
        from local_aws.sagemaker.deepar.training_job import TrainingJob

        return TrainingJob(arguments.folder).run()
    from local_aws.sagemaker.deepar.serving import serve as serve_model

    serve_model(arguments.folder, arguments.port)
    return 0


if __name__ == "__main__":
    sys.exit(main())
