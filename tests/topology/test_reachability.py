"""Who reaches whom: 3 hosts with 4 machines each on two bridges, over GRE and both ways of VXLAN.

One machine at each host sits on a tap. The bridges share one subnet, so only the virtual topology keeps them apart.
"""

from __future__ import annotations

import pytest

from midonet_lab import checks, namespaces
from midonet_lab.checks import Ping
from midonet_lab.cloud import Machine
from midonet_lab.demo import pairs
from midonet_lab.lab import Lab

TUNNELS = {"gre": ("gre", {}), "vxlan-hand": ("vxlan", {"datapath.vxlan": "hand"}),
           "vxlan-kernel": ("vxlan", {"datapath.vxlan": "kernel"})}


@pytest.fixture(scope="module", params=TUNNELS)
def lab(request, make_module_lab) -> Lab:
    zone, agent = TUNNELS[request.param]
    machines = []
    for host in (1, 2, 3):
        machines += [{"name": f"red{host}a", "host": f"h{host}", "bridge": "red"},
                     {"name": f"red{host}b", "host": f"h{host}", "bridge": "red", "kind": "tap"},
                     {"name": f"blue{host}a", "host": f"h{host}", "bridge": "blue"},
                     {"name": f"blue{host}b", "host": f"h{host}", "bridge": "blue"}]
    return make_module_lab(machines, zone=zone, hosts=3, bridges=("red", "blue"), agent=agent)


def missing(wanted: list[Ping], seconds: float = 8.0, size: int = 56) -> list[Ping]:
    answered = checks.ping_all(wanted, seconds, size)
    return [ping for ping in wanted if ping not in answered]


def tcp_pairs(lab: Lab) -> list[tuple[Machine, Machine]]:
    """Same host and across, in all four combinations of veth and tap."""
    names = [("red1a", "red1b"), ("red1b", "red1a"), ("blue1a", "blue1b"), ("red1a", "red2a"), ("red1a", "red2b"),
             ("red1b", "red2a"), ("red1b", "red3b")]
    return [(lab.cloud.machine(a), lab.cloud.machine(b)) for a, b in names]


@pytest.fixture
def offloads_off(lab):
    for machine in lab.cloud.machines:
        namespaces.set_offloads(lab.namespace(machine.name), "eth0", False)
    yield
    for machine in lab.cloud.machines:
        namespaces.set_offloads(lab.namespace(machine.name), "eth0", True)


def test_all_pairs_of_a_bridge(lab):
    assert missing(pairs(lab, 4)) == []


def test_ipv6_with_neighbour_discovery(lab):
    assert missing(pairs(lab, 6)) == []


def test_ipv6_link_local(lab):
    def link_local(machine: Machine) -> str:
        parts = machine.mac.split(":")
        return f"fe80::{int(parts[0], 16) ^ 2:x}{parts[1]}:{parts[2]}ff:fe{parts[3]}:{parts[4]}{parts[5]}"

    wanted = [Ping(lab.namespace("red1a"), link_local(m), "eth0") for m in lab.cloud.machines_of("red") if m.name != "red1a"]
    assert missing(wanted) == []


def test_nothing_passes_between_bridges(lab):
    for version in (4, 6):
        assert checks.ping_all(pairs(lab, version, same_bridge=False), 1.0, until_answered=False) == {}


def test_broadcast_reaches_its_bridge_and_no_other(lab):
    everybody = {m.name: lab.namespace(m.name) for m in lab.cloud.machines}
    for sender in ("red1a", "red2b", "blue3a"):
        bridge = lab.cloud.machine(sender).bridge
        wanted = {everybody[m.name] for m in lab.cloud.machines_of(bridge) if m.name != sender}
        listeners = [space for name, space in everybody.items() if name != sender]
        assert checks.broadcast(everybody[sender], listeners, len(wanted)) == wanted


def test_packets_of_the_full_mtu(lab):
    mtu = lab.cloud.machines[0].mtu
    assert missing(pairs(lab, 4), size=mtu - 28) == []
    assert missing(pairs(lab, 6), size=mtu - 48) == []


def test_tcp_arrives_intact(lab):
    for source, target in tcp_pairs(lab):
        moved = checks.tcp_transfer(lab.namespace(source.name), lab.namespace(target.name), target.address, 8)
        assert moved.intact, f"{source.name} -> {target.name}: {moved}"
        moved = checks.tcp_transfer(lab.namespace(source.name), lab.namespace(target.name), target.address6, 2)
        assert moved.intact, f"{source.name} -> {target.name} over IPv6: {moved}"


@pytest.mark.usefixtures("offloads_off")
def test_without_offloads(lab):
    assert missing(pairs(lab, 4), size=lab.cloud.machines[0].mtu - 28) == []
    for source, target in tcp_pairs(lab):
        moved = checks.tcp_transfer(lab.namespace(source.name), lab.namespace(target.name), target.address, 4)
        assert moved.intact, f"{source.name} -> {target.name}: {moved}"


def test_one_end_with_offloads_and_one_without(lab):
    namespaces.set_offloads(lab.namespace("red2a"), "eth0", False)
    try:
        for a, b in (("red1a", "red2a"), ("red2a", "red1a"), ("red2a", "red3b"), ("red3b", "red2a")):
            target = lab.cloud.machine(b)
            moved = checks.tcp_transfer(lab.namespace(a), lab.namespace(b), target.address, 4)
            assert moved.intact, f"{a} -> {b}: {moved}"
    finally:
        namespaces.set_offloads(lab.namespace("red2a"), "eth0", True)
