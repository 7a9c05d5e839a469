"""New TCP connections through a security group and source NAT between two hosts, beside a kernel with nftables over VXLAN."""

from __future__ import annotations

import contextlib
from collections import Counter

from midonet_lab.errors import LabError

from . import clouds, comparison, kernel_cases, routed_clouds, traffic
from .comparison import TURNS, Measurement
from .figures import Figure
from .kernel_cases import Case

ZONES = ("vxlan", "gre")
UNITS = {"connections": "connections/s", "time_p50": "us", "time_p99": "us"}
HEADINGS = {"connections": "connections/s", "time_p50": "one of them, p50, us", "time_p99": "p99, us"}
YARDSTICK = "kernel_nat"


def run(repetitions: int, seconds: float) -> list[Figure]:
    """Measures all cases; LabError when one connection fails."""
    failed: dict[str, Counter[str]] = {}
    resent: Counter[str] = Counter()

    def take(case: Case, seconds: float) -> list[float]:
        made = traffic.connections(case.source, case.target, case.address, seconds)
        failed.setdefault(case.name, Counter()).update(made.failed)
        resent[case.name] += made.resent
        return [made.rate, made.us_p50, made.us_p99]

    with contextlib.ExitStack() as stack:
        stack.callback(kernel_cases.remove)
        cases = [kernel_cases.build_nat(traffic.CONNECTION_PORTS)]
        for zone in ZONES:
            cases += _midonet_cases(stack, zone)
        for case in cases:
            case.require_connectivity()
        figures = comparison.measure("connections", cases, [Measurement(UNITS, take, TURNS)], repetitions, seconds)
    comparison.print_table(cases, figures, HEADINGS)
    for case in cases:
        figures += [Figure.of("connections", f"{case.name}.{name}", [count], "connections", "of the whole run")
                    for name, count in (("failed", failed[case.name].total()), ("resent", resent[case.name]))]
    _require_none_failed(failed)
    return figures


def _midonet_cases(stack: contextlib.ExitStack, zone: str) -> list[Case]:
    """Bridged with a security group at both machines; the same, routed and translated."""
    machines = [routed_clouds.machine("a", 1, 1, 11), routed_clouds.machine("b", 2, 1, 12), routed_clouds.machine("c", 2, 2, 22)]
    lab = stack.enter_context(clouds.running(f"conn{zone}", machines, zone, bridges=routed_clouds.BRIDGES))
    routed_clouds.Router.add(lab).translate_source()
    routed_clouds.add_security_group(lab, "a")
    for name in ("b", "c"):
        routed_clouds.add_security_group(lab, name, traffic.CONNECTION_PORTS)
    return [clouds.case(lab, f"midonet_{zone}_group", "a", "b", YARDSTICK), clouds.case(lab, f"midonet_{zone}_group_snat", "a", "c", YARDSTICK)]


def _require_none_failed(failed: dict[str, Counter[str]]) -> None:
    bad = [f"{name}: {', '.join(f'{count} {kind}' for kind, count in counts.items() if count)}" for name, counts in failed.items() if counts.total()]
    if bad:
        raise LabError(f"connections failed; {'; '.join(bad)}")
