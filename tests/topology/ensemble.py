"""An ensemble of ZooKeeper servers that a test breaks, while a writer remembers what was acknowledged."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import threading
import time
from typing import Any, Callable, Iterable, Iterator

import pytest

from midonet_lab import checks, zookeeper
from midonet_lab.api import Api
from midonet_lab.checks import Ping
from midonet_lab.cloud import nsdb_node
from midonet_lab.lab import Lab
from midonet_lab.waiting import wait_until
from traffic import SteadyPing

needs_zookeeper = pytest.mark.skipif(not zookeeper.JAR.exists(), reason="starts the servers of the package zookeeper")
SESSION_SECONDS = 4


def make_lab(make: Callable[..., Lab], servers: int, **more: Any) -> Lab:
    """Two hosts with three machines on one bridge; what agents own outlives them for SESSION_SECONDS."""
    return make([{"name": "a", "host": "h1", "bridge": "red"}, {"name": "b", "host": "h1", "bridge": "red"},
                 {"name": "c", "host": "h2", "bridge": "red"}],
                nsdb=f"zookeeper({servers})", agent={"nsdb.session_timeout": f"{SESSION_SECONDS}s"}, **more)


@contextlib.contextmanager
def steady_ping(lab: Lab) -> Iterator[SteadyPing]:
    """A ping across hosts that goes on meanwhile and must not lose a packet."""
    question = Ping(lab.namespace("a"), lab.cloud.machine("c").address)
    assert checks.ping_all([question], 10.0)
    with SteadyPing(question) as steady:
        yield steady
        wait_until(lambda: steady.unanswered == 0, "every ping to be answered", 2)


class Writer:
    """Creates bridges one after the other, in a thread, and remembers what was answered."""

    def __init__(self, url: str) -> None:
        self._api = Api(url)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.acknowledged: list[tuple[float, str]] = []  # the moment (time.monotonic), and the bridge
        self.refused: list[tuple[int, dict[str, str]]] = []  # status and headers

    def __enter__(self) -> "Writer":
        self._thread.start()
        wait_until(lambda: self.acknowledged, "a first write")
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()
        self._api.close()

    def wait_next(self, seconds: float = 30.0) -> float:
        """Waits for a write that is acknowledged after now; the seconds that took."""
        begin = time.monotonic()
        wait_until(lambda: self.acknowledged[-1][0] > begin, "a write to be acknowledged", seconds)
        return self.acknowledged[-1][0] - begin

    def _run(self) -> None:
        for number in range(1_000_000):
            if self._stopped.wait(0.01):
                return
            status, headers, _ = self._api.request("POST", "/bridges", {"name": f"written-{number}"})
            if status == 201:
                self.acknowledged.append((time.monotonic(), headers["Location"].rpartition("/")[2]))
            else:
                self.refused.append((status, headers))


def server(lab: Lab, mode: str) -> int:
    """The number of a server that is the leader, or a follower."""
    return next(number for number, now in lab.server_modes().items() if now == mode)


def kill(lab: Lab, mode: str) -> int:
    """Kills such a server; its number."""
    number = server(lab, mode)
    lab.process(f"zookeeper:{number}").kill()
    return number


@contextlib.contextmanager
def frozen(lab: Lab, number: int) -> Iterator[None]:
    """The server stands still meanwhile, and its connections stay open."""
    process = lab.process(f"zookeeper:{number}")
    process.send(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send(signal.SIGCONT)


def nothing_lost(lab: Lab, writer: Writer) -> None:
    """Each acknowledged write is there; what was not taken was refused as it should."""
    for status, headers in writer.refused:
        assert status == 503 and "Retry-After" in headers
    there = {bridge["id"] for bridge in lab.api.get("/bridges")}
    assert {bridge for _, bridge in writer.acknowledged} <= there
    print(f"{len(writer.acknowledged)} writes acknowledged, {len(writer.refused)} refused")


def works(lab: Lab) -> None:
    """A change made through REST arrives at the agent, and what it reports in REST."""
    machine = lab.cloud.machine("b")
    lab.unbind(machine)
    lab.wait_active(["b"], active=False)
    lab.bind(machine)
    lab.wait_active(["b"])
    assert checks.ping_all([Ping(lab.namespace("c"), machine.address)], 10.0)


@contextlib.contextmanager
def cut(lab: Lab, node: str, addresses: Iterable[str]) -> Iterator[None]:
    """The node and these underlay addresses cannot reach each other meanwhile."""
    far = "{ " + ", ".join(addresses) + " }"
    rules = ("table ip cut {\n"
             f"chain in {{ type filter hook input priority 0; ip saddr {far} drop; }}\n"
             f"chain out {{ type filter hook output priority 0; ip daddr {far} drop; }}\n}}\n")
    nft = ["ip", "netns", "exec", lab.namespace(node), "nft"]
    subprocess.run([*nft, "-f", "-"], input=rules, text=True, check=True, timeout=10)
    try:
        yield
    finally:
        subprocess.run([*nft, "delete", "table", "ip", "cut"], check=True, timeout=10)


@contextlib.contextmanager
def partition(lab: Lab, minority: Iterable[int]) -> Iterator[None]:
    """The servers of the minority and the others cannot reach each other meanwhile; clients reach both."""
    apart = {nsdb_node(number) for number in minority}
    others = [address for node, address in lab.cloud.servers().items() if node not in apart]
    with contextlib.ExitStack() as stack:
        for node in apart:
            stack.enter_context(cut(lab, node, others))
        yield
