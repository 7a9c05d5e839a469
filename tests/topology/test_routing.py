"""Routers, firewall, NAT and load balancing between real machines on three hosts, and the world outside (`edge.py`)."""

from __future__ import annotations

import collections
import contextlib

import pytest

from edge import FAR, FLOATING, GUARDED, OUTWARDS, SSH, VIP, WEB, Edge, build_edge
from midonet_lab import checks
from midonet_lab.checks import Ping
from midonet_lab.cloud import TUNNEL_OVERHEAD
from midonet_lab.lab import Lab
from midonet_lab.waiting import wait_until
from traffic import Caller, Greeters, Greeting, greet_tcp, greet_udp, keeps_echoing, path_mtu, traceroute

TCP, IPV4 = 6, 0x0800
# What has to stay unanswered is given this long.
SILENCE = 1.0


# Two tenants with the same addresses

TENANTS = ("red", "blue")


@pytest.fixture(scope="module", params=["gre", "vxlan"])
def twins(request, make_module_lab) -> Lab:
    """Both tenants: two bridges and a router; on both bridges a machine at each host, with the same addresses."""
    machines = [{"name": f"{tenant}{net}-{host}", "host": f"h{host}", "bridge": f"{tenant}{net}", "ip": f"10.0.{net}.1{host}/24",
                 "gateway": f"10.0.{net}.1"} for tenant in TENANTS for net in (1, 2) for host in (1, 2, 3)]
    # One address that only the first tenant has.
    machines.append({"name": "red2-extra", "host": "h2", "bridge": "red2", "ip": "10.0.2.99/24", "gateway": "10.0.2.1"})
    lab = make_module_lab(machines, zone=request.param, hosts=3, bridges=tuple(f"{t}{net}" for t in TENANTS for net in (1, 2)))
    for tenant in TENANTS:
        router = lab.api.add_router(tenant)
        for net in (1, 2):
            lab.api.attach(router, f"10.0.{net}.1/24", lab.state.ids[f"bridge:{tenant}{net}"])
    return lab


def test_every_machine_reaches_its_tenant(twins):
    addresses = [f"10.0.{net}.1{host}" for net in (1, 2) for host in (1, 2, 3)] + ["10.0.1.1", "10.0.2.1"]
    wanted = [Ping(twins.namespace(m.name), address) for m in twins.cloud.machines for address in addresses]
    answered = checks.ping_all(wanted, 8.0)
    assert [ping for ping in wanted if ping not in answered] == []


def test_the_same_address_is_another_machine_in_each_tenant(twins):
    with Greeters(twins, [m.name for m in twins.cloud.machines], WEB):
        for tenant in TENANTS:
            for near, far in (((1, 1), (2, 1)), ((1, 1), (2, 2)), ((1, 2), (2, 3)), ((2, 3), (1, 1)), ((1, 3), (1, 2))):
                source, target = (twins.cloud.machine(f"{tenant}{net}-{host}") for net, host in (near, far))
                for greet in (greet_tcp, greet_udp):
                    said = greet(twins.namespace(source.name), target.address, WEB)
                    assert said and (said.server, said.client) == (target.name, source.address), f"{source.name}: {said}"


def test_no_tenant_reaches_the_other(twins):
    assert greet_nobody(twins, "red2-extra", [m.name for m in twins.cloud.machines if m.name.startswith("blue")]) == []


def greet_nobody(lab: Lab, target: str, sources: list[str]) -> list[str]:
    """Which of the machines get any answer of the target."""
    address = lab.cloud.machine(target).address
    questions = [Ping(lab.namespace(source), address) for source in sources]
    heard = [ping.namespace for ping in checks.ping_all(questions, SILENCE, until_answered=False)]
    with Greeters(lab, [target], WEB):
        return heard + [source for source in sources[::3] if greet_tcp(lab.namespace(source), address, WEB, SILENCE / 2)]


# A tenant and the world outside


@pytest.fixture(scope="module")
def edge(make_module_lab) -> Edge:
    return build_edge(make_module_lab)


def test_connections_out_are_translated(edge):
    with Greeters(edge.lab, ["internet"], WEB):
        for name in edge.outward:
            assert checks.ping_all([Ping(edge.space(name), FAR)], 5.0), f"{name} cannot ping the far server"
            for greet in (greet_tcp, greet_udp):
                said = greet(edge.space(name), FAR, WEB)
                assert said and (said.server, said.client) == ("internet", OUTWARDS), f"{name}: {greet.__name__} {said}"


def test_connections_out_do_not_collide(edge):
    """The same source ports on several machines: each connection has a port of its own outside, and its own answers."""
    with Greeters(edge.lab, ["internet"], WEB), contextlib.ExitStack() as open_ones:
        callers = [open_ones.enter_context(Caller(edge.space(name), FAR, WEB, source_port=port))
                   for port in range(40000, 40005) for name in edge.outward]
        assert all(caller.echo() for caller in callers)
        assert {caller.greeting.client for caller in callers} == {OUTWARDS}
        assert len({caller.greeting.port for caller in callers}) == len(callers)


def test_private_addresses_are_not_reached_from_outside(edge):
    with Greeters(edge.lab, ["web2"], WEB):
        assert greet_tcp(edge.space("web3"), edge.address("web2"), WEB)
        assert greet_tcp(edge.space("internet"), edge.address("web2"), WEB, SILENCE) is None
        assert greet_tcp(edge.space("internet"), OUTWARDS, WEB, SILENCE) is None


def test_floating_address(edge):
    """From outside the machine is reached by it, and sees the client; what the machine begins comes from it."""
    with Greeters(edge.lab, ["web1", "internet"], WEB):
        for greet in (greet_tcp, greet_udp):
            said = greet(edge.space("internet"), FLOATING, WEB)
            assert said and (said.server, said.client) == ("web1", FAR), f"{greet.__name__}: {said}"
            said = greet(edge.space("web1"), FAR, WEB)
            assert said and (said.server, said.client) == ("internet", FLOATING), f"{greet.__name__}: {said}"
        assert checks.ping_all([Ping(edge.space("internet"), FLOATING)], 5.0)


def test_traceroute_over_a_floating_address(edge):
    """Each router tells of itself; what the machine tells comes from its floating address."""
    assert traceroute(edge.space("internet"), FLOATING) == ["198.51.100.1", "100.64.0.2", FLOATING]
    assert traceroute(edge.space("web1"), FAR) == ["10.0.1.1", "100.64.0.1", FAR]


def answer_pings(edge: Edge, wanted: list[tuple[str, str]]) -> bool:
    questions = [Ping(edge.space(source), address) for source, address in wanted]
    return set(checks.ping_all(questions, 3.0)) == set(questions)


def test_routers_answer_beside_floating_addresses(edge):
    """The near and the far ports of the tenant's router, and the provider's behind it."""
    own = [(machine, address) for machine in ("web1", "web2", "db") for address in ("10.0.1.1", "10.0.2.1", "100.64.0.2")]
    assert answer_pings(edge, [*own, ("web1", "100.64.0.1"), ("internet", "100.64.0.2")])


def test_router_behind_the_source_translation_answers(edge):
    assert answer_pings(edge, [("web2", "100.64.0.1"), ("db", "100.64.0.1")])


def test_traceroute_through_the_source_translation(edge):
    assert traceroute(edge.space("web2"), FAR) == ["10.0.1.1", "100.64.0.1", FAR]


def test_vip_with_members_on_three_hosts(edge):
    with Greeters(edge.lab, ["web1", "web2", "web3"], WEB):
        served = collections.Counter()
        for number in range(30):
            said = greet_tcp(edge.space("internet"), VIP, WEB)
            assert said and said.client == FAR, f"connection {number}: {said}, {served}"
            served[said.server] += 1
        # By chance one of three is left out of 30 once in 60,000 runs.
        assert set(served) == {"web1", "web2", "web3"}, served
        assert greet_udp(edge.space("internet"), VIP, WEB, SILENCE) is None, "the VIP is one of TCP"
        assert greet_tcp(edge.space("internet"), VIP, SSH, SILENCE) is None, "the VIP has one port"


@pytest.fixture
def security_group(edge):
    """Chains of the guarded machine: it may begin what it likes; of others it takes TCP 22 only. (ARP is no IPv4.)"""
    api, port = edge.lab.api, f"/ports/{edge.lab.port_id('guarded')}"
    to_machine, from_machine = api.add_chain("to guarded"), api.add_chain("from guarded")
    api.add_rule(from_machine, "accept", matchReturnFlow=True)
    api.add_rule(from_machine, "accept", matchForwardFlow=True)
    api.add_rule(to_machine, "accept", matchReturnFlow=True)
    api.add_rule(to_machine, "accept", nwProto=TCP, tpDst={"start": SSH, "end": SSH})
    api.add_rule(to_machine, "drop", dlType=IPV4)
    api.change(port, inboundFilterId=from_machine, outboundFilterId=to_machine)
    with Greeters(edge.lab, ["guarded"], WEB):
        wait_until(lambda: greet_tcp(edge.space("web1"), edge.address("guarded"), WEB, 0.3) is None, "the chains to take effect")
    yield
    api.change(port, inboundFilterId=None, outboundFilterId=None)


def reached(edge: Edge, source: str, address: str, seconds: float) -> set[str]:
    """Which services of the guarded machine a machine reaches."""
    space = edge.space(source)
    found = {"ping"} if checks.ping_all([Ping(space, address)], seconds) else set()
    for name, greet, port in (("ssh", greet_tcp, SSH), ("web", greet_tcp, WEB), ("udp", greet_udp, SSH)):
        said = greet(space, address, port, 5.0 if name == "ssh" else seconds)
        assert said is None or said.server == "guarded"
        found |= {name} if said else set()
    return found


# A neighbour at the same host, one at another, one behind the router, and from outside.
VISITORS = [("web2", "10.0.1.20"), ("web1", "10.0.1.20"), ("db", "10.0.1.20"), ("internet", GUARDED)]


def test_security_group_lets_in_what_it_says(edge, security_group):
    with Greeters(edge.lab, ["guarded"], SSH, WEB):
        for source, address in VISITORS:
            assert reached(edge, source, address, 0.5) == {"ssh"}, source


def test_security_group_lets_answers_in(edge, security_group):
    with Greeters(edge.lab, ["web1", "web2", "db", "internet"], WEB):
        for target, address in (("web1", None), ("web2", None), ("db", None), ("internet", FAR)):
            address = address or edge.address(target)
            assert checks.ping_all([Ping(edge.space("guarded"), address)], 5.0), target
            for greet in (greet_tcp, greet_udp):
                said = greet(edge.space("guarded"), address, WEB)
                assert said and said.server == target, f"{greet.__name__}: {said}"


def test_everything_gets_in_without_a_security_group(edge):
    with Greeters(edge.lab, ["guarded"], SSH, WEB):
        wait_until(lambda: greet_tcp(edge.space("web1"), edge.address("guarded"), WEB, 0.3), "the chains to be gone")
        for source, address in VISITORS:
            assert reached(edge, source, address, 5.0) == {"ping", "ssh", "web", "udp"}, source


# Large packets

ROUTED_PATHS = [("web1", "db", None), ("db", "web2", None), ("web3", "db", None), ("web2", "internet", FAR),
                ("web1", "internet", FAR)]


def test_packets_of_the_full_mtu(edge):
    for source, target, address in ROUTED_PATHS:
        address = address or edge.address(target)
        assert checks.ping_all([Ping(edge.space(source), address)], 5.0, size=1500 - 28), f"{source} -> {target}"
        moved = checks.tcp_transfer(edge.space(source), edge.space(target), address, 8)
        assert moved.intact, f"{source} -> {target}: {moved}"


def test_packets_of_2000_bytes(edge):
    """They travel in fragments: on a bridge, from one to the other by the router, and to and from a floating address."""
    inside = [(source, edge.address(target)) for source, target in
              (("web2", "guarded"), ("web1", "web2"), ("web3", "db"), ("web1", "db"), ("db", "web2"))]
    with Greeters(edge.lab, ["guarded", "web1", "web2", "db", "internet"], WEB):
        for source, address in (*inside, ("internet", FLOATING), ("web1", FAR)):
            answered = checks.ping_all([Ping(edge.space(source), address)], 5.0, size=2000, fragment=True)
            assert answered, f"{source} -> {address}"
            assert greet_udp(edge.space(source), address, WEB, size=2000), f"UDP {source} -> {address}"


@pytest.mark.parametrize("zone", ["gre", "vxlan"])
def test_packets_too_big_for_the_underlay(make_lab, zone):
    """The machines have 1500 and the underlay 1400: the sender is told what fits, whatever is translated on the way."""
    edge = build_edge(make_lab, zone, mtu=1400)
    # Without room for a VLAN tag (GRE), and with it.
    fits = range(1400 - TUNNEL_OVERHEAD[zone], 1400 - TUNNEL_OVERHEAD[zone] + 5)
    # Routed; source NAT at the sender's; destination NAT at the sender's, to another host.
    paths = (("web1", "db", edge.address("db")), ("web2", "internet", FAR), ("internet", "guarded", GUARDED))
    for source, target, address in paths:
        question = [Ping(edge.space(source), address)]
        assert checks.ping_all(question, 5.0), f"{source} -> {target}"
        assert path_mtu(edge.space(source), address) == 1500
        wait_until(lambda: checks.ping_all(question, 0.3, size=1500 - 28) or path_mtu(edge.space(source), address) < 1500,
                   f"{source} -> {target}: an answer to a ping of 1500 bytes, or an ICMP error", 5)
        told = path_mtu(edge.space(source), address)
        assert told in fits, f"{source} -> {target}"
        assert checks.ping_all(question, 5.0, size=told - 28), f"{source} -> {target}: {told} bytes do not fit"
    moved = checks.tcp_transfer(edge.space("web3"), edge.space("internet"), FAR, 8)
    assert moved.intact, f"TCP with path MTU discovery: {moved}"


# An agent that dies


@pytest.fixture
def connection(make_lab):
    """A translated connection that has begun a moment ago, in a cloud of its own."""
    edge = build_edge(make_lab)
    with Greeters(edge.lab, ["internet"], WEB), Caller(edge.space("web2"), FAR, WEB, 10.0) as caller:
        assert caller.greeting.client == OUTWARDS
        keeps_echoing(caller, "before")
        yield edge, caller


# Where the connection begins, and where it leaves the cloud.
DYING = pytest.mark.parametrize("host", ["h2", "h1"], ids=["ingress", "egress"])


@pytest.mark.slow
@DYING
def test_translated_connection_needs_no_agent(connection, host):
    edge, caller = connection
    edge.lab.process(f"agent:{host}").kill()
    keeps_echoing(caller, "without the agent")


@pytest.mark.slow
@DYING
def test_translated_connection_outlives_the_agent(connection, host):
    """What the dead agent knew of the connection is not lost: the flows are all simulated anew, and the port stays taken."""
    edge, caller = connection
    edge.lab.process(f"agent:{host}").kill()
    edge.lab.start_agent(host)
    edge.lab.wait_active([m.name for m in edge.lab.cloud.machines])
    keeps_echoing(caller, "with the new agent")
    for each in edge.lab.cloud.hosts:
        edge.lab.flush_flows(each)
    keeps_echoing(caller, "after all flows were simulated anew")
    with Caller(edge.space("web2"), FAR, WEB) as another:
        assert another.greeting.client == OUTWARDS
        assert another.greeting.port != caller.greeting.port, "the port outside is in use"
        keeps_echoing(another, "a new connection")
        keeps_echoing(caller, "the old connection beside a new one")
