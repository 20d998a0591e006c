"""The front of SeaweedFS passes on what it is sent, however early."""

from __future__ import annotations

import asyncio

from local_aws.engines.s3_front import Client
from local_aws.settings import HOST

REQUEST = b"GET /bucket?list-type=2 HTTP/1.1\r\nHost: s3\r\n\r\n"


def test_a_request_that_comes_before_the_engine_is_connected_is_passed_on() -> None:
    async def run() -> bytes:
        received: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        async def engine(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            received.set_result(await reader.readuntil(b"\r\n\r\n"))
            writer.close()

        behind = await asyncio.start_server(engine, HOST, 0)
        client = Client(behind.sockets[0].getsockname()[1])
        # Given by hand before the front has had a chance to connect, as Python 3.11 does under load.
        client.data_received(REQUEST)
        front = await asyncio.get_running_loop().create_server(lambda: client, HOST, 0)
        _, writer = await asyncio.open_connection(HOST, front.sockets[0].getsockname()[1])
        try:
            return await asyncio.wait_for(received, 10)
        finally:
            writer.close()
            front.close()
            behind.close()

    assert asyncio.run(run()) == REQUEST
