"""Parts of clouds with a router: networks 1 and 2, filters at ports, source translation.

    machine - net1 10.0.1.0/24 - 10.0.1.1 router 10.0.2.1 - net2 10.0.2.0/24 - machine
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from midonet_lab.lab import Lab

from . import clouds
from .traffic import Frames

BRIDGES = ("net1", "net2")
RULES = 10  # of each filtered port
TCP, UDP, ICMP, IPV4 = 6, 17, 1, 0x0800


def machine(name: str, host: int, net: int, last: int) -> dict[str, Any]:
    """A machine at 10.0.<net>.<last>, as in a cloud file."""
    return {"name": name, "host": f"h{host}", "bridge": f"net{net}", "ip": f"10.0.{net}.{last}/24", "gateway": f"10.0.{net}.1"}


@dataclass(frozen=True)
class Router:
    """The router between the networks, and its port in each."""

    lab: Lab
    id: str
    ports: dict[int, str]

    @staticmethod
    def add(lab: Lab) -> "Router":
        """Creates it in a cloud with BRIDGES."""
        router = lab.api.add_router("router")
        return Router(lab, router, {net: lab.api.attach(router, f"10.0.{net}.1/24", lab.state.ids[f"bridge:net{net}"]) for net in (1, 2)})

    def mac(self, net: int) -> str:
        """Of its port in a network."""
        return self.lab.api.port(self.ports[net])["portMac"]

    def filter_links(self) -> None:
        """Stateless rules at both ends of both its links."""
        for port in self.ports.values():
            for end in (port, self.lab.api.port(port)["peerId"]):
                filter_port(self.lab, end)

    def translate_source(self) -> None:
        """What goes from net1 to net2 gets the router's address there, and answers find their way back."""
        api, outside = self.lab.api, self.ports[2]
        before, after = api.add_chain("pre-routing"), api.add_chain("post-routing")
        api.add_rule(before, "rev_snat", flowAction="accept", inPorts=[outside], nwDstAddress="10.0.2.1", nwDstLength=32)
        api.add_nat_rule(after, "snat", "10.0.2.1", ports=(1024, 65535), outPorts=[outside], nwSrcAddress="10.0.1.0", nwSrcLength=24)
        api.change(f"/routers/{self.id}", inboundFilterId=before, outboundFilterId=after)


def filter_port(lab: Lab, port: str, tracks: bool = False) -> None:
    """RULES rules for both directions, of which only the last fits UDP, by its ports: each pair of them is a flow. The rest passes.

    With `tracks` the first lets answers pass, so that a packet that is none begins a connection.
    """
    chain = lab.api.add_chain("filter")
    if tracks:
        lab.api.add_rule(chain, "accept", matchReturnFlow=True)
    for number in range(int(tracks), RULES - 1):
        lab.api.add_rule(chain, "accept", dlType=IPV4, nwProto=TCP, nwSrcAddress=f"192.168.{number}.0", nwSrcLength=24,
                         tpDst={"start": 2000 + number, "end": 2000 + number})
    unprivileged = {"start": 1024, "end": 65535}
    lab.api.add_rule(chain, "accept", dlType=IPV4, nwProto=UDP, tpSrc=unprivileged, tpDst=unprivileged)
    lab.api.change(f"/ports/{port}", inboundFilterId=chain, outboundFilterId=chain)


def add_security_group(lab: Lab, name: str, ports: range | None = None) -> None:
    """A machine may begin what it likes; connections to it may only begin by ping and at these TCP ports. (ARP is no IPv4.)"""
    api = lab.api
    to_machine, from_machine = api.add_chain(f"to {name}"), api.add_chain(f"from {name}")
    for conditions in ({"matchReturnFlow": True}, {"matchForwardFlow": True}):
        api.add_rule(from_machine, "accept", **conditions)
    api.add_rule(to_machine, "accept", matchReturnFlow=True)
    api.add_rule(to_machine, "accept", dlType=IPV4, nwProto=ICMP)
    if ports:
        api.add_rule(to_machine, "accept", dlType=IPV4, nwProto=TCP, tpDst={"start": ports[0], "end": ports[-1]})
    api.add_rule(to_machine, "drop", dlType=IPV4)
    api.change(f"/ports/{lab.port_id(name)}", inboundFilterId=from_machine, outboundFilterId=to_machine)


def connections(lab: Lab, client: str, server: str) -> Frames:
    """A flood of first packets from a machine of net1 to one of net2, in a cloud that has no router yet: through a router,
    and at both machines a chain that knows answers from what begins a connection."""
    router = Router.add(lab)
    for name in (client, server):
        filter_port(lab, lab.port_id(name), tracks=True)
    # Brings the router's neighbours, too.
    clouds.case(lab, "routed", client, server).require_connectivity()
    return Frames(lab.cloud.machine(client).mac, router.mac(1), "connections",
                  (lab.cloud.machine(client).address, lab.cloud.machine(server).address))
