"""Loops, storms, scans and broken frames of one tenant: bounded work, counted drops, and the other tenant feels nothing.

    noisy (h1), peer (h2) - 10.0.1.1 router 10.9.0.1/16 - listener (h2)
    calm (h1), near (h2)  - 10.7.0.1 router 10.8.0.1/24 - far (h2), which has many addresses
"""

from __future__ import annotations

import contextlib
import socket
import time
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Callable, Iterator

import pytest

from broken_frames import Neighbourhood, broken_frames
from midonet_lab import checks, namespaces
from midonet_lab.checks import Ping
from midonet_lab.lab import Lab
from midonet_lab.waiting import wait_until
from traffic import Blast, SteadyPing, frames_passed

BROADCAST = "ff:ff:ff:ff:ff:ff"
SECONDS = 3.0
# First packets a second that a port may send to the agent, and how many at once: the defaults of datapath.upcall_rate and upcall_burst.
UPCALL_RATE, UPCALL_BURST = 20_000, 4_000
# What the calm tenant may feel on a busy machine.
LONGEST_GAP = 1.0
MEMORY = 64 << 20
# ARP questions of a router: at once, and a second.
OPEN_QUESTIONS, QUESTIONS_RATE = 1024, 250
BROKEN_FRAMES = 20_000


@dataclass
class World:
    """The cloud of the drawing at the top."""

    lab: Lab
    router: str
    gateway_mac: str  # of the router's port on the noisy tenant's network
    strangers: Iterator[str]  # addresses of "far" that nobody has asked for yet

    @property
    def calm(self) -> str:
        """The namespace of the machine of the calm tenant."""
        return self.lab.namespace("calm")

    @property
    def noisy(self) -> str:
        """The namespace of the machine that does it."""
        return self.lab.namespace("noisy")

    def blast(self, program: Path, target: str, mode: str, rate: int) -> Blast:
        """Frames from the noisy machine."""
        return Blast(program, self.noisy, self.lab.cloud.machine("noisy").mac, target, mode, rate, SECONDS)

    def counted(self, name: str, label: str = "") -> float:
        """The sum of a metric over all agents."""
        return sum(value for host in self.lab.cloud.hosts for key, value in self.lab.metrics(host).items()
                   if key.partition("{")[0] == name and label in key)

    def dropped(self, reason: str) -> float:
        """Packets that the agents dropped for this reason."""
        return self.counted("midonet_worker_drops_total", f'reason="{reason}"')


@dataclass(frozen=True)
class Work:
    """What all agents and their datapaths have done up to a moment, or between two."""

    upcalls: float
    simulations: float
    frames_made: float
    flows_installed: float
    dropped_by_flow: float
    hits: float     # packets that a flow took
    refused: float  # packets without a flow that the datapath did not let through to the agent

    @staticmethod
    def of(world: World) -> "Work":
        """Up to now."""
        def sum_of(part: str, *names: str) -> float:
            return sum(world.counted(f"midonet_{part}_{name}_total") for name in names)

        by_workers = ("upcalls", "simulations", "frames_made", "flows_installed")
        return Work(*(sum_of("worker", name) for name in by_workers), sum_of("datapath", "dropped_by_flow"),
                    sum_of("datapath", "hits_exact", "hits_masked"), sum_of("datapath", "throttled", "pending_dropped", "upcalls_lost"))

    def since(self, earlier: "Work") -> "Work":
        """The difference."""
        return Work(*(now - then for now, then in zip(astuple(self), astuple(earlier))))


@pytest.fixture
def world(make_lab) -> World:
    lab = make_lab([
        {"name": "noisy", "host": "h1", "bridge": "net", "ip": "10.0.1.11/24", "gateway": "10.0.1.1"},
        {"name": "peer", "host": "h2", "bridge": "net", "ip": "10.0.1.12/24", "gateway": "10.0.1.1"},
        {"name": "listener", "host": "h2", "bridge": "wide", "ip": "10.9.255.2/16", "gateway": "10.9.0.1"},
        {"name": "calm", "host": "h1", "bridge": "calm", "ip": "10.7.0.11/24", "gateway": "10.7.0.1"},
        {"name": "near", "host": "h2", "bridge": "calm", "ip": "10.7.0.12/24", "gateway": "10.7.0.1"},
        {"name": "far", "host": "h2", "bridge": "quiet", "ip": "10.8.0.11/24", "gateway": "10.8.0.1"}],
        bridges=("net", "wide", "calm", "quiet"))
    router = lab.api.add_router("noisy")
    port = add_networks(lab, router, {"net": "10.0.1.1/24", "wide": "10.9.0.1/16"})
    add_networks(lab, lab.api.add_router("calm"), {"calm": "10.7.0.1/24", "quiet": "10.8.0.1/24"})
    strangers = [f"10.8.0.{last}" for last in range(20, 60)]
    namespaces.batch([f"addr add {address}/24 dev eth0" for address in strangers], lab.namespace("far"))
    world = World(lab, router, lab.api.port(port)["portMac"], iter(strangers))
    wait_until(lambda: neighbours_answer(world), "the noisy tenant's router to work")
    wait_until(lambda: checks.ping_all([Ping(world.calm, "10.8.0.11")], 0.5), "the calm tenant's router to work")
    return world


def add_networks(lab: Lab, router: str, networks: dict[str, str]) -> str:
    """Attaches bridges to a router; returns the first of its ports."""
    return [lab.api.attach(router, subnet, lab.state.ids[f"bridge:{bridge}"]) for bridge, subnet in networks.items()][0]


def neighbours_answer(world: World) -> bool:
    return len(checks.ping_all([Ping(world.noisy, "10.9.255.2"), Ping(world.noisy, "10.0.1.12")], 1.0)) == 2


def errors_logged(lab: Lab) -> list[str]:
    """Lines of the agents' logs that are worse than warnings, or of no log line's form: a crash speaks like that."""
    lines = [line for host in lab.cloud.hosts for line in lab.logs(f"agent:{host}").err.read_text(errors="replace").splitlines()]
    return [line for line in lines if line.split()[1:2] not in (["debug"], ["info"], ["warning"])]


def is_heard(world: World) -> bool:
    """What the noisy machine broadcasts comes out at its peer: no neighbour table has a say in that."""
    peer = world.lab.namespace("peer")
    return checks.broadcast(world.noisy, [peer], 1, 1.0) == {peer}


@contextlib.contextmanager
def unharmed(world: World, works_again: Callable[[World], bool] = neighbours_answer) -> Iterator[None]:
    """Whatever the block does: agents live, hold little more memory and log no error; the calm tenant's packets pass all the time.

    When the block has ended it is over for the noisy tenant too.
    """
    lab = world.lab
    processes = [lab.process(f"agent:{host}") for host in lab.cloud.hosts]
    memory = world.counted("midonet_process_resident_memory_bytes")
    with SteadyPing(Ping(world.calm, "10.7.0.12")) as ping:
        wait_until(lambda: ping.answered_at, "the calm tenant's ping to run")
        begin = time.monotonic()
        yield
        gap = ping.longest_gap(begin, time.monotonic())
    grown = world.counted("midonet_process_resident_memory_bytes") - memory
    print(f"the calm tenant's longest gap: {gap * 1000:.0f} ms; memory of the agents: {grown / (1 << 20):+.1f} MiB")
    assert gap < LONGEST_GAP
    assert grown < MEMORY
    assert all(process.alive() for process in processes)
    assert errors_logged(lab) == []
    wait_until(lambda: works_again(world), "the noisy tenant to work again")


def finds_new_neighbour(world: World) -> bool:
    """The calm tenant's router asks for an address that it never had to do with."""
    question = Ping(world.calm, next(world.strangers))
    waited = checks.ping_all([question], 3.0).get(question)
    print(f"the calm tenant's new neighbour answers after {waited} s")
    return waited is not None


# Loops


def test_routers_that_send_to_each_other(world, frameblast):
    """A packet with no other destination goes to and fro in one simulation, and its flow drops those that follow."""
    api = world.lab.api
    other = api.add_router("other")
    here, there = api.add_network(world.router, "100.64.9.1/30"), api.add_network(other, "100.64.9.2/30")
    api.link(here, there)
    api.add_route(world.router, "0.0.0.0/0", here, gateway="100.64.9.2")
    api.add_route(other, "0.0.0.0/0", there, gateway="100.64.9.1")
    with unharmed(world):
        before, loops = Work.of(world), world.dropped("too_many_devices")
        sent = world.blast(frameblast, world.gateway_mac, "fixed", 50_000).result()["sent"]
        work = Work.of(world).since(before)
        print(f"{sent} sent: {work}")
        assert finds_new_neighbour(world)
    assert world.dropped("too_many_devices") > loops
    assert work.simulations < 50
    assert work.dropped_by_flow > 0.9 * sent


def test_bridges_linked_in_a_ring(world, frameblast):
    """A broadcast goes round in one simulation, and comes out once at a machine. The MACs of the ring itself are in disorder."""
    lab, api = world.lab, world.lab.api
    net, ring = lab.state.ids["bridge:net"], api.add_bridge("ring")
    links = [(api.add_bridge_port(net), api.add_bridge_port(ring)) for _ in range(2)]
    for near, far in links:
        api.link(near, far)
    with unharmed(world):
        before, received = Work.of(world), frames_passed(lab.namespace("peer"), "eth0")[0]
        sent = world.blast(frameblast, BROADCAST, "fixed", 5_000).result()["sent"]
        heard, work = frames_passed(lab.namespace("peer"), "eth0")[0] - received, Work.of(world).since(before)
        print(f"{sent} sent, {heard} heard: {work}")
        assert finds_new_neighbour(world)
        for near, _ in links:
            api.unlink(near)
    assert 0.9 * sent < heard < sent + 50
    assert work.simulations < 50


# Floods


def allowed_upcalls(seconds: float) -> float:
    """First packets of all ports; the noisy one's fill its bucket, the others' are few."""
    return UPCALL_RATE * seconds + UPCALL_BURST + 500


def test_arp_storm(world, frameblast):
    """Questions for thousands of addresses: the port gets what it may, the rest is dropped and counted."""
    with unharmed(world):
        before, begin = Work.of(world), time.monotonic()
        blast = world.blast(frameblast, BROADCAST, "arps", 40_000)
        wait_until(lambda: Work.of(world).since(before).upcalls > UPCALL_RATE / 2, "the storm to be in full flow", SECONDS)
        assert finds_new_neighbour(world)
        sent = blast.result()["sent"]
        work, seconds = Work.of(world).since(before), time.monotonic() - begin
        print(f"{sent} sent in {seconds:.1f} s: {work}")
    assert work.upcalls < allowed_upcalls(seconds)
    assert work.upcalls + work.refused + work.hits >= 0.99 * sent, "packets were lost and not counted"


def scan(world: World, frameblast: Path) -> tuple[float, Work]:
    """Packets to every address of a /16; how many, and what they made the agents do."""
    before, begin = Work.of(world), time.monotonic()
    sent = world.blast(frameblast, world.gateway_mac, "scan", 25_000).result()["sent"]
    work, seconds = Work.of(world).since(before), time.monotonic() - begin
    print(f"{sent} sent in {seconds:.1f} s: {work}")
    assert work.upcalls < allowed_upcalls(seconds)
    return sent, work


def test_scan_of_a_large_network(world, frameblast):
    """Nobody answers: questions and waiting packets are bounded, and what finds no room is dropped and counted."""
    with unharmed(world):
        full = world.dropped("waiting_room_full")
        sent, work = scan(world, frameblast)
        assert len(checks.ping_all([Ping(world.calm, "10.8.0.11")], 1.0)) == 1, "a neighbour that the calm tenant knew"
    assert sent > 2 * OPEN_QUESTIONS, "the machine is too slow for this test"
    assert work.frames_made < 1.2 * (OPEN_QUESTIONS + QUESTIONS_RATE * SECONDS)
    assert world.dropped("waiting_room_full") - full > work.upcalls - 2 * OPEN_QUESTIONS


def test_scan_leaves_questions_to_others(world, frameblast):
    scan(world, frameblast)
    assert finds_new_neighbour(world)


# Broken frames


def test_broken_frames(world):
    """Nothing in a frame makes an agent fall. (What they say of the noisy tenant's own addresses is believed there for a while.)"""
    machines = [world.lab.cloud.machine(name) for name in ("noisy", "peer")]
    around = Neighbourhood([machines[0].mac, machines[1].mac, world.gateway_mac],
                           [*(machine.address for machine in machines), "10.0.1.1", "10.9.255.2", "10.9.77.7"])
    with unharmed(world, works_again=is_heard):
        before, groups = Work.of(world), world.dropped("multicast_source")
        send_frames(world.noisy, broken_frames(BROKEN_FRAMES, 7, around), 10_000)
        work = Work.of(world).since(before)
        print(work)
        assert finds_new_neighbour(world)
    assert work.upcalls > BROKEN_FRAMES / 20, "the frames hardly reached an agent"
    assert world.dropped("multicast_source") > groups


def send_frames(namespace: str, frames: Iterator[bytes], rate: int) -> None:
    """Sends them out of a machine, no faster than this."""
    with namespaces.open_socket(namespace, socket.AF_PACKET, socket.SOCK_RAW) as wire:
        wire.bind(("eth0", 0))
        begin = time.monotonic()
        for number, frame in enumerate(frames):
            due = begin + number / rate
            wait_until(lambda: time.monotonic() >= due, "the next frame's turn", interval=0.001)
            wire.send(frame)
