"""TCP ports on 127.0.0.1: is one free, who holds it, give me a free one.

This module needs the standard library only: environments/port_check.py uses it before anything is installed.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from local_aws.settings import HOST

LISTEN = "0A"


@dataclass(frozen=True)
class Holder:
    """The process that listens on a port, printed like "nginx (pid 812)"."""

    name: str
    pid: int

    def __str__(self) -> str:
        return f"{self.name} (pid {self.pid})"


def is_free(port: int) -> bool:
    """Whether a server can listen on the port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def holder(port: int, proc: Path = Path("/proc")) -> Holder | None:
    """The process that listens on the port. None if this user may not see it, or if this system has no /proc."""
    sockets = {f"socket:[{inode}]" for inode in _listening_sockets(port, proc)}
    for process in sorted(proc.glob("[0-9]*")) if sockets else []:
        # A process may end while it is looked at, and those of other users are closed to us.
        with contextlib.suppress(OSError):
            if any(str(file.readlink()) in sockets for file in (process / "fd").iterdir()):
                return Holder((process / "comm").read_text().strip(), int(process.name))
    return None


def taken(port: int, user: str, variable: str) -> str:
    """What to say of a port that another program holds: which program, and what to do."""
    who = holder(port)
    return (
        f"port {port}, which {user} needs, is taken{f' by {who}' if who else ''}."
        f" End that process, or choose another port: write {variable}=<port> into .env"
    )


def free_ports(count: int, besides: Collection[int] = ()) -> list[int]:
    """As many different free ports as asked for, none of them handed out twice in one call, and none of `besides`."""
    found: list[int] = []
    with contextlib.ExitStack() as probes:
        while len(found) < count:
            probe = probes.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
            probe.bind((HOST, 0))
            # One that is left out stays bound until all are found, so that it is not offered again.
            port = probe.getsockname()[1]
            if port not in besides:
                found.append(port)
    return found


def _listening_sockets(port: int, proc: Path) -> Iterator[str]:
    """Inodes of the sockets that listen on the port, on any address. Columns: proc_net_tcp.rst of the kernel."""
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            for line in (proc / "net" / table).read_text().splitlines()[1:]:
                _, local, _, state, _, _, _, _, _, inode, *_ = line.split()
                if state == LISTEN and int(local.rpartition(":")[2], 16) == port:
                    yield inode
