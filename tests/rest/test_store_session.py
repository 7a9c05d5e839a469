"""A server whose session with the ensemble has expired goes on with another one."""

from __future__ import annotations

import os
import signal
import socket

import pytest

from client import collection, item
from conftest import StartServer, zookeeper
from midonet_lab.waiting import wait_until


@pytest.mark.skipif(not zookeeper.JAR.exists(), reason="starts a server of the package zookeeper")
def test_a_server_that_was_frozen_until_its_session_expired(start: StartServer, ensemble: tuple[str, ...]) -> None:
    server = start(*ensemble)
    client = server.client()
    before = client.create(f"{server.url}/bridges", item("Bridge-v4"), {"name": "before"})
    port = int(ensemble[1].rpartition(":")[2])

    def sessions() -> float | None:
        return zookeeper.counters(socket.socket(), port).get("zk_global_sessions")

    assert sessions() == 1
    os.kill(server.process.pid, signal.SIGSTOP)
    try:
        wait_until(lambda: sessions() == 0, "the session of the server to expire", 60)
    finally:
        os.kill(server.process.pid, signal.SIGCONT)
    client = server.client()
    after = client.create(f"{server.url}/bridges", item("Bridge-v4"), {"name": "after"})
    assert {bridge["id"] for bridge in client.get(f"{server.url}/bridges", collection("Bridge-v4"))} == {before["id"], after["id"]}
    assert sessions() == 1
