"""Two gateways with an uplink each, connections whose answers come in through the other one, and a gateway that is lost.

    far 198.18.0.1 - internet - 198.51.100.2 - .1 (h1) - provider 100.64.0.1 - .2 tenant 10.0.1.1 - inner (h3)
                              - 198.51.101.2 - .1 (h2) -

The tenant's connections are translated to 203.0.113.10. Both uplinks are in one stateful port group, so each gateway knows the
connections of the other.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Callable

import pytest

from edge import FAR, OUTWARDS, WEB, join_provider, translate_outwards
from midonet_lab import checks, namespaces
from midonet_lab.checks import Ping
from midonet_lab.cloud import Machine
from midonet_lab.lab import Lab
from midonet_lab.waiting import wait_until
from traffic import Caller, Greeters, SteadyPing, frames_passed, greet_tcp, keeps_echoing

INNER = "inner"
# How long the others believe what a lost host has said; the default is 30 s.
GRACE = 2
# A connection that lost packets all that time asks again after twice as long each time.
PATIENCE = 4 * GRACE + 10


@dataclass
class Uplink:
    """The way through one gateway."""

    host: str
    machine: Machine  # plugged into the provider's port at this gateway
    interface: str  # of the machine "internet"

    @property
    def gateway(self) -> str:
        """The address of the provider's router on it."""
        return self.machine.gateway


@dataclass
class World:
    """The cloud of the drawing at the top."""

    lab: Lab
    first: Uplink  # the one that packets out take as long as it is there
    second: Uplink

    @property
    def internet(self) -> str:
        """The namespace of the world outside."""
        return self.lab.namespace("internet")

    @property
    def inner(self) -> str:
        """The namespace of the tenant's machine."""
        return self.lab.namespace(INNER)

    def answer_through(self, uplink: Uplink) -> None:
        """The world outside sends everything for the cloud to one gateway."""
        namespaces.batch([f"route replace 203.0.113.0/24 via {uplink.gateway} src {FAR}"], self.internet)

    def passed(self) -> dict[str, tuple[int, int]]:
        """By host: frames that came out of the cloud through it, and that went in."""
        return {uplink.host: frames_passed(self.internet, uplink.interface) for uplink in (self.first, self.second)}

    def lose(self, uplink: Uplink) -> None:
        """The gateway is gone, all at once: its agent has no time to say so, and no packet passes it."""
        self.lab.process(f"agent:{uplink.host}").kill()
        namespaces.batch(["link set eth0 down", f"link set {uplink.machine.interface} down"], self.lab.namespace(uplink.host))

    def take_down(self, uplink: Uplink) -> None:
        """An operator takes the interface of the uplink down; the agent sees it."""
        namespaces.batch([f"link set {uplink.machine.interface} down"], self.lab.namespace(uplink.host))

    def restore(self, uplink: Uplink) -> None:
        """The gateway is back; returns when its uplink is active."""
        namespaces.batch(["link set eth0 up", f"link set {uplink.machine.interface} up"], self.lab.namespace(uplink.host))
        self.lab.start_agent(uplink.host)
        self.lab.wait_active([uplink.machine.name])


def build(make_lab, first: str, grace: int) -> World:
    """Brings it up; packets out take the gateway at the host `first`."""
    lab = make_lab([
        {"name": INNER, "host": "h3", "bridge": "net", "ip": "10.0.1.11/24", "gateway": "10.0.1.1"},
        {"name": "internet", "host": "h1", "router": "provider", "ip": "198.51.100.2/24", "gateway": "198.51.100.1"},
        {"name": "uplink2", "host": "h2", "router": "provider", "ip": "198.51.101.2/24", "gateway": "198.51.101.1"}],
        hosts=3, bridges=("net",), routers=["provider"], agent={"agent.peer_grace": f"{grace}s"})
    uplinks = [Uplink("h1", lab.cloud.machine("internet"), "eth0"), Uplink("h2", lab.cloud.machine("uplink2"), "eth1")]
    uplinks.sort(key=lambda uplink: uplink.host != first)
    world = World(lab, *uplinks)
    join_uplinks(lab)
    add_topology(world)
    return world


def join_uplinks(lab: Lab) -> None:
    """Gives the link of the second gateway to the world outside, which routes by what it is told and not by where it hears."""
    internet, second = lab.namespace("internet"), lab.cloud.machine("uplink2")
    namespaces.batch([f"link set eth0 netns {internet} name eth1"], lab.namespace(second.name))
    namespaces.set_sysctls(internet, {"ipv4/conf/all/arp_announce": "2", "ipv4/conf/all/rp_filter": "0",
                                      "ipv4/conf/eth0/rp_filter": "0", "ipv4/conf/eth1/rp_filter": "0"})
    namespaces.batch([f"addr add {FAR}/32 dev lo", "link set eth1 up", f"addr add {second.ip} dev eth1"], internet)
    lab.wait_active([second.name])


def add_topology(world: World) -> None:
    """Routes, source translation and the port group."""
    lab, api, provider = world.lab, world.lab.api, world.lab.state.ids["router:provider"]
    tenant = api.add_router("tenant")
    api.attach(tenant, "10.0.1.1/24", lab.state.ids["bridge:net"])
    uplink = join_provider(lab, tenant, "100.64.0.1", "100.64.0.2", "203.0.113.0/24")
    ports = [lab.port_id(each.machine.name) for each in (world.first, world.second)]
    api.add_port_group("uplinks", *ports, stateful=True)
    for weight, each, port in zip((10, 100), (world.first, world.second), ports):
        api.add_route(provider, "0.0.0.0/0", port, gateway=each.machine.address, weight=weight)
    before, after = api.add_chain("pre-routing"), api.add_chain("post-routing")
    translate_outwards(lab, uplink, OUTWARDS, before, after)
    api.change(f"/routers/{tenant}", inboundFilterId=before, outboundFilterId=after)


@pytest.fixture(params=["h1", "h2"], ids=["out-h1-back-h2", "out-h2-back-h1"])
def world(request, make_lab) -> World:
    world = build(make_lab, request.param, GRACE)
    world.answer_through(world.second)
    return world


def echoes_through(world: World, caller: Caller, out: Uplink, back: Uplink) -> None:
    """Both ways are those that were meant, and packets take no other."""
    before = world.passed()
    keeps_echoing(caller, f"out through {out.host}, back through {back.host}")
    grown = {host: tuple(now - then for now, then in zip(counts, before[host])) for host, counts in world.passed().items()}
    assert grown[out.host][0] >= 10 and grown[back.host][1] >= 10, grown
    if out is not back:
        # ARP and the like may pass.
        assert grown[out.host][1] < 5 and grown[back.host][0] < 5, grown


def test_answers_come_back_through_the_other_gateway(world):
    with Greeters(world.lab, ["internet"], WEB), Caller(world.inner, FAR, WEB, 10.0) as caller:
        assert caller.greeting.client == OUTWARDS
        echoes_through(world, caller, world.first, world.second)
        world.answer_through(world.first)
        echoes_through(world, caller, world.first, world.first)
        world.answer_through(world.second)
        for host in world.lab.cloud.hosts:
            world.lab.flush_flows(host)
        echoes_through(world, caller, world.first, world.second)


def test_gateway_of_the_way_out_is_lost(world):
    loses_its_way_out(world, GRACE)


def test_uplink_of_the_way_out_goes_down(world):
    """The agent lives and says so: there is nothing to be patient for."""
    with Greeters(world.lab, ["internet"], WEB), Caller(world.inner, FAR, WEB, PATIENCE) as caller:
        echoes_through(world, caller, world.first, world.second)
        outage = measured_outage(world, lambda: world.take_down(world.first))
        assert outage < 1.0
        echoes_through(world, caller, world.second, world.second)


@pytest.mark.slow
def test_gateway_is_lost_with_the_default_grace(make_lab):
    world = build(make_lab, "h1", 30)
    world.answer_through(world.second)
    loses_its_way_out(world, 30)


def loses_its_way_out(world: World, grace: float) -> None:
    """Connections of before go on through the other gateway, new ones begin there, and both return with the first."""
    with Greeters(world.lab, ["internet"], WEB), Caller(world.inner, FAR, WEB, 4 * grace + 10) as caller:
        echoes_through(world, caller, world.first, world.second)
        outage = measured_outage(world, lambda: world.lose(world.first))
        print(f"out again after {outage:.2f} s, with a grace of {grace} s")
        assert outage < grace + 1.5
        echoes_through(world, caller, world.second, world.second)
        said = greet_tcp(world.inner, FAR, WEB)
        assert said and (said.server, said.client) == ("internet", OUTWARDS)
        world.restore(world.first)
        wait_until(lambda: goes_out_through(world, world.first), "the first gateway to be used again")
        echoes_through(world, caller, world.first, world.second)


def measured_outage(world: World, strike: Callable[[], None]) -> float:
    """How long no ping is answered because of what `strike` does."""
    ping = SteadyPing(Ping(world.inner, FAR))
    try:
        wait_until(lambda: len(ping.answered_at) > 10, "the ping to run")
        begin = time.monotonic()
        strike()
        struck = time.monotonic()
        wait_until(lambda: ping.answered_at[-1] > struck + 0.2, "a ping through the other gateway", 60)
    finally:
        ping.stop()
    return ping.longest_gap(begin, time.monotonic())


def goes_out_through(world: World, uplink: Uplink) -> bool:
    before = world.passed()[uplink.host][0]
    return bool(checks.ping_all([Ping(world.inner, FAR)], 0.5)) and world.passed()[uplink.host][0] > before


def test_gateway_of_the_way_back_is_lost(world):
    """The world outside chooses another way in, and the connection passes there: the state was there before."""
    with Greeters(world.lab, ["internet"], WEB), Caller(world.inner, FAR, WEB, PATIENCE) as caller:
        echoes_through(world, caller, world.first, world.second)
        world.lose(world.second)
        world.answer_through(world.first)
        echoes_through(world, caller, world.first, world.first)
        said = greet_tcp(world.inner, FAR, WEB)
        assert said and (said.server, said.client) == ("internet", OUTWARDS)
