"""The API under clients that misbehave: the well-behaved go on being served, and nothing is half-written."""

from __future__ import annotations

import socket
import time
from urllib.parse import urlsplit

import pytest

from midonet_lab.lab import Lab
from midonet_lab.waiting import wait_until

MIB = 1 << 20


@pytest.fixture(scope="module")
def lab(make_module_lab) -> Lab:
    return make_module_lab([{"name": "a", "host": "h1", "bridge": "red"}], hosts=1)


def connect(lab: Lab, timeout: float = 20.0) -> socket.socket:
    parts = urlsplit(lab.state.api_url)
    return socket.create_connection((parts.hostname, parts.port), timeout=timeout)


def answer(connection: socket.socket) -> bytes:
    """Everything the server says until it closes, at most a megabyte."""
    data = b""
    try:
        while len(data) < MIB and (piece := connection.recv(65536)):
            data += piece
    except ConnectionResetError:
        pass
    return data


def bridge_names(lab: Lab) -> list[str]:
    return [bridge["name"] for bridge in lab.api.get("/bridges")]


def quick(lab: Lab) -> None:
    begin = time.monotonic()
    lab.api.get("/bridges")
    assert time.monotonic() - begin < 1.0


def test_a_body_above_the_limit(lab):
    before = bridge_names(lab)
    with connect(lab) as connection:
        connection.sendall(b"POST /midonet-api/bridges HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                           b"Content-Length: %d\r\n\r\n" % (512 * MIB))
        try:
            for _ in range(64):
                connection.sendall(b'{"name":"' + b"a" * MIB)
        except OSError:
            pass  # cut off: as it should be
        # Either the answer could still be read, or the server closed while we were sending.
        said = answer(connection)
    assert said.startswith(b"HTTP/1.1 413") or said == b""
    with connect(lab) as connection:
        connection.sendall(b"POST /midonet-api/bridges HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                           b"Content-Length: %d\r\n\r\n" % (512 * MIB))
        assert answer(connection).startswith(b"HTTP/1.1 413")
    assert bridge_names(lab) == before
    quick(lab)


def test_a_body_cut_short(lab):
    before = bridge_names(lab)
    with connect(lab) as connection:
        connection.sendall(b"POST /midonet-api/bridges HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                           b'Content-Length: 100\r\n\r\n{"name":"half"')
        connection.shutdown(socket.SHUT_WR)
        answer(connection)
    assert bridge_names(lab) == before


def test_half_open_connections(lab):
    """Five hundred that never say a whole request: others are served at once, and the idle ones are thrown out."""
    lingering = [connect(lab, 30) for _ in range(500)]
    try:
        for index, connection in enumerate(lingering):
            if index % 2:
                connection.sendall(b"GET /midonet-api/bridges HTTP/1.1\r\nHost:")
        quick(lab)
        slow = [c for i, c in enumerate(lingering) if i % 2]
        begin = time.monotonic()
        for connection in slow:
            said = answer(connection)
            assert said == b"" or said.startswith(b"HTTP/1.1 408")
        assert time.monotonic() - begin < 25
    finally:
        for connection in lingering:
            connection.close()
    quick(lab)


def test_a_client_that_sends_one_byte_at_a_time(lab):
    with connect(lab) as connection:
        request = b"GET /midonet-api/system_state HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 4000
        sent = 0
        begin = time.monotonic()

        def cut_off() -> bool:
            nonlocal sent
            try:
                connection.sendall(request[sent:sent + 1])
                sent += 1
                connection.setblocking(False)
                return connection.recv(100) is not None
            except BlockingIOError:
                return False
            except OSError:
                return True
            finally:
                connection.setblocking(True)

        wait_until(cut_off, "the trickling client to be cut off", 30, interval=0.05)
        assert time.monotonic() - begin < 25
    quick(lab)


def test_nothing_is_dropped_when_the_server_ends_in_order(lab):
    """Each request that was answered 201 is there after the restart, and none that was not."""
    with connect(lab) as connection:
        connection.sendall(b"POST /midonet-api/bridges HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                           b"Content-Length: 15\r\n\r\n")
        assert lab.process("api").send(15)
        connection.sendall(b'{"name":"last"}')
        said = answer(connection)
    wait_until(lambda: not lab.process("api").alive(), "the server to end", 15)
    lab.start_api()
    assert ("last" in bridge_names(lab)) == said.startswith(b"HTTP/1.1 201")
    assert said.startswith(b"HTTP/1.1 201"), "a request already begun was dropped"
