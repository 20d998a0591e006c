"""A thin front of SeaweedFS that makes two of its answers those of S3; SeaweedFS has no options for them.

    python -m local_aws.engines.s3_front <port> <port of SeaweedFS's S3> <weed> <argument>…

HEAD and GET of "prefix/" when only keys below it exist: SeaweedFS keeps folders, and answers 200 for one that nobody
put there; on S3 such a key does not exist (404). A folder of its own making is told from a put one by its ETag, which
ends in "-0".

An empty PUT that expects "100 Continue": S3 sends it, SeaweedFS does not, and boto3 then loses the answer to the next
request of the connection.

All other bytes pass through as they are: requests are read only as far as needed to see where one ends and the next
begins. The front starts `weed` as its child and ends when it ends.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from urllib.parse import unquote

from local_aws import processes
from local_aws.settings import HOST

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
HEAD_END = b"\r\n\r\n"
LARGEST_HEAD = 256 * 1024
FOLDER = (b"application/x-directory", b'-0"')
NO_SUCH_KEY = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>NoSuchKey</Code>'
    b"<Message>The specified key does not exist.</Message></Error>"
)


@dataclass(frozen=True)
class Request:
    """The head of a request, as far as the front needs it."""

    method: bytes
    names_folder: bool
    body_length: int
    chunked: bool
    expects_continue: bool

    @classmethod
    def read(cls, head: bytes) -> Request:
        line, *fields = head.split(b"\r\n")
        method, target, *_ = [*line.split(b" "), b"", b""]
        headers = {
            name.strip().lower(): value.strip() for name, _, value in (field.partition(b":") for field in fields)
        }
        path, _, query = target.partition(b"?")
        _, _, key = unquote(path.decode("latin-1")).lstrip("/").partition("/")
        return cls(
            method,
            names_folder=method in (b"HEAD", b"GET") and key.endswith("/") and not query,
            body_length=int(headers.get(b"content-length", b"0") or 0),
            chunked=b"chunked" in headers.get(b"transfer-encoding", b"").lower(),
            expects_continue=headers.get(b"expect", b"").lower() == b"100-continue",
        )


class Side(asyncio.Protocol):
    """One of the two connections of a pair; pauses the other when its own peer is slow."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.other: Side | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def connection_lost(self, error: Exception | None) -> None:
        if self.other and self.other.transport:
            self.other.transport.close()

    def pause_writing(self) -> None:
        if self.other and self.other.transport and not self.other.transport.is_closing():
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other and self.other.transport and not self.other.transport.is_closing():
            self.other.transport.resume_reading()

    def send(self, data: bytes) -> None:
        if self.transport and not self.transport.is_closing():
            self.transport.write(data)


class Engine(Side):
    """The connection to SeaweedFS."""

    def __init__(self, client: Client) -> None:
        super().__init__()
        self.other = client
        self.corrects: bytes | None = None  # the method of the request whose answer comes next
        self._head = b""

    def data_received(self, data: bytes) -> None:
        client = cast(Client, self.other)
        if self.corrects is None:
            client.send(data)
            return
        self._head += data
        if HEAD_END in self._head:
            client.send(corrected(self._head, self.corrects))
            self.corrects, self._head = None, b""


class Client(Side):
    """The connection from an S3 client; opens its own to SeaweedFS."""

    def __init__(self, engine_port: int) -> None:
        super().__init__()
        self._port = engine_port
        self._head = b""
        self._body_left = 0
        self._opaque = False
        self._connecting: asyncio.Task[None] | None = None
        # Python 3.11 begins to read although connection_made has paused it.
        self._early = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        cast(asyncio.Transport, transport).pause_reading()
        self._connecting = asyncio.get_running_loop().create_task(self._connect())

    async def _connect(self) -> None:
        transport = cast(asyncio.Transport, self.transport)
        try:
            engine = Engine(self)
            await asyncio.get_running_loop().create_connection(lambda: engine, HOST, self._port)
        except OSError:
            transport.close()
            return
        self.other = engine
        if transport.is_closing():
            cast(asyncio.Transport, engine.transport).close()
        else:
            transport.resume_reading()
            self.data_received(self._early)

    def data_received(self, data: bytes) -> None:
        if self.other is None:
            self._early += data
            return
        engine = cast(Engine, self.other)
        while data:
            if self._opaque:
                engine.send(data)
                return
            if self._body_left:
                part, data = data[: self._body_left], data[self._body_left :]
                self._body_left -= len(part)
                engine.send(part)
                continue
            self._head, data = self._head + data, b""
            end = self._head.find(HEAD_END)
            if end < 0:
                if len(self._head) > LARGEST_HEAD:
                    cast(asyncio.Transport, self.transport).close()
                return
            head, data = self._head[: end + 4], self._head[end + 4 :]
            self._head = b""
            self._forward(head, engine)

    def _forward(self, head: bytes, engine: Engine) -> None:
        request = Request.read(head)
        if request.names_folder:
            engine.corrects = request.method
        self._body_left = request.body_length
        # Where a chunked body ends is not worth reading: what follows on this connection passes uncorrected.
        self._opaque = request.chunked
        if request.expects_continue and not request.body_length and not request.chunked:
            self.send(CONTINUE)
        engine.send(head)


def corrected(answer: bytes, method: bytes) -> bytes:
    """A 404 in place of the answer for a folder that only has keys below it; any other answer as it is."""
    head = answer.partition(HEAD_END)[0]
    if not head.startswith(b"HTTP/1.1 200") or not all(sign in head for sign in FOLDER):
        return answer
    body = NO_SUCH_KEY if method == b"GET" else b""
    fields = b"Content-Type: application/xml\r\nContent-Length: %d\r\n" % len(body)
    return b"HTTP/1.1 404 Not Found\r\n" + fields + b"\r\n" + body


async def serve(port: int, engine_port: int, command: list[str]) -> int:
    """Serve until `weed` ends or a signal comes; returns weed's exit code, 0 after a signal."""
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    server = await loop.create_server(lambda: Client(engine_port), HOST, port)
    weed = processes.start(command, log_path=Path("/dev/stdout"))
    ends: list[asyncio.Future[Any]] = [
        asyncio.ensure_future(asyncio.to_thread(weed.wait)),
        asyncio.ensure_future(stopped.wait()),
    ]
    try:
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    finally:
        server.close()
        processes.stop(weed, timeout=2)
    return 0 if stopped.is_set() else weed.returncode or 1


if __name__ == "__main__":
    sys.exit(asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])))
