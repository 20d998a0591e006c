"""A gate before S3, which lets all requests of a job pass until it is told to hold its writes.

A job that is killed while its next write is held has written exactly what passed before: no clock is needed to kill it
between two writes.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import boto3

from local_aws.control_plane import ControlPlane, serve
from local_aws.engines import s3_front
from local_aws.engines.s3_front import Engine
from local_aws.glue.composition import glue_services
from local_aws.glue.log_store import LogStore
from local_aws.ports import free_ports
from local_aws.settings import HOST, Settings
from local_aws.state import State

WRITING = (b"PUT", b"POST", b"DELETE")
SECONDS_TO_WAIT = 120


class Gate:
    """Made by `opened`. `written` are bucket and key of the objects that have passed, in their order."""

    def __init__(self, engine_port: int) -> None:
        self.engine_port, self.port = engine_port, 0
        self.written: list[str] = []
        self._left: int | None = None
        self._holds = threading.Event()
        self._lock = threading.Lock()

    def open(self) -> None:
        """From now on everything passes; `written` begins anew."""
        with self._lock:
            self.written, self._left = [], None
            self._holds.clear()

    def hold(self, after: int) -> None:
        """From now on so many objects pass; further writes, deletions too, are held for ever."""
        self.open()
        with self._lock:
            self._left = after

    def wait(self) -> None:
        """Waits until a write is held."""
        assert self._holds.wait(SECONDS_TO_WAIT), f"only {len(self.written)} objects were written"

    def passes(self, method: bytes, target: bytes) -> bool:
        """Whether a request passes."""
        if method not in WRITING:
            return True
        with self._lock:
            if self._holds.is_set() or (method == b"PUT" and self._left == len(self.written)):
                self._holds.set()
                return False
            if method == b"PUT":
                self.written.append(unquote(target.partition(b"?")[0].decode("latin-1")).lstrip("/"))
            return True


class _Client(s3_front.Client):
    """The connection of a job."""

    def __init__(self, gate: Gate) -> None:
        super().__init__(gate.engine_port)
        self._gate = gate

    def _forward(self, head: bytes, engine: Engine) -> None:
        method, target, _ = head.split(b" ", 2)
        if self._gate.passes(method, target):
            super()._forward(head, engine)
            return
        # The job's side stays open, and is never answered. What the job may still send on it reaches nobody.
        engine.other = None
        assert engine.transport is not None
        engine.transport.abort()


@contextmanager
def opened(engine_port: int) -> Iterator[Gate]:
    """A gate before the S3 at `engine_port`, served by a thread of its own on a free port."""
    gate = Gate(engine_port)
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(loop.create_server(lambda: _Client(gate), HOST, 0))
    gate.port = server.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever, name="gate")
    thread.start()
    try:
        yield gate
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        server.close()
        loop.close()


@contextmanager
def glue_behind(gate: Gate, settings: Settings, s3: Any, home: Path) -> Iterator[Any]:
    """A client of a Glue of its own, whose jobs reach S3 through the gate. Scripts are fetched by `s3`, past it."""
    own = replace(settings, home=home, control_port=free_ports(1)[0], s3_port=gate.port)
    with closing(State(home / "state.sqlite")) as state, closing(LogStore(home / "logs.sqlite")) as logs:
        plane = ControlPlane(own, state, glue_services(own, state, s3, logs))
        server = serve(plane)
        plane.start()
        thread = threading.Thread(target=server.serve_forever, name="Glue behind the gate")
        thread.start()
        try:
            yield boto3.session.Session().client(
                "glue",
                endpoint_url=own.control_url,
                aws_access_key_id=own.access_key,
                aws_secret_access_key=own.secret_key,
                region_name=own.region,
            )
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
            plane.stop()
