"""The control plane with 10,000 ports in the store: REST writes, from REST to the first ping, and starts of an agent."""

from __future__ import annotations

import os
import shutil
import statistics
import time
from typing import Callable

from midonet_lab import namespaces
from midonet_lab.cloud import Machine
from midonet_lab.lab import Lab
from midonet_lab.waiting import wait_until

from . import clouds
from .clouds import metric_sum
from .figures import Figure
from .first_answer import FirstAnswer

BRIDGES, PORTS_EACH = 100, 100
WRITES = 300
NEEDED_BRIDGES, NEEDED_PORTS_EACH = 10, 499
FIRST_PING_RUNS = 4  # per repetition: each is short


def run(repetitions: int, seconds: float) -> list[Figure]:
    """Both clouds one after the other; `seconds` does not matter, all is counted in operations."""
    del seconds
    return [*_large_store(repetitions), *_agent_starts(repetitions)]


def _large_store(repetitions: int) -> list[Figure]:
    machines = [{"name": "late", "host": "h1", "bridge": "red"}, {"name": "far", "host": "h2", "bridge": "red"}]
    with clouds.running("ctl", machines) as lab:
        bridges = [lab.api.add_bridge(f"bulk{number}") for number in range(BRIDGES)]
        begin = time.monotonic()
        clouds.add_ports(lab, bridges, PORTS_EACH)
        created = BRIDGES * PORTS_EACH / (time.monotonic() - begin)
        note = f"{BRIDGES * PORTS_EACH:,} ports in the store"
        print(f"control_plane: {note}", flush=True)
        writes = [_write_milliseconds(lab, bridges[0]) for _ in range(repetitions)]
        lists = [_timed(lambda: lab.api.get("/ports")) for _ in range(repetitions)]
        new, replugged = (_first_pings(lab, repetitions * FIRST_PING_RUNS, new_machine) for new_machine in (True, False))
    return [Figure.of("control_plane", "rest_write_p50", [statistics.median(one) for one in writes], "ms", note),
            Figure.of("control_plane", "rest_write_p99", [sorted(one)[len(one) * 99 // 100] for one in writes], "ms", note),
            Figure.of("control_plane", "ports_created_over_4_connections", [created], "requests/s"),
            Figure.of("control_plane", "rest_list_all_ports", lists, "ms", note),
            Figure.of("control_plane", "port_bound_to_first_ping", new, "ms", note + "; from the other host"),
            Figure.of("control_plane", "replugged_to_first_ping", replugged, "ms", "the same with a MAC that was on another port before")]


def _write_milliseconds(lab: Lab, bridge: str) -> list[float]:
    made: list[str] = []
    times = [_timed(lambda: made.append(lab.api.add_bridge_port(bridge))) for _ in range(WRITES)]
    for port in made:
        lab.api.call("DELETE", f"/ports/{port}")
    return times


def _first_pings(lab: Lab, count: int, new_machine: bool) -> list[float]:
    """From before the request that creates the port to the first answer of the machine that is then bound to it.

    A new machine has a MAC that nobody has seen; else it is one that was on another port until a moment ago.
    """
    late = lab.cloud.machine("late")
    times = []
    _remove_port(lab, late)
    for _ in range(count):
        if new_machine:
            late.mac = "02:4d:4c:" + os.urandom(3).hex(":")
            namespaces.batch([f"link set eth0 address {late.mac}"], lab.namespace("late"))
        clouds.set_neighbour(lab, "far", "late")
        clouds.set_neighbour(lab, "late", "far")
        with FirstAnswer(lab.namespace("far"), late.address) as answer:
            wait_until(lambda: answer.asked > 20, "pings to be sent", 5)
            answer.require_silence()
            begin = time.monotonic()
            lab.state.ids["port:late"] = lab.api.add_bridge_port(lab.state.ids["bridge:red"])
            lab.bind(late)
            wait_until(lambda: answer.at is not None, "an answer of the machine that was just plugged in", 10)
        times.append(((answer.at or 0) - begin) * 1e3)
        _remove_port(lab, late)
    lab.state.ids["port:late"] = lab.api.add_bridge_port(lab.state.ids["bridge:red"])
    lab.bind(late)
    lab.wait_active(["late"])
    return times


def _remove_port(lab: Lab, machine: Machine) -> None:
    lab.unbind(machine)
    lab.wait_active([machine.name], active=False)
    lab.api.call("DELETE", f"/ports/{lab.port_id(machine.name)}")
    # The last packets of the old port have been answered or dropped once the agent has let go of it.
    wait_until(lambda: not lab.status("h1")["bindings"], "h1 to let go of the port", 10)


def _agent_starts(repetitions: int) -> list[Figure]:
    names = [f"net{number}" for number in range(NEEDED_BRIDGES)]
    machines = [{"name": f"vm{number}", "host": "h1", "bridge": name} for number, name in enumerate(names)]
    with clouds.running("start", machines, hosts=1, bridges=tuple(names)) as lab:
        clouds.add_ports(lab, [lab.state.ids[f"bridge:{name}"] for name in names], NEEDED_PORTS_EACH - 1)
        needed = NEEDED_BRIDGES * (NEEDED_PORTS_EACH + 1)
        _wait_loaded(lab, needed)
        fresh, adopting = [], []
        for number in range(repetitions):
            fresh.append(_start_milliseconds(lab, needed, fresh=True))
            adopting.append(_start_milliseconds(lab, needed, fresh=False))
            print(f"control_plane: agent start {number + 1} of {repetitions}: fresh {fresh[-1]:.0f} ms, adopting {adopting[-1]:.0f} ms", flush=True)
    note = f"{needed:,} objects loaded, process start to ready"
    return [Figure.of("control_plane", "agent_fresh_start", fresh, "ms", note),
            Figure.of("control_plane", "agent_restart_adopting", adopting, "ms", note)]


def _start_milliseconds(lab: Lab, needed: int, fresh: bool) -> float:
    lab.process("agent:h1").stop()
    if fresh:
        shutil.rmtree(lab.folder / "bpf/h1")
    begin = time.monotonic()
    lab.start_agent("h1")
    _wait_loaded(lab, needed)
    return (time.monotonic() - begin) * 1e3


def _wait_loaded(lab: Lab, needed: int) -> None:
    wait_until(lambda: metric_sum(lab.metrics("h1"), "midonet_topology_devices") >= needed, f"h1 to load {needed} devices", 60)


def _timed(action: Callable[[], object]) -> float:
    begin = time.perf_counter()
    action()
    return (time.perf_counter() - begin) * 1e3
