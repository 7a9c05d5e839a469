"""The first packet of a flow from a machine through bridge, router and bridge to a machine of another host, and back."""

from __future__ import annotations

from midonet_lab.errors import LabError
from midonet_lab.lab import Lab

from . import clouds, comparison, routed_clouds, traffic
from .clouds import metric_sum
from .comparison import TURNS, Measurement
from .figures import Figure
from .kernel_cases import Case

# Sender, receiver, and whether the chains of both know answers from what begins a connection.
CASES = {"routed_10_rules": ("a", "b", False), "routed_10_rules_tracked": ("c", "d", True)}
UNITS = {"extra_p50": "us", "extra_p99": "us", "warm_round_trip_p50": "us"}
HEADINGS = {"extra_p50": "first round trip over a warm one: p50, us", "extra_p99": "p99, us", "warm_round_trip_p50": "a warm one, us"}


def run(repetitions: int, seconds: float) -> list[Figure]:
    """How much longer the first round trip takes than the next ones; prints a table as it ends."""
    machines = [routed_clouds.machine(name, host, net, 10 + number)
                for number, (sender, receiver, _) in enumerate(CASES.values()) for name, host, net in ((sender, 1, 1), (receiver, 2, 2))]
    with clouds.running("first", machines, bridges=routed_clouds.BRIDGES) as lab:
        routed_clouds.Router.add(lab).filter_links()
        cases = []
        for name, (sender, receiver, tracks) in CASES.items():
            for each in (sender, receiver):
                routed_clouds.filter_port(lab, lab.port_id(each), tracks)
            cases.append(clouds.case(lab, name, sender, receiver))
        for case in cases:
            case.require_connectivity()
        figures = comparison.measure("first_packet", cases, [Measurement(UNITS, lambda case, seconds: _take(lab, case, seconds), TURNS)],
                                     repetitions, seconds)
    comparison.print_table(cases, figures, HEADINGS)
    return figures


def _take(lab: Lab, case: Case, seconds: float) -> list[float]:
    before = _simulations(lab)
    measured = traffic.first_packet(case.source, case.target, case.address, seconds)
    # A mask that does not look at the ports would make all tries one flow.
    new = [after - earlier for after, earlier in zip(_simulations(lab), before, strict=True)]
    if min(new) < measured.tries:
        raise LabError(f"{case.name}: of {measured.tries} tries and their answers only {min(new):.0f} were new flows")
    if measured.lost_first or measured.lost_later:
        raise LabError(f"{case.name}: of {measured.tries} tries {measured.lost_first} had no answer to the first packet, "
                       f"{measured.lost_later} none to a later one")
    return [measured.us_p50, measured.us_p99, measured.warm_us_p50]


def _simulations(lab: Lab) -> list[float]:
    """At the host of the senders, and at that of the receivers."""
    return [metric_sum(lab.metrics(host), "midonet_worker_simulations_total") for host in ("h1", "h2")]
