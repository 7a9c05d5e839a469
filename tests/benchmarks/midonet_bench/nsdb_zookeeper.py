"""The NSDB on an ensemble of three servers that flush to the disk: REST writes, alone and of many clients, what Neutron does for a port,
and how soon a binding is known at the other hosts."""

from __future__ import annotations

import time
import uuid
from typing import Any, Iterator

from midonet_lab import scale, tenants
from midonet_lab.cloud import nsdb_node
from midonet_lab.scale import ScaleLab, Size

from . import REPOSITORY
from .figures import Figure
from .rest_clients import Request, drive

AGENTS = 50
WARM_UP, WRITES = 2000, 1000
CLIENTS, CREATIONS = 16, 5000
NEUTRON_PORTS, NEUTRON_NETWORKS = 10_000, 100
LISTED = 1000


def run(repetitions: int, seconds: float) -> list[Figure]:
    """Once: thousands of operations are samples enough."""
    del repetitions, seconds
    with scale.running(Size(agents=AGENTS, ports=0, heap=1024, data=REPOSITORY / "build")) as lab:
        lab.load()
        lab.start_api()
        return [*_writes(lab), *_reads(lab), *_neutron(lab), *_binding(lab)]


def _figure(name: str, value: float, unit: str, note: str = "") -> Figure:
    return Figure.of("nsdb_zookeeper", name, [value], unit, note)


def _percentiles(name: str, times: list[float], note: str) -> list[Figure]:
    times = sorted(times)
    return [_figure(f"{name}_p50", times[len(times) // 2], "ms", note), _figure(f"{name}_p99", times[len(times) * 99 // 100], "ms", note)]


def _drive(lab: ScaleLab, sequences: list[Iterator[Request]]) -> list[float]:
    return drive(lab.state.api_url, lab.namespace(nsdb_node(1)), sequences)


def _writes(lab: ScaleLab) -> list[Figure]:
    bridge = lab.api.add_bridge("writes")
    _drive(lab, [_ports(bridge, WARM_UP // CLIENTS) for _ in range(CLIENTS)])  # the servers' code is compiled as it runs
    alone = _drive(lab, [_ports(bridge, WRITES)])
    begin = time.monotonic()
    _drive(lab, [_ports(bridge, CREATIONS // CLIENTS) for _ in range(CLIENTS)])
    rate = CREATIONS / (time.monotonic() - begin)
    return [*_percentiles("rest_write", alone, "POST of a port, one connection"),
            _figure("ports_created_by_16_clients", rate, "requests/s", "ports of one bridge")]


def _ports(bridge: str, count: int) -> Iterator[Request]:
    for _ in range(count):
        yield "POST", f"/bridges/{bridge}/ports", {"type": "Bridge"}


def _reads(lab: ScaleLab) -> list[Figure]:
    bridge = lab.api.add_bridge("reads")
    _drive(lab, [_ports(bridge, LISTED)])
    one = lab.api.get(f"/bridges/{bridge}/ports")[0]["id"]
    times = _drive(lab, [iter([("GET", f"/ports/{one}", {})] * WRITES)])
    lists = _drive(lab, [iter([("GET", f"/bridges/{bridge}/ports", {})] * 10)])
    return [*_percentiles("rest_read", times, "GET of a port, one connection"),
            _figure("list_1000_ports", sorted(lists)[len(lists) // 2], "ms", "the ports of one bridge")]


def _neutron(lab: ScaleLab) -> list[Figure]:
    """For each port, as Neutron's driver does: its chain, a rule, the port with the chain, its binding."""
    networks = [lab.api.add_bridge(f"net{number}") for number in range(NEUTRON_NETWORKS)]
    begin = time.monotonic()
    times = _drive(lab, [_neutron_ports(networks, lab.cloud.hosts, range(first, NEUTRON_PORTS, CLIENTS)) for first in range(CLIENTS)])
    took = time.monotonic() - begin
    note = f"{NEUTRON_PORTS:,} ports: chain, rule, port, binding; {CLIENTS} clients"
    return [_figure("neutron_load", took, "s", note), *_percentiles("neutron_call", times, note)]


def _neutron_ports(networks: list[str], hosts: list[str], numbers: range) -> Iterator[Request]:
    for number in numbers:
        chain, port = str(uuid.uuid4()), str(uuid.uuid4())
        mac = f"02:00:00:00:{number >> 8:02x}:{number & 255:02x}"
        spoofed: dict[str, Any] = {"type": "drop", "position": 1, "dlSrc": mac, "invDlSrc": True}
        yield "POST", "/chains", {"id": chain, "name": f"in-{number}"}
        yield "POST", f"/chains/{chain}/rules", spoofed
        yield "POST", f"/bridges/{networks[number % len(networks)]}/ports", {"type": "Bridge", "id": port, "inboundFilterId": chain}
        yield "POST", f"/hosts/{tenants.id_of(hosts[number % len(hosts)])}/ports", {"portId": port, "interfaceName": f"tap{number}"}


def _binding(lab: ScaleLab) -> list[Figure]:
    lab.start_agents()
    lab.api.close()  # the server has ended a connection that was idle for a minute
    reached = scale.spread(lab, tenants.wide_hosts(lab.cloud), scale.bindings(lab))
    note = f"a binding of one host, at {reached.agents} agents on the same bridge, with {NEUTRON_PORTS:,} ports in the store"
    return [_figure("binding_known_p50", reached.p50, "ms", note), _figure("binding_known_p99", reached.p99, "ms", note)]
