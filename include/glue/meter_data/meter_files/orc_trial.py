"""Reads an ORC file on trial, in a process of its own.

pyarrow 17, which Glue 5.0 has, does not raise an exception for most damages of a compressed ORC file: it ends the
process, and so the job, without a word about the file. ORC has no checksums by which to tell beforehand. pyarrow 23
raises an exception.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from tempfile import NamedTemporaryFile
from typing import BinaryIO

from meter_data.meter_files import lines

_SCRIPT = """
import sys
from pyarrow import orc
file = orc.ORCFile(sys.argv[1])
for stripe in range(file.nstripes):
    file.read_stripe(stripe)
"""


def ends_the_process(content: BinaryIO) -> bool:
    """Tells whether reading the file ends the process that does it. An exception is no such end."""
    with NamedTemporaryFile(suffix=".orc") as copy:
        shutil.copyfileobj(content, copy, lines.PART_BYTES)  # each read may be a request
        copy.flush()
        command = [sys.executable, "-c", _SCRIPT, copy.name]
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return done.returncode < 0  # by a signal
