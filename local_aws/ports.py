"""TCP ports on 127.0.0.1: is one free, who holds it, give me a free one."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Collection
from typing import Any

import psutil

from local_aws.settings import HOST


def is_free(port: int) -> bool:
    """Whether a server can listen on the port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def holder(port: int) -> str | None:
    """The process that listens on the port, like "nginx (pid 812)"; None where that is not to be seen."""
    try:
        connections = psutil.net_connections("tcp")
    except psutil.AccessDenied:
        return None
    for connection in connections:
        address: Any = connection.laddr
        if connection.status == psutil.CONN_LISTEN and address.port == port and connection.pid:
            try:
                return f"{psutil.Process(connection.pid).name()} (pid {connection.pid})"
            except psutil.NoSuchProcess:
                return None
    return None


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
