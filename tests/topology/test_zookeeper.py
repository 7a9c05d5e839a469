"""A cloud whose NSDB is an ensemble: servers, the majority and agents die; packets pass, and no acknowledged write is lost."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from typing import Iterator

import pytest

from midonet_lab import checks, zookeeper
from midonet_lab.api import Api
from midonet_lab.checks import Ping
from midonet_lab.lab import Lab
from midonet_lab.waiting import wait_until
from traffic import SteadyPing

pytestmark = pytest.mark.skipif(not zookeeper.JAR.exists(), reason="starts the servers of the package zookeeper")


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


@pytest.fixture(scope="module")
def lab(make_module_lab) -> Lab:
    return make_module_lab([{"name": "a", "host": "h1", "bridge": "red"}, {"name": "b", "host": "h1", "bridge": "red"},
                            {"name": "c", "host": "h2", "bridge": "red"}],
                           nsdb="zookeeper(3)", agent={"nsdb.session_timeout": "4s"})


@pytest.fixture
def ping(lab) -> Iterator[SteadyPing]:
    """A ping across hosts that goes on during the test and must not lose a packet."""
    question = Ping(lab.namespace("a"), lab.cloud.machine("c").address)
    assert checks.ping_all([question], 10.0)
    with SteadyPing(question) as steady:
        yield steady
        wait_until(lambda: steady.unanswered == 0, "every ping to be answered", 2)


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


def test_servers_die_one_by_one(lab, ping):
    with Writer(lab.state.api_url) as writer:
        for mode in ("leader", "follower"):
            number = kill(lab, mode)
            print(f"writes again {writer.wait_next():.2f} s after the {mode} was killed")
            lab.start_server(number)
            lab.wait_servers()
            writer.wait_next()
    nothing_lost(lab, writer)
    works(lab)


@pytest.mark.parametrize("mode", ["leader", "follower"])
def test_a_server_that_freezes(lab, ping, mode):
    """Until the others do without it, and comes back as what it no longer is."""
    with Writer(lab.state.api_url) as writer:
        with frozen(lab, server(lab, mode)):
            print(f"writes again {writer.wait_next(60):.2f} s after the {mode} froze")
            wait_until(lambda: "leader" in lab.server_modes().values(), "the others to have a leader", 30)
        lab.wait_servers()
        writer.wait_next()
    nothing_lost(lab, writer)
    works(lab)


def test_all_servers_at_once(lab, ping):
    with Writer(lab.state.api_url) as writer:
        numbers = list(lab.server_modes())
        for number in numbers:
            lab.process(f"zookeeper:{number}").kill()
        for number in numbers:
            lab.start_server(number)
        lab.wait_servers()
        print(f"writes again {writer.wait_next(60):.2f} s after all servers were started again")
    nothing_lost(lab, writer)
    works(lab)


def test_agent_killed_and_restarted(lab, ping):
    lab.process("agent:h1").kill()
    lab.start_agent("h1")
    lab.wait_active(["a", "b"])
    works(lab)


def test_without_a_majority(lab, ping):
    down = [kill(lab, "follower"), kill(lab, "leader")]
    status, headers, body = lab.api.request("POST", "/bridges", {"name": "refused"})
    assert (status, "Retry-After" in headers) == (503, True), body
    status, headers, body = lab.api.request("GET", "/bridges")
    assert (status, "Retry-After" in headers) == (503, True), body
    for host in lab.cloud.hosts:
        assert lab.status(host), "an agent without its NSDB answers all the same"
    for number in down:
        lab.start_server(number)
    lab.wait_servers()
    wait_until(lambda: lab.api.request("POST", "/bridges", {"name": "taken"})[0] == 201, "a write to be taken", 30)
    works(lab)
