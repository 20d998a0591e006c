"""Free ports: different ones, and none that is kept for somebody else."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_aws import ports
from local_aws.settings import HOST


class Offers:
    """Sockets whose ports come in a given order."""

    def __init__(self, *offered: int) -> None:
        self._offered: Iterator[int] = iter(offered)

    def __call__(self, *_: int) -> Offers:
        return self

    def __enter__(self) -> Offers:
        return self

    def __exit__(self, *_: object) -> None: ...

    def bind(self, address: tuple[str, int]) -> None:
        assert address == (HOST, 0)

    def getsockname(self) -> tuple[str, int]:
        return HOST, next(self._offered)


def test_free_ports_are_different_and_free() -> None:
    found = ports.free_ports(20)

    assert len(set(found)) == 20
    assert all(ports.is_free(port) for port in found)


def test_a_port_that_is_kept_for_somebody_else_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "socket", Offers(40001, 40002, 40003))

    assert ports.free_ports(2, besides=[40002]) == [40001, 40003]


def test_the_holder_of_a_port_is_named() -> None:
    with socket.create_server((HOST, 0)) as server:
        holder = ports.holder(server.getsockname()[1])

    assert holder is not None
    assert holder.pid == os.getpid()
    assert str(holder).endswith(f"(pid {os.getpid()})")


def test_a_port_that_nobody_holds_has_no_holder() -> None:
    assert ports.holder(ports.free_ports(1)[0]) is None


def test_where_sockets_cannot_be_seen_the_holder_is_unknown(tmp_path: Path) -> None:
    with socket.create_server((HOST, 0)) as server:
        assert ports.holder(server.getsockname()[1], proc=tmp_path) is None
