"""A cloud on five ZooKeeper servers that are split, lost in pairs, and have slow disks; programs that hang for longer than their sessions."""

from __future__ import annotations

import contextlib
import random
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import Iterator

import pytest

import ensemble
from ensemble import SESSION_SECONDS, Writer, cut, nothing_lost, partition, server, works
from midonet_lab import zookeeper
from midonet_lab.api import Api
from midonet_lab.errors import LabError
from midonet_lab.lab import Lab
from midonet_lab.waiting import wait_until
from traffic import SteadyPing

pytestmark = ensemble.needs_zookeeper


@pytest.fixture(scope="module")
def lab(make_module_lab) -> Lab:
    return ensemble.make_lab(make_module_lab, 5, hosts=3)


@pytest.fixture
def ping(lab) -> Iterator[SteadyPing]:
    with ensemble.steady_ping(lab) as steady:
        yield steady


@contextlib.contextmanager
def hanging(lab: Lab, key: str) -> Iterator[None]:
    """The program stands still meanwhile."""
    process = lab.process(key)
    process.send(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send(signal.SIGCONT)


def test_two_of_five_die(lab, ping):
    with Writer(lab.state.api_url) as writer:
        down = [server(lab, "leader"), server(lab, "follower")]
        for number in down:
            lab.process(f"zookeeper:{number}").kill()
        print(f"writes again {writer.wait_next():.2f} s after the leader and a follower were killed")
        for number in down:
            lab.start_server(number)
        lab.wait_servers()
        writer.wait_next()
    nothing_lost(lab, writer)
    works(lab)


def leader_and_a_follower(lab: Lab) -> list[int]:
    return [server(lab, "leader"), server(lab, "follower")]


def test_the_minority_refuses(lab, ping):
    """The leader is in it."""
    minority = leader_and_a_follower(lab)
    other = lab.start_other_api(minority)
    with Writer(lab.state.api_url) as writer:
        with partition(lab, minority):
            print(f"writes again {writer.wait_next(60):.2f} s after the split")
            status, headers, body = other.request("POST", "/bridges", {"name": "refused"})
            assert (status, "Retry-After" in headers) == (503, True), body
        lab.wait_servers()
        writer.wait_next()
    wait_until(lambda: other.request("POST", "/bridges", {"name": "taken"})[0] == 201, "the minority to be back", 30)
    lab.process("api:other").stop()
    nothing_lost(lab, writer)
    works(lab)


def test_nothing_is_owned_twice(lab):
    """An agent stays with the minority, and one with the same host id comes to the majority."""
    minority = leader_and_a_follower(lab)
    majority = [address for number, address in enumerate(lab.cloud.servers().values(), start=1) if number not in minority]
    rival = {"agent.host_id_file": str(lab.folder / "hosts" / "h1" / "host_id"), "agent.host_name": "h1"}
    lab.process("agent:h3").stop()
    with partition(lab, minority), cut(lab, "h1", majority):
        lab.start_agent("h3", wait=False, settings=rival)

        def rival_has_the_host() -> bool:
            try:
                registered = lab.status("h3")["problem"] is None
            except LabError:
                return False  # its page is not there yet
            assert not (registered and lab.status("h1")["nsdbConnected"]), "both think that the host is theirs"
            return registered

        wait_until(rival_has_the_host, "the rival to get the host", 30)
    lab.wait_servers()
    wait_until(lambda: "another agent" in (lab.status("h1")["problem"] or ""), "the agent to learn that its host is taken", 30)
    lab.process("agent:h3").stop()
    lab.start_agent("h3")
    wait_until(lambda: lab.status("h1")["problem"] is None, "the agent to get its host back", 30)
    lab.wait_active(["a", "b"])
    works(lab)


def test_an_agent_that_hangs_for_longer_than_its_session(lab, ping):
    with hanging(lab, "agent:h1"):
        wait_until(lambda: not lab.api.hosts()["h1"]["alive"], "the host to be taken for dead", 4 * SESSION_SECONDS)
    wait_until(lambda: lab.api.hosts()["h1"]["alive"], "the host to be alive again", 30)
    lab.wait_active(["a", "b"])
    works(lab)


def test_an_api_server_that_hangs_for_longer_than_its_session(lab, ping):
    other = lab.start_other_api()
    with hanging(lab, "api"):
        begin = time.monotonic()
        written = other.add_bridge("written-meanwhile")
        wait_until(lambda: time.monotonic() - begin > 12, "the session of the API server to end", 20)
    assert lab.api.get(f"/bridges/{written}")["name"] == "written-meanwhile"
    lab.api.change(f"/bridges/{written}", name="changed")
    assert other.get(f"/bridges/{written}")["name"] == "changed", "who alternates between two servers sees each write"
    lab.process("api:other").stop()
    works(lab)


@pytest.fixture(scope="session")
def slowdisk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The compiled tools/slowdisk.c."""
    library = tmp_path_factory.mktemp("tools") / "slowdisk.so"
    source = Path(__file__).resolve().parent / "tools/slowdisk.c"
    subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-o", library, source], check=True, timeout=60)
    return library


def test_slow_disks(lab, ping, slowdisk, tmp_path):
    """First all, then one so slow that it cannot keep up."""
    delays = {number: tmp_path / str(number) for number in lab.server_modes()}
    for number, delay in delays.items():
        delay.write_text("0")
        lab.process(f"zookeeper:{number}").stop()
        lab.start_server(number, tuning=zookeeper.Tuning(flush=True), environment={"LD_PRELOAD": str(slowdisk), "SLOWDISK": str(delay)})
        lab.wait_servers()
    with Writer(lab.state.api_url) as writer:
        for delay in delays.values():
            delay.write_text("400")
        print(f"a write takes {max(writer.wait_next(60) for _ in range(3)):.2f} s when each flush takes 0.4 s")
        for delay in delays.values():
            delay.write_text("0")
        delays[server(lab, "follower")].write_text("20000")
        print(f"a write takes {max(writer.wait_next(60) for _ in range(100)):.2f} s when one follower's takes 20 s")
    for delay in delays.values():
        delay.write_text("0")
    nothing_lost(lab, writer)
    works(lab)


class Racer:
    """Adds rules to chains that others change too, takes own ones away again, and remembers what is left."""

    def __init__(self, url: str, chains: list[str], rounds: int, seed: int) -> None:
        self._api, self._chains, self._rounds = Api(url), chains, rounds
        self._random = random.Random(seed)
        self._thread = threading.Thread(target=self._run)
        self.rules: dict[str, str] = {}  # rule -> its chain
        self.refused: list[tuple[int, bytes]] = []
        self._thread.start()

    def join(self) -> None:
        self._thread.join()
        self._api.close()

    def _run(self) -> None:
        for _ in range(self._rounds):
            if len(self.rules) > 10:
                rule = self._random.choice(list(self.rules))
                status, _, body = self._api.request("DELETE", f"/rules/{rule}")
                if status == 204:
                    del self.rules[rule]
            else:
                chain = self._random.choice(self._chains)
                status, headers, body = self._api.request("POST", f"/chains/{chain}/rules", {"type": "accept", "position": 1})
                if status == 201:
                    self.rules[headers["Location"].rpartition("/")[2]] = chain
            if status not in (201, 204):
                self.refused.append((status, body))


@pytest.mark.parametrize("rounds", [100, pytest.param(1250, marks=pytest.mark.slow)])
def test_two_api_servers_race(lab, rounds):
    """Serialisable, seen from outside: each chain holds exactly what was acknowledged, in positions without gaps."""
    other = lab.start_other_api()
    chains = [lab.api.add_chain(f"raced-{number}") for number in range(3)]
    begin = time.monotonic()
    racers = [Racer(api.url, chains, rounds, number) for number, api in enumerate([lab.api, other] * 4)]
    for racer in racers:
        racer.join()
    print(f"{len(racers) * rounds} changes of three chains by two servers: {len(racers) * rounds / (time.monotonic() - begin):.0f}/s")
    assert [refused for racer in racers for refused in racer.refused] == []
    for chain in chains:
        rules = lab.api.get(f"/chains/{chain}/rules")
        assert {rule["id"] for rule in rules} == {rule for racer in racers for rule, at in racer.rules.items() if at == chain}
        assert sorted(rule["position"] for rule in rules) == list(range(1, len(rules) + 1))
        lab.api.delete(f"/chains/{chain}")
    lab.process("api:other").stop()
