"""midonet-api as its clients see it: real processes on a store of the test, asked over HTTP.

    MIDONET_BIN=build/release/bin /usr/bin/python3 -m pytest tests/rest

Needs no root; listens on loopback, on free ports.
"""

from __future__ import annotations

import os
import signal
import socket
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Callable, Iterator

import pytest

from client import Client

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "lab"))

from midonet_lab import zookeeper  # noqa: E402
from midonet_lab.waiting import wait_until  # noqa: E402

BIN = Path(os.environ.get("MIDONET_BIN", Path(__file__).resolve().parents[2] / "build/release/bin"))


class Server:
    """One midonet-api process."""

    def __init__(self, store: Path, log: Path, *settings: str, config: Path | None = None) -> None:
        arguments = [str(BIN / "midonet-api"), *(("--config", str(config)) if config else ())]
        for setting in (f"nsdb.path={store}", f"agent.host_id_file={store.parent / 'host'}", "api.listen=127.0.0.1:0", *settings):
            arguments += ["--set", setting]
        self.log = log
        with log.open("w") as stderr:
            self.process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=stderr, text=True)
        assert self.process.stdout is not None
        ready = self.process.stdout.readline()
        assert ready.startswith("ready api "), f"{ready!r}; {log.read_text()}"
        self.urls = ready.split()[2:]
        self.url = self.urls[0]

    def client(self, trust: ssl.SSLContext | None = None) -> Client:
        return Client(self.url, trust)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)

    def end(self) -> int:
        """SIGTERM; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)


StartServer = Callable[..., Server]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[StartServer]:
    """Starts servers on the one store of the test."""
    servers: list[Server] = []

    def make(*settings: str, config: Path | None = None) -> Server:
        servers.append(Server(tmp_path / "nsdb", tmp_path / f"api{len(servers)}.log", *settings, config=config))
        return servers[-1]

    yield make
    for server in servers:
        if server.process.poll() is None:
            server.kill()


@pytest.fixture
def ensemble(tmp_path: Path) -> Iterator[tuple[str, ...]]:
    """One ZooKeeper server; the settings of programs that use it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    folder = tmp_path / "zookeeper"
    command = zookeeper.command(folder, port=port)
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        wait_until(lambda: zookeeper.mode(socket.socket(), port), f"the ZooKeeper server of {folder} to serve", 60)
        yield "nsdb.backend=zookeeper", f"zookeeper.hosts=127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait(10)


@pytest.fixture(params=["embedded", pytest.param("zookeeper", marks=pytest.mark.skipif(
    not zookeeper.JAR.exists(), reason="starts a server of the package zookeeper"))])
def store(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """The settings of programs that use the one store of the test, on each backend in turn."""
    return request.getfixturevalue("ensemble") if request.param == "zookeeper" else ()


@pytest.fixture
def server(start: StartServer) -> Server:
    return start()


@pytest.fixture
def api(server: Server) -> Client:
    return server.client()
