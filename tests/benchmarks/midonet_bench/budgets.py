"""What the figures have to reach. Budgets of speed are ratios where another system is the yardstick."""

from __future__ import annotations

from dataclasses import dataclass

from .figures import Figure


@dataclass(frozen=True)
class Budget:
    """A limit on a figure, or on its ratio to another case of the same run."""

    benchmark: str
    figure: str
    what: str  # for people
    limit: float
    at_most: bool = False
    ratio_to: str = ""

    def measured(self, figure: Figure) -> float | None:
        """The number that is held against the limit; None when the figure has no such ratio."""
        return figure.ratios.get(self.ratio_to) if self.ratio_to else figure.value

    def met(self, measured: float) -> bool:
        """The limit itself is good enough."""
        return measured <= self.limit if self.at_most else measured >= self.limit

    def limit_text(self, figure: Figure) -> str:
        """As ">= 1.3 x kernel_vxlan" or "<= 25 MB"."""
        sign = "<=" if self.at_most else ">="
        return f"{sign} {self.limit:g} x {self.ratio_to}" if self.ratio_to else f"{sign} {self.limit:,g} {figure.unit}"

    def distance(self, measured: float) -> float:
        """1 = exactly on the limit, above 1 = better, whichever way the limit goes."""
        if not measured or not self.limit:
            return float("inf")
        return self.limit / measured if self.at_most else measured / self.limit


BUDGETS = (
    Budget("simulation", "l2_unicast", "simulation, L2", 1000, at_most=True),
    Budget("routed_simulation", "routed_10_rules", "simulation, routed, 10 rules per port", 2500, at_most=True),
    Budget("routed_simulation", "routed_1000_rules", "simulation, routed, 1,000 rules per port", 2, at_most=True, ratio_to="routed_10_rules"),
    Budget("routed_simulation", "snat_established", "simulation, routed, SNAT, known connection", 4000, at_most=True),
    Budget("routed_simulation", "snat_new", "simulation, routed, SNAT, new connection", 4000, at_most=True),
    Budget("routed_simulation", "snat_new_to_a_busy_server", "simulation, routed, SNAT, 501st connection to a server", 4000, at_most=True),
    Budget("flow_setup", "worker_alone_routed_tracked", "flow set-up, a worker, routed and tracked", 60_000),
    Budget("flow_setup", "worker_alone_routed_tracked_snat", "flow set-up, a worker, routed, tracked and SNAT", 60_000),
    Budget("snapshot", "remote_port_reported", "snapshot after a change of one port of 10,000", 2, at_most=True),
    Budget("datapath_cost", "exact hit, IPv4 UDP", "kernel program, exact hit", 60, at_most=True),
    Budget("forwarding", "midonet_same_host.packet_rate", "packet rate, same host", 1.0, ratio_to="linux_bridge"),
    Budget("forwarding", "midonet_same_host.tcp_1_stream", "TCP 1 stream, same host", 0.95, ratio_to="raw_veth"),
    Budget("forwarding", "midonet_same_host.tcp_4_streams", "TCP 4 streams, same host", 0.95, ratio_to="raw_veth"),
    Budget("forwarding", "midonet_vxlan.packet_rate", "packet rate, VXLAN", 1.3, ratio_to="kernel_vxlan"),
    Budget("forwarding", "midonet_vxlan.tcp_1_stream", "TCP 1 stream, VXLAN", 1.0, ratio_to="kernel_vxlan"),
    Budget("forwarding", "midonet_vxlan.tcp_4_streams", "TCP 4 streams, VXLAN", 1.0, ratio_to="kernel_vxlan"),
    Budget("forwarding", "midonet_gre.packet_rate", "packet rate, GRE", 1.3, ratio_to="kernel_vxlan"),
    Budget("forwarding", "midonet_gre.tcp_1_stream", "TCP 1 stream, GRE", 1.0, ratio_to="kernel_vxlan"),
    Budget("forwarding", "midonet_gre.tcp_4_streams", "TCP 4 streams, GRE", 1.0, ratio_to="kernel_vxlan"),
    *(Budget("routed_forwarding", f"routed_snat.{quantity}", f"{what}, routed, 10 rules per port, SNAT", 0.9, ratio_to="bridged")
      for quantity, what in (("tcp_1_stream", "TCP 1 stream"), ("tcp_4_streams", "TCP 4 streams"), ("packet_rate", "packet rate"))),
    *(Budget("connections", f"midonet_{zone}_{way}.connections", f"new connections, {zone.upper()}, security group{more}", 0.6,
             ratio_to="kernel_nat") for zone in ("vxlan", "gre") for way, more in (("group", ""), ("group_snat", ", SNAT"))),
    Budget("first_packet", "routed_10_rules.extra_p50", "first packet, routed, 10 rules per port, over a warm one", 300, at_most=True),
    Budget("new_flows", "to_new_macs", "flow set-up, whole agent, new destinations", 100_000),
    Budget("new_flows", "from_new_macs", "flow set-up, whole agent, new sources", 100_000),
    Budget("new_flows", "routed_connections", "flow set-up, whole agent, routed and tracked", 60_000),
    Budget("resident_memory", "idle_agent", "agent, idle", 25, at_most=True),
    Budget("resident_memory", "agent_with_5000_devices_100k_flows", "agent, 5,000 devices, 100k flows", 60, at_most=True),
    Budget("api", "get_port_per_core", "REST read, each core of the server", 20_000),
    Budget("api", "list_all_ports", "REST list of 10,000 ports", 100, at_most=True),
    Budget("api", "eucanetd_refresh", "REST, everything read again, 10,000 ports", 2000, at_most=True),
    Budget("api", "resident_memory", "API server, 10,000 ports, 1,000 idle connections", 40, at_most=True),
    Budget("control_plane", "port_bound_to_first_ping", "port created and bound to first ping", 50, at_most=True),
    Budget("control_plane", "rest_write_p50", "REST write, p50", 2, at_most=True),
    Budget("nsdb_zookeeper", "rest_write_p50", "ZooKeeper: REST write, p50", 5, at_most=True),
    Budget("nsdb_zookeeper", "rest_write_p99", "ZooKeeper: REST write, p99", 30, at_most=True),
    Budget("nsdb_zookeeper", "ports_created_by_16_clients", "ZooKeeper: ports created by 16 clients", 500),
    Budget("nsdb_zookeeper", "neutron_load", "ZooKeeper: 10,000 ports with rules and bindings", 60, at_most=True),
    Budget("nsdb_zookeeper", "binding_known_p99", "ZooKeeper: a binding known at 49 other hosts, p99", 100, at_most=True),
    Budget("control_plane", "agent_fresh_start", "agent, fresh start, 5,000 objects", 1000, at_most=True),
)


def budgets_of(figure: Figure) -> list[Budget]:
    """The budgets that are about this figure."""
    return [budget for budget in BUDGETS if (budget.benchmark, budget.figure) == (figure.benchmark, figure.name)]
