"""Copies an ORC file to the disk, and reads it there on trial, in a process of its own.

pyarrow 17, which Glue 5.0 has, does not raise an exception for most damages of a compressed ORC file, nor for a failure
of S3 amid one: it ends the process, and so the job, without a word about the file. ORC has no checksums by which to
tell beforehand. pyarrow 23 raises an exception for a damage.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from tempfile import NamedTemporaryFile
from typing import IO

import pyarrow as pa

from meter_data.meter_files import lines

_SCRIPT = """
import sys
from pyarrow import orc
file = orc.ORCFile(sys.argv[1])
for stripe in range(file.nstripes):
    file.read_stripe(stripe)
"""


class ProcessEndedError(Exception):
    """Reading the file ended the process that did it."""


def tried_copy(content: IO[bytes]) -> pa.NativeFile:
    """Returns a copy of an ORC file on the disk, opened. It has no name, so that it is gone with the last reader.

    Raises ProcessEndedError. A damage for which pyarrow raises an exception is left to the reader of the copy.
    """
    with NamedTemporaryFile(suffix=".orc") as copy:
        shutil.copyfileobj(content, copy, lines.PART_BYTES)  # each read may be a request
        copy.flush()
        command = [sys.executable, "-c", _SCRIPT, copy.name]
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        if done.returncode < 0:  # by a signal
            raise ProcessEndedError
        return pa.OSFile(copy.name)
