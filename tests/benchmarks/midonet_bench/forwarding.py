"""Forwarding: MidoNet beside raw veth, a Linux bridge and kernel VXLAN, in turns within every repetition."""

from __future__ import annotations

import contextlib
from typing import Callable

from midonet_lab import table

from . import clouds, kernel_cases, traffic
from .figures import Figure
from .kernel_cases import Case

# The case each of ours is to be held against; all are held against raw_veth too.
YARDSTICKS = {"midonet_same_host": "linux_bridge", "midonet_vxlan": "kernel_vxlan", "midonet_gre": "kernel_vxlan"}
UNITS = {"tcp_1_stream": "Gbit/s", "tcp_4_streams": "Gbit/s", "packet_rate": "packets/s", "round_trip_p50": "us",
         "round_trip_p99": "us"}
# The machine changes its speed from one second to the next: many short turns compare better than few long ones.
TURNS = 5


def run(repetitions: int, seconds: float) -> list[Figure]:
    """Measures all cases; prints a table as it ends."""
    machines = [{"name": "a", "host": "h1", "bridge": "red"}, {"name": "b", "host": "h1", "bridge": "red"},
                {"name": "c", "host": "h2", "bridge": "red"}]
    with contextlib.ExitStack() as stack:
        stack.callback(kernel_cases.remove)
        cases = kernel_cases.build()
        for zone in ("vxlan", "gre"):
            lab = stack.enter_context(clouds.running(f"fwd{zone}", machines, zone))
            space, address = lab.namespace, lambda name: lab.cloud.machine(name).address
            if zone == "vxlan":
                cases.append(Case("midonet_same_host", space("a"), space("b"), address("b")))
            cases.append(Case(f"midonet_{zone}", space("a"), space("c"), address("c")))
        for case in cases:
            case.require_connectivity()
        samples = _measure(cases, repetitions, seconds)
    figures = _figures([case.name for case in cases], samples)
    _print_table([case.name for case in cases], figures)
    return figures


def _measure(cases: list[Case], repetitions: int, seconds: float) -> dict[str, dict[str, list[float]]]:
    """Samples by case and quantity."""
    samples: dict[str, dict[str, list[float]]] = {case.name: {unit: [] for unit in UNITS} for case in cases}

    def each(action: Callable[[Case, dict[str, list[float]]], None]) -> None:
        for case in cases:
            action(case, samples[case.name])

    def round_trip(case: Case, into: dict[str, list[float]]) -> None:
        median, slow = traffic.round_trip(case.source, case.target, case.address, seconds / TURNS)
        into["round_trip_p50"].append(median)
        into["round_trip_p99"].append(slow)

    for number in range(repetitions):
        print(f"forwarding: repetition {number + 1} of {repetitions}", flush=True)
        # One quantity after the other, the cases in turns: what is compared is measured within seconds.
        each(lambda case, into: into["tcp_1_stream"].append(traffic.tcp_gbits(case.source, case.target, case.address, seconds, 1)))
        each(lambda case, into: into["tcp_4_streams"].append(traffic.tcp_gbits(case.source, case.target, case.address, seconds, 4)))
        for _ in range(TURNS):
            each(lambda case, into: into["packet_rate"].append(traffic.packet_rate(case.source, case.target, case.address, seconds / TURNS)))
        for _ in range(TURNS):
            each(round_trip)
    return samples


def _figures(cases: list[str], samples: dict[str, dict[str, list[float]]]) -> list[Figure]:
    figures = []
    for case in cases:
        for quantity, unit in UNITS.items():
            own = samples[case][quantity]
            figure = Figure.of("forwarding", f"{case}.{quantity}", own, unit)
            for other in ("raw_veth", YARDSTICKS.get(case)):
                if other not in (case, None):
                    figure.compare(other, own, samples[other][quantity])
            figures.append(figure)
    return figures


def _print_table(cases: list[str], figures: list[Figure]) -> None:
    by_name = {figure.name: figure for figure in figures}

    def cell(case: str, quantity: str) -> str:
        figure = by_name[f"{case}.{quantity}"]
        value = f"{figure.value / 1000:.0f}k" if quantity == "packet_rate" else f"{figure.value:.1f}"
        marks = [f"{figure.ratios[other]:.2f}" for other in ("raw_veth", YARDSTICKS.get(case)) if other in figure.ratios]
        return f"{value} ({', '.join(marks)})" if marks else value

    print("\nIn brackets: ratio to raw_veth, then to the yardstick of the case.\n")
    print(table.render(["case", "yardstick", "TCP 1, Gbit/s", "TCP 4, Gbit/s", "18-byte packets/s", "round trip p50, us", "p99, us"],
                       [[case, YARDSTICKS.get(case, "-"), *(cell(case, quantity) for quantity in UNITS)] for case in cases]))
