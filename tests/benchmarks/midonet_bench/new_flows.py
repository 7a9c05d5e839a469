"""Flow set-up of the whole agent: every packet of a flood is a new flow, counted by the agent's own metric."""

from __future__ import annotations

import time

from midonet_lab.lab import Lab
from midonet_lab.waiting import wait_until

from . import clouds, routed_clouds
from .clouds import metric_sum
from .figures import Figure
from .traffic import Blast, Frames

OFFERED = 300_000  # packets a second: more than can be set up
# Protection of one port against another is not what is measured, and flows must not be evicted meanwhile.
AGENT = {"datapath.upcall_rate": 10_000_000, "datapath.upcall_burst": 1_000_000, "datapath.max_flows": 2_097_152,
         "datapath.ring_size": "16MiB", "agent.max_states": 10_000_000}


def run(repetitions: int, seconds: float) -> list[Figure]:
    """Flows installed per second while the flood lasts."""
    machines = [*({"name": name, "host": "h1", "bridge": "red"} for name in ("a", "b")),
                routed_clouds.machine("c", 1, 1, 11), routed_clouds.machine("d", 1, 2, 11)]
    with clouds.running("flows", machines, hosts=1, bridges=("red", *routed_clouds.BRIDGES), agent=AGENT) as lab:
        floods = _floods(lab)
        rates: dict[str, list[float]] = {name: [] for name in floods}
        for number in range(repetitions):
            for name, (source, frames) in floods.items():
                rates[name].append(_rate(lab, source, frames, seconds))
                print(f"new_flows: repetition {number + 1} of {repetitions}, {name}: {rates[name][-1]:,.0f} flows/s", flush=True)
    return [Figure.of("new_flows", name, samples, "flows/s", f"{OFFERED:,} packets/s offered")
            for name, samples in rates.items()]


def _floods(lab: Lab) -> dict[str, tuple[str, Frames]]:
    """From which machine comes what. New destinations are flooded, new sources are learned (up to
    agent.max_macs_per_port) and published, connections are routed and tracked."""
    a, b = (lab.cloud.machine(name).mac for name in ("a", "b"))
    return {"to_new_macs": ("a", Frames(a, b, "targets")), "from_new_macs": ("a", Frames(a, b, "sources")),
            "routed_connections": ("c", routed_clouds.connections(lab, "c", "d"))}


def _rate(lab: Lab, source: str, frames: Frames, seconds: float) -> float:
    lab.flush_flows("h1")
    wait_until(lambda: metric_sum(lab.metrics("h1"), "midonet_worker_flows") < 100, "the flows of the last flood to go", 30)
    before, begin = _installed(lab)
    with Blast(lab.namespace(source), frames, OFFERED, seconds) as blast:
        wait_until(lambda: not blast.running(), "the flood to end", seconds + 10)
        blast.result()
        after, end = _installed(lab)
    return (after - before) / (end - begin)


def _installed(lab: Lab) -> tuple[float, float]:
    """The counter, and the moment it was asked for."""
    asked = time.monotonic()
    return metric_sum(lab.metrics("h1"), "midonet_worker_flows_installed_total"), asked
