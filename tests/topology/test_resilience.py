"""TCP goes on flowing, same host and across hosts, while parts of the system die and return.

The streams are paced, so that a machine with other work to do does not look like an interruption.
"""

from __future__ import annotations

import contextlib
import time
from typing import Iterator

import pytest

from midonet_lab import checks, namespaces, network
from midonet_lab.checks import Ping, TcpFlow
from midonet_lab.lab import Lab
from midonet_lab.waiting import wait_until

RATE = 400e6  # bit/s of each stream
BEFORE, AFTER = 2, 3  # whole seconds observed before and after the event


@pytest.fixture(scope="module", params=["gre", pytest.param("vxlan", marks=pytest.mark.slow)])
def lab(request, make_module_lab) -> Lab:
    return make_module_lab([{"name": "a", "host": "h1", "bridge": "red"}, {"name": "b", "host": "h1", "bridge": "red"},
                            {"name": "c", "host": "h2", "bridge": "red"}], zone=request.param)


@contextlib.contextmanager
def streams_hold(lab: Lab, seconds: float = 60.0) -> Iterator[None]:
    """Runs the block under two streams, and fails if any second was below half of the rate before it."""
    flows = {}
    try:
        for name in ("b", "c"):
            flows[name] = TcpFlow(lab.namespace("a"), lab.namespace(name), lab.cloud.machine(name).address, seconds, RATE).start()
        for flow in flows.values():
            wait_until(lambda: len(flow.samples) > BEFORE, "a stream to run for some seconds")
        yield
        ends = {name: len(flow.samples) + AFTER for name, flow in flows.items()}
        for name, flow in flows.items():
            wait_until(lambda: len(flow.samples) >= ends[name], "some seconds after the event")
    finally:
        samples = {name: flow.stop() for name, flow in flows.items()}
    for name, counts in samples.items():
        # The first second holds the slow start.
        normal = sum(counts[1:BEFORE + 1]) / BEFORE
        megabits = [round(count * 8 / 1e6) for count in counts]
        assert normal > 0.5 * RATE / 8, f"a -> {name} never got going: {megabits} Mbit/s"
        assert min(counts[1:]) > normal / 2, f"a -> {name} broke down: {megabits} Mbit/s in each second"


@pytest.mark.parametrize("host", ["h1", "h2"])
def test_agent_killed_and_restarted(lab, host):
    with streams_hold(lab):
        lab.process(f"agent:{host}").kill()
        gone = time.monotonic()
        # Some seconds without any agent: what is installed goes on by itself.
        wait_until(lambda: time.monotonic() - gone > 3, "three seconds without the agent", 5)
        lab.start_agent(host)
    lab.wait_active(["a", "b", "c"])


def test_agent_stopped_in_order_and_restarted(lab):
    with streams_hold(lab):
        assert lab.process("agent:h1").stop(), "the agent did not end on SIGTERM by itself"
        lab.start_agent("h1")
    lab.wait_active(["a", "b"])


def test_api_killed(lab):
    with streams_hold(lab):
        lab.process("api").kill()
    lab.start_api()
    assert {port["id"] for port in lab.api.get("/ports")} >= {lab.port_id("a"), lab.port_id("b"), lab.port_id("c")}


def test_all_flows_deleted(lab):
    with streams_hold(lab):
        for _ in range(5):
            for host in lab.cloud.hosts:
                lab.flush_flows(host)


def test_nsdb_away_for_half_a_minute(lab):
    hidden = lab.nsdb_folder.with_name("nsdb-away")
    with streams_hold(lab, 90):
        lab.nsdb_folder.rename(hidden)
        try:
            away = time.monotonic()
            wait_until(lambda: time.monotonic() - away > 30, "half a minute without the NSDB", 40)
        finally:
            hidden.rename(lab.nsdb_folder)
    # Back: everything works again without help, old and new.
    assert checks.ping_all([Ping(lab.namespace("a"), lab.cloud.machine("c").address)], 5.0)
    machine = lab.cloud.machine("b")
    lab.unbind(machine)
    lab.wait_active(["b"], active=False)
    lab.bind(machine)
    lab.wait_active(["b"])
    assert checks.ping_all([Ping(lab.namespace("c"), machine.address)], 5.0)


def test_underlay_link_lost_and_back(lab):
    """Nothing can pass meanwhile; afterwards it must, by itself."""
    question = [Ping(lab.namespace("a"), lab.cloud.machine("c").address)]
    fabric = network.namespace(lab.cloud.name, "fabric")
    namespaces.batch(["link set h-h2 down"], fabric)
    try:
        wait_until(lambda: not checks.ping_all(question, 0.5), "the tunnel to be cut")
    finally:
        namespaces.batch(["link set h-h2 up"], fabric)
    assert checks.ping_all(question, 10.0)
