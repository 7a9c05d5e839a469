"""Many REST clients in one thread, each with a connection of its own and one request under way: cheap enough to share the machine with
what they measure."""

from __future__ import annotations

import json
import selectors
import socket
import time
from dataclasses import dataclass, field
from typing import Any, Iterator
from urllib.parse import urlsplit

from midonet_lab import namespaces
from midonet_lab.errors import LabError

Request = tuple[str, str, dict[str, Any]]  # method, path, body


@dataclass
class _Client:
    socket: socket.socket
    requests: Iterator[Request]
    asked: float = 0.0
    what: str = ""
    answer: bytes = field(default=b"", repr=False)


def drive(url: str, namespace: str, sequences: list[Iterator[Request]]) -> list[float]:
    """One client for each sequence does its requests in order; returns the milliseconds of all. Any answer but 2xx is an error."""
    parts = urlsplit(url)
    times: list[float] = []
    with selectors.DefaultSelector() as selector:
        for requests in sequences:
            connection = namespaces.open_socket(namespace, socket.AF_INET, socket.SOCK_STREAM)
            connection.connect((parts.hostname, parts.port))
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            client = _Client(connection, requests)
            if _ask(client, parts.path):
                selector.register(connection, selectors.EVENT_READ, client)
        while selector.get_map():
            for key, _ in selector.select(30):
                client = key.data
                if not _answered(client):
                    continue
                times.append((time.perf_counter() - client.asked) * 1e3)
                if not _ask(client, parts.path):
                    selector.unregister(client.socket)
                    client.socket.close()
    return times


def _ask(client: _Client, root: str) -> bool:
    """False when there is nothing more to do."""
    request = next(client.requests, None)
    if request is None:
        return False
    method, path, body = request
    data = json.dumps(body).encode() if body else b""
    head = f"{method} {root}{path} HTTP/1.1\r\nHost: api\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
    client.what, client.answer, client.asked = f"{method} {path}", b"", time.perf_counter()
    client.socket.sendall(head.encode() + data)
    return True


def _answered(client: _Client) -> bool:
    data = client.socket.recv(1 << 16)
    client.answer += data
    head, end, body = client.answer.partition(b"\r\n\r\n")
    if not data:
        raise LabError(f"{client.what}: the connection was closed")
    if not end:
        return False
    if not _complete(head.lower(), body):
        return False
    if not head.startswith(b"HTTP/1.1 2"):
        raise LabError(f"{client.what} -> {head.splitlines()[0].decode()}: {body[:200]!r}")
    return True


def _complete(head: bytes, body: bytes) -> bool:
    """`head` in lower case. Long lists come in pieces; what is inside them is JSON, which has no line breaks."""
    if b"\r\ntransfer-encoding: chunked" in head:
        return body.endswith(b"\r\n0\r\n\r\n")
    length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.startswith(b"content-length:")), 0)
    return len(body) >= length
