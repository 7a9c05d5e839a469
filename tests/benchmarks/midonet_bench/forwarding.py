"""Forwarding: MidoNet beside raw veth, a Linux bridge and kernel VXLAN, in turns within every repetition."""

from __future__ import annotations

import contextlib

from . import clouds, comparison, kernel_cases, traffic
from .comparison import TURNS, Measurement
from .figures import Figure
from .kernel_cases import Case

QUANTITIES = (
    Measurement({"tcp_1_stream": "Gbit/s"}, lambda case, seconds: [traffic.tcp_gbits(case.source, case.target, case.address, seconds, 1)]),
    Measurement({"tcp_4_streams": "Gbit/s"}, lambda case, seconds: [traffic.tcp_gbits(case.source, case.target, case.address, seconds, 4)]),
    Measurement({"packet_rate": "packets/s"}, lambda case, seconds: [traffic.packet_rate(case.source, case.target, case.address, seconds)], TURNS),
    Measurement({"round_trip_p50": "us", "round_trip_p99": "us"},
                lambda case, seconds: traffic.round_trip(case.source, case.target, case.address, seconds), TURNS),
)
HEADINGS = {"tcp_1_stream": "TCP 1, Gbit/s", "tcp_4_streams": "TCP 4, Gbit/s", "packet_rate": "18-byte packets/s",
            "round_trip_p50": "round trip p50, us", "round_trip_p99": "p99, us"}


def run(repetitions: int, seconds: float) -> list[Figure]:
    """Measures all cases; prints a table as it ends."""
    machines = [{"name": "a", "host": "h1", "bridge": "red"}, {"name": "b", "host": "h1", "bridge": "red"},
                {"name": "c", "host": "h2", "bridge": "red"}]
    with contextlib.ExitStack() as stack:
        stack.callback(kernel_cases.remove)
        cases = kernel_cases.build()
        for zone in ("vxlan", "gre"):
            lab = stack.enter_context(clouds.running(f"fwd{zone}", machines, zone))
            if zone == "vxlan":
                cases.append(clouds.case(lab, "midonet_same_host", "a", "b", "raw_veth", "linux_bridge"))
            cases.append(clouds.case(lab, f"midonet_{zone}", "a", "c", "raw_veth", "kernel_vxlan"))
        return compare("forwarding", cases, repetitions, seconds)


def compare(benchmark: str, cases: list[Case], repetitions: int, seconds: float) -> list[Figure]:
    """All quantities of forwarding, of cases that are up."""
    for case in cases:
        case.require_connectivity()
    figures = comparison.measure(benchmark, cases, QUANTITIES, repetitions, seconds)
    comparison.print_table(cases, figures, HEADINGS)
    return figures
