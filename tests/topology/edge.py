"""The cloud of a tenant with everything a router does for it, and the world outside.

    far 198.18.0.1 - internet 198.51.100.2 - .1 provider 100.64.0.1 - .2 tenant 10.0.1.1 - web1, web2, web3   (one at each host)
                                                                           10.0.2.1 - db, at h3

The public addresses 203.0.113.0/24 are the tenant's: .10 for connections out, .20 and .21 floating, .30 a VIP.
"""

from __future__ import annotations

from dataclasses import dataclass

from midonet_lab import namespaces
from midonet_lab.lab import Lab

FAR = "198.18.0.1"
OUTWARDS, FLOATING, GUARDED, VIP = (f"203.0.113.{last}" for last in (10, 20, 21, 30))
SSH, WEB = 22, 8080


@dataclass
class Edge:
    """The cloud of the drawing at the top."""

    lab: Lab
    tenant: str  # the router
    uplink: str  # its port towards the provider
    outward: tuple[str, ...] = ("web2", "web3", "db")  # machines whose connections out are translated to OUTWARDS

    def space(self, machine: str) -> str:
        """The namespace of a machine."""
        return self.lab.namespace(machine)

    def address(self, machine: str) -> str:
        """The address of a machine."""
        return self.lab.cloud.machine(machine).address


def build_edge(make_lab, zone: str = "vxlan", machines: tuple[dict, ...] = (), bridges: tuple[str, ...] = (), **more) -> Edge:
    """Brings it up, with more machines and bridges if wanted."""
    def machine(name: str, host: int, net: int, last: int) -> dict:
        return {"name": name, "host": f"h{host}", "bridge": f"net{net}", "ip": f"10.0.{net}.{last}/24",
                "gateway": f"10.0.{net}.1", "mtu": 1500}

    lab = make_lab([*(machine(f"web{host}", host, 1, 10 + host) for host in (1, 2, 3)), machine("guarded", 2, 1, 20),
                    machine("db", 3, 2, 11),
                    {"name": "internet", "host": "h1", "router": "provider", "ip": "198.51.100.2/24", "gateway": "198.51.100.1",
                     "mtu": 1500}, *machines], zone=zone, hosts=3, bridges=("net1", "net2", *bridges), routers=["provider"], **more)
    lab.api.add_route(lab.state.ids["router:provider"], "0.0.0.0/0", lab.port_id("internet"), gateway="198.51.100.2")
    add_far_address(lab.namespace("internet"))
    tenant, uplink = add_tenant(lab)
    add_translations(lab, tenant, uplink)
    add_balancer(lab, tenant)
    return Edge(lab, tenant, uplink)


def add_far_address(internet: str) -> None:
    """The world outside speaks from its far address; only in ARP from the one that the provider's router knows it by."""
    namespaces.set_sysctls(internet, {"ipv4/conf/all/arp_announce": "2"})
    namespaces.batch([f"addr add {FAR}/32 dev lo", f"route replace default via 198.51.100.1 src {FAR}"], internet)


def add_tenant(lab: Lab) -> tuple[str, str]:
    """The tenant's router between its networks and the provider's; returns it and its port towards the provider."""
    tenant = lab.api.add_router("tenant")
    for net in (1, 2):
        lab.api.attach(tenant, f"10.0.{net}.1/24", lab.state.ids[f"bridge:net{net}"])
    return tenant, join_provider(lab, tenant, "100.64.0.1", "100.64.0.2", "203.0.113.0/24")


def join_provider(lab: Lab, tenant: str, near: str, far: str, public: str) -> str:
    """Links a tenant's router at `far` to the provider's at `near`, which routes its public addresses; returns the tenant's port."""
    api, provider = lab.api, lab.state.ids["router:provider"]
    downlink, uplink = api.add_network(provider, f"{near}/30"), api.add_network(tenant, f"{far}/30")
    api.link(downlink, uplink)
    api.add_route(provider, public, downlink, gateway=far)
    api.add_route(tenant, "0.0.0.0/0", uplink, gateway=near)
    return uplink


def add_translations(lab: Lab, tenant: str, uplink: str) -> None:
    """Floating addresses of two machines, and one address for the connections of all others."""
    api = lab.api
    before, after = api.add_chain("pre-routing"), api.add_chain("post-routing")
    for public, machine in ((FLOATING, "web1"), (GUARDED, "guarded")):
        private = lab.cloud.machine(machine).address
        api.add_nat_rule(before, "dnat", private, inPorts=[uplink], nwDstAddress=public, nwDstLength=32)
        api.add_nat_rule(after, "snat", public, outPorts=[uplink], nwSrcAddress=private, nwSrcLength=32)
    translate_outwards(lab, uplink, OUTWARDS, before, after)
    api.change(f"/routers/{tenant}", inboundFilterId=before, outboundFilterId=after)


def translate_outwards(lab: Lab, uplink: str, address: str, before: str, after: str) -> None:
    """Puts the rules into the chains of a tenant's router that give its connections out one address."""
    lab.api.add_rule(before, "rev_snat", flowAction="accept", inPorts=[uplink], nwDstAddress=address, nwDstLength=32)
    lab.api.add_nat_rule(after, "snat", address, ports=(1024, 65535), outPorts=[uplink], nwSrcAddress="10.0.0.0", nwSrcLength=16)


def add_balancer(lab: Lab, tenant: str) -> None:
    """A VIP whose members are the machines of all three hosts."""
    pool = lab.api.add_pool(lab.api.add_load_balancer(tenant))
    for name in ("web1", "web2", "web3"):
        lab.api.add_pool_member(pool, lab.cloud.machine(name).address, WEB)
    lab.api.add_vip(pool, VIP, WEB)
