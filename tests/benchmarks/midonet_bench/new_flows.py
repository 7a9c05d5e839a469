"""Flow set-up of the whole agent: every packet of a flood is a new flow, counted by the agent's own metric."""

from __future__ import annotations

import time

from midonet_lab.lab import Lab
from midonet_lab.waiting import wait_until

from . import clouds
from .clouds import metric_sum
from .figures import Figure
from .traffic import Blast

OFFERED = 300_000  # packets a second: more than can be set up
# Protection of one port against another is not what is measured, and flows must not be evicted meanwhile.
AGENT = {"datapath.upcall_rate": 10_000_000, "datapath.upcall_burst": 1_000_000, "datapath.max_flows": 2_097_152,
         "datapath.ring_size": "16MiB"}
# New destinations are flooded, new sources are learned (up to agent.max_macs_per_port) and published.
KINDS = {"targets": "to_new_macs", "sources": "from_new_macs"}


def run(repetitions: int, seconds: float) -> list[Figure]:
    """Flows installed per second while the flood lasts."""
    machines = [{"name": name, "host": "h1", "bridge": "red"} for name in ("a", "b")]
    rates: dict[str, list[float]] = {name: [] for name in KINDS.values()}
    with clouds.running("flows", machines, hosts=1, agent=AGENT) as lab:
        for number in range(repetitions):
            for mode, name in KINDS.items():
                rates[name].append(_rate(lab, mode, seconds))
                print(f"new_flows: repetition {number + 1} of {repetitions}, {name}: {rates[name][-1]:,.0f} flows/s", flush=True)
    return [Figure.of("new_flows", name, samples, "flows/s", f"{OFFERED:,} packets/s offered")
            for name, samples in rates.items()]


def _rate(lab: Lab, mode: str, seconds: float) -> float:
    lab.flush_flows("h1")
    wait_until(lambda: metric_sum(lab.metrics("h1"), "midonet_worker_flows") < 100, "the flows of the last flood to go", 30)
    sender, receiver = lab.cloud.machine("a"), lab.cloud.machine("b")
    before, begin = _installed(lab)
    with Blast(lab.namespace("a"), sender.mac, receiver.mac, mode, OFFERED, seconds) as blast:
        wait_until(lambda: not blast.running(), "the flood to end", seconds + 10)
        blast.result()
        after, end = _installed(lab)
    return (after - before) / (end - begin)


def _installed(lab: Lab) -> tuple[float, float]:
    """The counter, and the moment it was asked for."""
    asked = time.monotonic()
    return metric_sum(lab.metrics("h1"), "midonet_worker_flows_installed_total"), asked
