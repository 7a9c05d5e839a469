"""A store as large as wished, as a dump for `midonet-nsdb load`: hosts in a tunnel zone, and tenants on them.

A tenant has a router, two bridges and a security group; each port of a machine has an inbound and an outbound chain of its own, with rules
against forged addresses and a jump into the group's chain. Its ports are on five hosts.

Bridges that nobody uses can make it larger still. Two bridges are apart: `wide` has one port at each of up to 50 hosts, `lone` one at the first host only. These ports have interfaces
(`INTERFACE`); those of the tenants name some that are not there, which their agents report.
"""

from __future__ import annotations

import json
import uuid
from typing import Any, Iterator

from .cloud import Cloud

PORTS_OF_TENANT = 50
HOSTS_OF_TENANT = 5
WIDE_HOSTS = 50
GROUP_RULES = 8
INTERFACE = "p-wide"
LONE_INTERFACE = "p-lone"
_IDS = uuid.UUID("6d69646f-6e65-4000-8000-000000000000")
Line = dict[str, Any]


def id_of(name: str) -> str:
    """The id of a thing: always the same."""
    return str(uuid.uuid5(_IDS, name))


def wide_hosts(cloud: Cloud) -> list[str]:
    """The hosts that share the bridge `wide`."""
    return cloud.hosts[:WIDE_HOSTS]


def dump(cloud: Cloud, ports: int, unused: int = 0) -> Iterator[str]:
    """The lines of the dump: about `ports` ports of machines on the hosts of the cloud, and `unused` bridges."""
    yield json.dumps({"dump": "midonet-nsdb", "format": 1, "schema": 1, "revision": 1, "time": "2026-01-01T00:00:00Z"}) + "\n"
    count = 1
    for line in _lines(cloud, ports, unused):
        yield json.dumps(line, separators=(",", ":")) + "\n"
        count += 1
    yield json.dumps({"end": count}) + "\n"


def _lines(cloud: Cloud, ports: int, unused: int) -> Iterator[Line]:
    yield from _hosts(cloud)
    yield from _bridge_apart("wide", INTERFACE, wide_hosts(cloud))
    yield from _bridge_apart("lone", LONE_INTERFACE, cloud.hosts[:1])
    for number in range(0, ports, PORTS_OF_TENANT):
        tenant = number // PORTS_OF_TENANT
        yield from _tenant(f"t{tenant}", min(PORTS_OF_TENANT, ports - number), _hosts_of(cloud, tenant))
    for number in range(unused):
        yield _object("Bridge", f"unused{number}", name=f"unused{number}", admin_state_up=True)


def _hosts_of(cloud: Cloud, tenant: int) -> list[str]:
    first = tenant * HOSTS_OF_TENANT
    return [cloud.hosts[(first + i) % len(cloud.hosts)] for i in range(HOSTS_OF_TENANT)]


def _object(kind: str, name: str, /, **fields: Any) -> Line:
    return {"class": kind, "object": {"id": id_of(name), **fields}}


def _hosts(cloud: Cloud) -> Iterator[Line]:
    zone = _object("TunnelZone", "zone", name=f"lab-{cloud.name}", type=cloud.zone_type)
    yield zone
    for host in cloud.hosts:
        yield _object("Host", host, name=host, flooding_proxy_weight=1, container_weight=1, container_limit=-1)
        yield _object("TunnelZoneMember", f"{host}/zone", tunnel_zone_id=zone["object"]["id"], host_id=id_of(host),
                      ip_address=cloud.host_address(host))


def _bridge_apart(name: str, interface: str, hosts: list[str]) -> Iterator[Line]:
    yield _object("Chain", f"{name}/chain", name=name, rules=[_rule(f"{name}/rule", "accept", nw_proto=6)])
    yield _object("Bridge", name, name=name, admin_state_up=True, inbound_filter_id=id_of(f"{name}/chain"))
    for host in hosts:
        yield _object("Port", f"{name}/{host}", bridge_id=id_of(name), admin_state_up=True, host_id=id_of(host),
                      interface_name=interface)


def _tenant(name: str, ports: int, hosts: list[str]) -> Iterator[Line]:
    yield _object("Router", f"{name}/router", name=name, tenant_id=name, admin_state_up=True)
    yield _object("IpAddrGroup", f"{name}/group", name=name, addresses=[_address(i) for i in range(ports)])
    for way in ("in", "out"):
        rules = [_rule(f"{name}/{way}/{i}", "accept", nw_proto=6, ip_addr_group_src=id_of(f"{name}/group"),
                       tp_dst={"start": 1000 * i, "end": 1000 * i + 99}) for i in range(GROUP_RULES)]
        yield _object("Chain", f"{name}/{way}", name=f"{name}-{way}", tenant_id=name, rules=rules)
    for side in (0, 1):
        yield from _network(name, side)
    for i in range(ports):
        yield from _machine(name, i, hosts[i % len(hosts)])


def _network(tenant: str, side: int) -> Iterator[Line]:
    """A bridge and the router's port on it."""
    bridge, port, peer = (f"{tenant}/{what}{side}" for what in ("bridge", "routerport", "bridgeport"))
    yield _object("Bridge", bridge, name=bridge, tenant_id=tenant, admin_state_up=True)
    yield _object("Port", port, router_id=id_of(f"{tenant}/router"), admin_state_up=True, peer_id=id_of(peer),
                  port_subnet=[f"10.0.{side}.254/24"], port_mac=f"ac:ca:ba:00:00:{side:02x}")
    yield _object("Port", peer, bridge_id=id_of(bridge), admin_state_up=True, peer_id=id_of(port))
    yield _object("Route", f"{port}/route", router_id=id_of(f"{tenant}/router"), type="Normal", src_network_addr="0.0.0.0",
                  dst_network_addr=f"10.0.{side}.0", dst_network_length=24, next_hop_port=id_of(port), weight=100)


def _machine(tenant: str, number: int, host: str) -> Iterator[Line]:
    name = f"{tenant}/vm{number}"
    mac = f"02:00:00:00:{number >> 8:02x}:{number & 255:02x}"
    yield _object("Chain", f"{name}/in", name=f"{name}-in", tenant_id=tenant, rules=[
        _rule(f"{name}/in/mac", "drop", dl_src=mac, inv_dl_src=True),
        _rule(f"{name}/in/ip", "drop", nw_src_address=_address(number), nw_src_length=32, inv_nw_src=True, dl_type=0x800),
        _rule(f"{name}/in/group", "jump", jump_chain_id=id_of(f"{tenant}/in"))])
    yield _object("Chain", f"{name}/out", name=f"{name}-out", tenant_id=tenant, rules=[
        _rule(f"{name}/out/back", "accept", match_return_flow=True),
        _rule(f"{name}/out/group", "jump", jump_chain_id=id_of(f"{tenant}/out"))])
    yield _object("Port", name, bridge_id=id_of(f"{tenant}/bridge{number % 2}"), admin_state_up=True, host_id=id_of(host),
                  interface_name=f"{tenant}-{number}", inbound_filter_id=id_of(f"{name}/in"), outbound_filter_id=id_of(f"{name}/out"))


def _rule(name: str, kind: str, jump_chain_id: str | None = None, **condition: Any) -> Line:
    jump = {"jump_chain_id": jump_chain_id} if jump_chain_id else {}
    return {"id": id_of(name), "type": kind, "condition": condition, **jump}


def _address(number: int) -> str:
    return f"10.0.{number % 2}.{number // 2 + 1}"
