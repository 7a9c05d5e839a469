"""Short TCP connections without end, through a security group and source translation: none fails, and nothing of them is left.

The stateful connection tracking of other user-space data planes ended, or ran full, after some tens of thousands.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from edge import FAR, Edge, build_edge
from midonet_lab import namespaces
from midonet_lab.lab import Lab
from midonet_lab.waiting import wait_until

PORTS = 64  # of the server
IPV4 = 0x0800
ROUND = 20.0  # seconds
# Entries of closed connections live 25 s; those of which one side only was seen to close 60 s after 60 s of their flow.
ALL_GONE = 180.0
# Of three agents: what an allocator keeps of some 100 MB each.
MEMORY = 32 << 20
PORTS_REST = 64.0  # NAT ports, before they are as free as any
LEVELS = ("midonet_agent_states", "midonet_worker_nat_ports", "midonet_worker_waiting_packets")
NEVER = ("state_table_full", "waiting_room_full", "waiting_too_long")  # reasons of drops


@pytest.fixture(scope="module")
def connectionrate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tools = tmp_path_factory.mktemp("tools")
    subprocess.run(["make", "-s", "-C", Path(__file__).resolve().parent.parent / "benchmarks/tools", f"OUT={tools}", tools / "connectionrate"],
                   check=True, timeout=60)
    return tools / "connectionrate"


@pytest.fixture
def edge(make_lab) -> Edge:
    edge = build_edge(make_lab)
    add_security_group(edge.lab, "web2")
    # Each waits for a minute when it has closed. Where there is no room for them the kernel lets ports be used again at once, and a
    # server that has not seen the last packet of the old connection refuses the new one.
    namespaces.set_sysctls(edge.space("web2"), {"ipv4/tcp_max_tw_buckets": "2000000"})
    return edge


def add_security_group(lab: Lab, machine: str) -> None:
    """It may begin what it likes, and gets answers only."""
    to_machine, from_machine = lab.api.add_chain("to"), lab.api.add_chain("from")
    for condition in ("matchReturnFlow", "matchForwardFlow"):
        lab.api.add_rule(from_machine, "accept", **{condition: True})
    lab.api.add_rule(to_machine, "accept", matchReturnFlow=True)
    lab.api.add_rule(to_machine, "drop", dlType=IPV4)
    lab.api.change(f"/ports/{lab.port_id(machine)}", inboundFilterId=from_machine, outboundFilterId=to_machine)


@dataclass
class Made:
    """What became of the connections."""

    done: int = 0
    resent: int = 0
    failed: Counter[str] = field(default_factory=Counter)


def connect(edge: Edge, program: Path, count: int) -> Made:
    """At least so many connections, closed in order, in rounds."""
    made = Made()
    seconds = 1.0 if count <= 10_000 else ROUND
    while made.done < count:
        run = subprocess.run([program, "-f", "-c", "32", "-p", str(PORTS), edge.space("web2"), edge.space("internet"), FAR, str(seconds)],
                             capture_output=True, text=True, timeout=seconds * 2 + 30, check=False)
        assert run.returncode == 0, run.stderr
        said = json.loads(run.stdout)
        made.done += said["done"]
        made.failed.update({kind: said[kind] for kind in ("refused", "timed_out", "broken")})
        made.resent += said["resent"]
        assert made.failed.total() == 0, f"{made} {drops(edge)}"
    return made


def levels(edge: Edge) -> dict[str, float]:
    """What the agents hold for connections now."""
    return {name: total(edge, name) for name in LEVELS}


def drops(edge: Edge) -> dict[str, float]:
    """Packets dropped for reasons that there must never be."""
    return {reason: total(edge, "midonet_worker_drops_total", f'reason="{reason}"') for reason in NEVER}


def total(edge: Edge, name: str, label: str = "") -> float:
    """The sum of a metric over hosts and labels."""
    all_metrics = [edge.lab.metrics(host) for host in edge.lab.cloud.hosts]
    return sum(value for metrics in all_metrics for key, value in metrics.items() if key.partition("{")[0] == name and label in key)


def nothing_left(edge: Edge) -> bool:
    return not any(levels(edge).values())


def own_memory(edge: Edge) -> int:
    """Resident bytes of the agents without the kernel's maps, of which pages that were used once stay."""
    total = 0
    for host in edge.lab.cloud.hosts:
        text = Path(f"/proc/{edge.lab.process(f'agent:{host}').pid}/smaps").read_text(encoding="utf-8", errors="replace")
        counted = False
        for line in text.splitlines():
            if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
                counted = "bpf-map" not in line
            elif counted and line.startswith("Rss:"):
                total += int(line.split()[1]) * 1024
    return total


def test_short_connections(edge, connectionrate):
    without_a_trace(edge, connectionrate, 10_000)


@pytest.mark.slow
def test_a_million_connections(edge, connectionrate):
    without_a_trace(edge, connectionrate, 10_000)  # what is made on first use
    memory = own_memory(edge)
    without_a_trace(edge, connectionrate, 1_000_000)
    try:
        wait_until(lambda: own_memory(edge) - memory < MEMORY, "memory back at its level", PORTS_REST + 30, 1.0)
    finally:
        print(f"memory afterwards {(own_memory(edge) - memory) / 2**20:+.1f} MiB")


def without_a_trace(edge: Edge, program: Path, count: int) -> None:
    """So many connections: none fails, agents live, and soon nothing is left of them."""
    processes = [edge.lab.process(f"agent:{host}") for host in edge.lab.cloud.hosts]
    made = connect(edge, program, count)
    print(f"{made}; {levels(edge)['midonet_agent_states']:,.0f} entries and {own_memory(edge) / 2**20:.0f} MiB at the end")
    assert all(process.alive() for process in processes)
    assert drops(edge) == dict.fromkeys(NEVER, 0)
    wait_until(lambda: nothing_left(edge), "nothing of them to be left", ALL_GONE)
