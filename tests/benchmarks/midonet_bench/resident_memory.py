"""Memory of the programs: an idle agent, one with 5,000 devices and 100,000 flows, one with 100,000 connections, and an
API server."""

from __future__ import annotations

import re
from pathlib import Path

from midonet_lab.errors import LabError
from midonet_lab.lab import Lab
from midonet_lab.waiting import wait_until

from . import clouds, routed_clouds
from .clouds import metric_sum
from .figures import Figure
from .traffic import Blast, Frames

DEVICES, FLOWS = 5000, 100_000
BLAST_RATE, BLAST_SECONDS = 100_000, 3.0
# Protection of one port against another is not what is measured.
AGENT = {"datapath.upcall_rate": 10_000_000, "datapath.upcall_burst": 1_000_000}


def run(repetitions: int, seconds: float) -> list[Figure]:
    """Once is enough: the sizes hardly change from run to run."""
    del repetitions, seconds
    with clouds.running("memidle", [], hosts=1) as lab:
        idle = _agent(lab, "idle_agent", "")
    machines = [{"name": name, "host": "h1", "bridge": "red"} for name in ("a", "b")]
    with clouds.running("memfull", machines, hosts=1, agent=AGENT) as lab:
        clouds.add_ports(lab, [lab.state.ids["bridge:red"]], DEVICES - 2)
        wait_until(lambda: metric_sum(lab.metrics("h1"), "midonet_topology_devices") >= DEVICES, f"h1 to load {DEVICES} devices", 60)
        devices = _agent(lab, "agent_with_5000_devices", "all on one bridge")
        a, b = (lab.cloud.machine(name).mac for name in ("a", "b"))
        flows = _install_flows(lab, "a", Frames(a, b, "targets"))
        full = _agent(lab, "agent_with_5000_devices_100k_flows", f"{flows:,.0f} flows")
        server = Figure.of("resident_memory", "api_server", [_resident(lab.process("api").pid)], "MB", f"{DEVICES:,} ports created")
    return [*idle, *devices, *full, *_connections(), server]


def _connections() -> list[Figure]:
    machines = [routed_clouds.machine("c", 1, 1, 11), routed_clouds.machine("d", 1, 2, 11)]
    with clouds.running("memconn", machines, hosts=1, bridges=routed_clouds.BRIDGES, agent=AGENT) as lab:
        flows = _install_flows(lab, "c", routed_clouds.connections(lab, "c", "d"))
        states = metric_sum(lab.metrics("h1"), "midonet_agent_states")
        return _agent(lab, "agent_with_100k_connections", f"routed and tracked: {flows:,.0f} flows, {states:,.0f} states")


def _install_flows(lab: Lab, source: str, frames: Frames) -> float:
    """Floods until the agent has the flows; returns how many it has."""
    def flows() -> float:
        return metric_sum(lab.metrics("h1"), "midonet_worker_flows")

    for _ in range(10):
        with Blast(lab.namespace(source), frames, BLAST_RATE, BLAST_SECONDS) as blast:
            wait_until(lambda: flows() >= FLOWS or not blast.running(), "the flood to end", BLAST_SECONDS + 10)
        if flows() >= FLOWS:
            return flows()
    raise LabError(f"h1 has only {flows():,.0f} flows")


def _agent(lab: Lab, name: str, note: str) -> list[Figure]:
    """Its memory, without the kernel's maps it sees through mmap, and these alone."""
    pid = lab.process("agent:h1").pid
    maps = _resident(pid, "anon_inode:bpf-map")
    return [Figure.of("resident_memory", name, [_resident(pid) - maps], "MB", note),
            Figure.of("resident_memory", f"{name}.kernel_maps_mapped", [maps], "MB", note)]


def _resident(pid: int, only: str = "") -> float:
    """Resident megabytes of a process, or of its mappings whose name contains `only`."""
    total, counts = 0, False
    for line in Path(f"/proc/{pid}/smaps").read_text(encoding="utf-8", errors="replace").splitlines():
        if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
            counts = only in line
        elif counts and line.startswith("Rss:"):
            total += int(line.split()[1])
    return total * 1024 / 1e6
