"""Clouds for benchmarks: those of the lab, with hosts joined as the yardsticks' are, and removed whatever happens."""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
from typing import Any, Iterator
from urllib.parse import urlsplit

from midonet_lab import cleanup, cloud, namespaces, state
from midonet_lab.cloud import FABRIC
from midonet_lab.errors import LabError
from midonet_lab.lab import Lab
from midonet_lab.processes import Process

from .kernel_cases import MTU, UNDERLAY_MTU, Case

PREFIX = "bench"


class BenchLab(Lab):
    """A cloud; with two hosts these are joined by one veth pair, without the lab's bridge between them."""

    _joined = False

    def start_agent(self, host: str, wait: bool = True, settings: dict[str, str] | None = None) -> Process:
        if len(self.cloud.hosts) == 2 and not self._joined:
            self._join_directly()
            self._joined = True
        return super().start_agent(host, wait, settings)

    def _join_directly(self) -> None:
        spaces = [self.namespace(host) for host in self.cloud.hosts]
        namespaces.batch((f"link del h-{host}" for host in self.cloud.hosts), self.namespace(FABRIC))
        namespaces.batch([f"link add eth0 mtu {self.cloud.mtu} netns {spaces[0]} type veth "
                          f"peer name eth0 mtu {self.cloud.mtu} netns {spaces[1]}"])
        for host, space in zip(self.cloud.hosts, spaces):
            namespaces.batch(["link set eth0 up", f"addr add {self.cloud.host_address(host)}/24 dev eth0"], space)


@contextlib.contextmanager
def running(name: str, machines: list[dict[str, Any]], zone: str = "vxlan", hosts: int = 2, bridges: tuple[str, ...] = ("red",),
            agent: dict[str, Any] | None = None) -> Iterator[BenchLab]:
    """A cloud that is there within the `with` block. Hosts are h1, h2, ...; machines as in a cloud file."""
    described = cloud.parse({"name": PREFIX + name, "hosts": [f"h{i + 1}" for i in range(hosts)], "bridges": list(bridges),
                             "zone": {"type": zone}, "mtu": UNDERLAY_MTU, "agent": agent or {},
                             "machine": [{"mtu": MTU, **machine} for machine in machines]})
    lab = BenchLab(described)
    lab.up(owned=True)
    try:
        yield lab
    finally:
        lab.down()


def case(lab: Lab, name: str, source: str, target: str, *yardsticks: str) -> Case:
    """The way from one machine of a cloud to another as a case of a comparison."""
    return Case(name, lab.namespace(source), lab.namespace(target), lab.cloud.machine(target).address, yardsticks)


def remove_left_over() -> None:
    """Removes clouds of benchmark runs that died."""
    for name in state.recorded_clouds():
        known = state.State.load(name)
        if name.startswith(PREFIX) and (known is None or not known.owned_by_living()):
            with state.locked(name):
                cleanup.remove(name)


def set_neighbour(lab: Lab, machine: str, other: str) -> None:
    """Tells a machine another's MAC for good: no ARP, whose second try comes a second later, blurs the measurement."""
    target = lab.cloud.machine(other)
    namespaces.batch([f"neigh replace {target.address} lladdr {target.mac} dev eth0 nud permanent"], lab.namespace(machine))


def add_ports(lab: Lab, bridges: list[str], ports_each: int, threads: int = 4) -> None:
    """Many unbound ports on the bridges of these ids, through REST over a few connections."""
    parts = urlsplit(lab.state.api_url)
    failures: list[str] = []

    def work(first: int) -> None:
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
        try:
            for bridge in bridges[first::threads]:
                for _ in range(ports_each):
                    connection.request("POST", f"{parts.path}/bridges/{bridge}/ports", json.dumps({"type": "Bridge"}),
                                       {"Content-Type": "application/json"})
                    response = connection.getresponse()
                    said = response.read()
                    if response.status != 201:
                        raise LabError(f"POST of a port -> {response.status}: {said[:200]!r}")
        except Exception as error:  # carried to the caller's thread
            failures.append(repr(error))
        finally:
            connection.close()

    workers = [threading.Thread(target=work, args=(first,)) for first in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if failures:
        raise LabError(failures[0])


def metric_sum(metrics: dict[str, float], name: str) -> float:
    """The sum of a metric over its labels."""
    return sum(value for key, value in metrics.items() if key.partition("{")[0] == name)
