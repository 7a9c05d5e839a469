"""A cloud whose NSDB is an ensemble: servers, the majority and agents die; packets pass, and no acknowledged write is lost."""

from __future__ import annotations

import time
from typing import Iterator

import pytest

import ensemble
from ensemble import Writer, frozen, kill, nothing_lost, server, works
from midonet_lab.lab import Lab
from midonet_lab.waiting import wait_until
from traffic import SteadyPing

pytestmark = ensemble.needs_zookeeper


@pytest.fixture(scope="module")
def lab(make_module_lab) -> Lab:
    return ensemble.make_lab(make_module_lab, 3)


@pytest.fixture
def ping(lab) -> Iterator[SteadyPing]:
    with ensemble.steady_ping(lab) as steady:
        yield steady


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


@pytest.mark.parametrize("mode", ["leader", "follower"])
def test_a_server_that_freezes_for_a_moment(lab, ping, mode):
    """Shorter than the others wait for it."""
    with Writer(lab.state.api_url) as writer:
        with frozen(lab, server(lab, mode)):
            begin = time.monotonic()
            wait_until(lambda: time.monotonic() - begin > 2, "two seconds")
        print(f"writes again {writer.wait_next(60):.2f} s after the {mode} went on")
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


def installed_flows(lab: Lab, host: str) -> float:
    return sum(value for name, value in lab.metrics(host).items() if name.startswith("midonet_worker_flows{"))


def test_agent_killed_and_restarted(lab, ping):
    """The next one does not wait for the session of the killed one to end: it ends it."""
    lab.process("agent:h1").stop()
    lab.start_agent("h1", settings={"nsdb.session_timeout": "60s"})
    wait_until(lambda: installed_flows(lab, "h1") >= 2, "the flows of the ping, there and back")
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
