"""Forwarding through a router, 10 rules at each of six ports, and source NAT, beside plain bridging between the same hosts."""

from __future__ import annotations

from . import clouds, forwarding, routed_clouds
from .figures import Figure


def run(repetitions: int, seconds: float) -> list[Figure]:
    """The quantities of `forwarding`; prints a table as it ends."""
    machines = [routed_clouds.machine("a", 1, 1, 11), routed_clouds.machine("b", 2, 1, 12),
                routed_clouds.machine("c", 1, 1, 21), routed_clouds.machine("d", 2, 2, 22)]
    with clouds.running("rfwd", machines, bridges=routed_clouds.BRIDGES) as lab:
        router = routed_clouds.Router.add(lab)
        router.filter_links()
        router.translate_source()
        for name in ("c", "d"):
            routed_clouds.filter_port(lab, lab.port_id(name))
        cases = [clouds.case(lab, "bridged", "a", "b"), clouds.case(lab, "routed_snat", "c", "d", "bridged")]
        return forwarding.compare("routed_forwarding", cases, repetitions, seconds)
