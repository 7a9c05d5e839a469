"""`/changes` of real servers: what one changes the other tells, and a reader goes on at any of them."""

from __future__ import annotations

import http.client
import json
from typing import Iterator
from urllib.parse import urlsplit

import pytest

from client import Client, HttpError, Object, item
from conftest import Server, StartServer


class Reader:
    """A client that waits for changes."""

    def __init__(self, server: Server, query: str = "") -> None:
        parts = urlsplit(server.url)
        self.connection = http.client.HTTPConnection(parts.netloc, timeout=30)
        self.connection.request("GET", f"{parts.path}/changes{query}")
        self.response = self.connection.getresponse()
        assert self.response.status == 200, self.response.read()

    def next(self) -> Object:
        line = self.response.readline()
        assert line, "the answer has ended"
        return json.loads(line)

    def changes(self) -> Iterator[Object]:
        """Lines that have changes."""
        while True:
            if (line := self.next())["changes"]:
                yield line

    def ends(self) -> bool:
        """Whether the rest is lines without changes and an end in order."""
        return all(not json.loads(line)["changes"] for line in self.response.read().splitlines())

    def close(self) -> None:
        self.connection.close()


def make_bridges(api: Client, count: int) -> list[str]:
    return [api.create(api.url + "/bridges", item("Bridge-v4"), {"name": f"b{i}"})["id"] for i in range(count)]


def bridges_of(lines: list[Object]) -> list[str]:
    return [change["id"] for line in lines for change in line["changes"] if change["type"] == "Bridge"]


def test_a_reader_goes_on_at_another_server(start: StartServer, store: tuple[str, ...]) -> None:
    one, two = start(*store), start(*store)
    reader = Reader(one)
    begin = reader.next()
    assert begin["changes"] == []
    made = make_bridges(two.client(), 10)
    lines = reader.changes()
    first = [next(lines) for _ in range(5)]
    reader.close()

    reader = Reader(two, f"?since={first[-1]['revision']}")
    lines = reader.changes()
    rest = [next(lines) for _ in range(5)]
    assert bridges_of(first) + bridges_of(rest) == made
    revisions = [begin["revision"], *(line["revision"] for line in first + rest)]
    assert revisions == sorted(set(revisions))

    # While it waits: from the other one, and from its own.
    for api in (one.client(), two.client()):
        made = make_bridges(api, 1)
        assert bridges_of([next(lines)]) == made
    reader.close()


def test_a_server_that_ends_ends_its_answers(start: StartServer, store: tuple[str, ...]) -> None:
    server = start(*store)
    reader = Reader(server)
    reader.next()
    assert server.end() == 0
    assert reader.ends()
    reader.close()


def test_a_reader_outlives_the_server(start: StartServer, store: tuple[str, ...]) -> None:
    """What was changed before a server was killed, and after, is told by the next one."""
    server = start(*store)
    reader = Reader(server)
    begin = reader.next()["revision"]
    made = make_bridges(server.client(), 3)
    server.kill()
    reader.close()
    again = start(*store)
    made += make_bridges(again.client(), 3)
    reader = Reader(again, f"?since={begin}")
    lines = reader.changes()
    assert bridges_of([next(lines) for _ in range(6)]) == made
    reader.close()


def test_heartbeats_and_limits_are_settings(start: StartServer) -> None:
    server = start("api.change_heartbeat=100ms", "api.change_readers=1")
    reader = Reader(server)
    begin = reader.next()
    assert reader.next() == begin
    api = server.client()
    with pytest.raises(HttpError) as refusal:
        api.request("GET", server.url + "/changes")
    assert refusal.value.status == 503
    reader.close()
