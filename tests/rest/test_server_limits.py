"""What clients can cost one server: connections that do nothing, lists that nobody reads, descriptors."""

from __future__ import annotations

import http.client
import json
import os
import resource
import socket
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from client import item
from conftest import Server, StartServer
from midonet_lab.waiting import wait_until

IDLE = 10_000
SPARE = 500


def resident_mb(server: Server) -> float:
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")) / 1024


def connect(server: Server, receive_buffer: int = 0) -> socket.socket:
    parts = urlsplit(server.url)
    sock = socket.socket()
    if receive_buffer:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    sock.settimeout(20)
    sock.connect((parts.hostname, parts.port))
    return sock


def ask(sock: socket.socket) -> bytes:
    """A request whose answer is one segment."""
    sock.sendall(b"GET /midonet-api/system_state HTTP/1.1\r\nHost: h\r\n\r\n")
    return sock.recv(4096)


@pytest.fixture
def many_descriptors() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = IDLE + SPARE
    if soft < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(hard, wanted)))
        except (ValueError, OSError):
            pytest.skip(f"this process may not have {wanted} descriptors")


def test_ten_thousand_idle_connections(start: StartServer, many_descriptors: None) -> None:
    """Each has been used once. The server raises its own limit of descriptors; others are served as before."""
    del many_descriptors
    server = start(f"api.max_connections={IDLE + SPARE}", "api.idle_timeout=5m")
    before = resident_mb(server)
    idle = []
    for _ in range(IDLE):
        idle.append(connect(server))
        assert ask(idle[-1]).startswith(b"HTTP/1.1 200")
    descriptors = len(os.listdir(f"/proc/{server.process.pid}/fd"))
    after = resident_mb(server)
    print(f"{IDLE} idle connections: {before:.1f} -> {after:.1f} MB, {(after - before) * 1024 / IDLE:.2f} KiB each")
    assert descriptors >= IDLE
    assert after - before < 100
    with connect(server) as other:
        assert ask(other).startswith(b"HTTP/1.1 200")
    for number in (0, IDLE // 2, IDLE - 1):
        assert ask(idle[number]).startswith(b"HTTP/1.1 200"), "idle connections still serve"
    for sock in idle:
        sock.close()


def test_connections_beyond_the_limit_are_refused(start: StartServer) -> None:
    server = start("api.max_connections=3")
    kept = [connect(server) for _ in range(3)]
    for sock in kept:
        assert ask(sock).startswith(b"HTTP/1.1 200")
    with connect(server) as fourth:
        answer = fourth.recv(4096)
        assert answer.startswith(b"HTTP/1.1 503") and b"Error-v1" in answer
    kept.pop().close()

    def served() -> bool:
        with connect(server) as sock:
            return ask(sock).startswith(b"HTTP/1.1 200")

    wait_until(served, "the place of a closed connection to be free", 10)


def fill(server: Server, ports: int) -> str:
    """A bridge with ports; the path of their list."""
    bridge = server.client().create(server.url + "/bridges", item("Bridge-v4"), {"name": "b"})
    path = urlsplit(bridge["ports"]).path
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=30)
    for _ in range(ports):
        connection.request("POST", path, json.dumps({"type": "Bridge"}))
        assert connection.getresponse().read() == b""
    connection.close()
    return path


def test_lists_that_nobody_reads_cost_little_and_end(start: StartServer) -> None:
    """Each would be 2 MB of text; of each, only what the kernel took and two pieces are kept, and that not for ever."""
    server = start("api.write_timeout=2s")
    path = fill(server, 2500)
    before = resident_mb(server)
    readers = [connect(server, receive_buffer=4096) for _ in range(40)]
    for sock in readers:
        sock.sendall(f"GET {path} HTTP/1.1\r\nHost: h\r\n\r\n".encode())
        sock.recv(100)
    after = resident_mb(server)
    print(f"{len(readers)} lists nobody reads: {before:.1f} -> {after:.1f} MB")
    assert after - before < 60
    wait_until(lambda: open_connections(server) <= 1, "the server to cut them off", 30)
    for sock in readers:
        sock.close()


def open_connections(server: Server) -> int:
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=10)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    return int(float(next(line.split()[1] for line in text.splitlines() if line.startswith("midonet_rest_connections "))))


def test_heads_and_bodies_that_never_end(start: StartServer) -> None:
    server = start("api.header_timeout=1s", "api.request_timeout=2s")
    for begin, drip, status in ((b"GET /midonet-api HTTP/1.1\r\nX: ", b"x", b"408"),
                                (b"POST /midonet-api/bridges HTTP/1.1\r\nHost: h\r\nContent-Length: 10000\r\n\r\n{", b" ", b"408")):
        with connect(server) as sock:
            sock.sendall(begin)
            sock.settimeout(0.05)
            answer = b""
            deadline = time.monotonic() + 20
            while not answer and time.monotonic() < deadline:
                sock.sendall(drip)
                try:
                    answer = sock.recv(4096)
                except TimeoutError:
                    pass
            assert answer.split(b" ")[1] == status, answer
