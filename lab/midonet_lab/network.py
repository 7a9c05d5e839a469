"""Builds the namespaces, links and addresses of a cloud; knows nothing of MidoNet.

    ml-CLOUD-fabric   Linux bridge `fabric` with one port `h-HOST` for each host: the underlay
    ml-CLOUD-nsdb1    `eth0` on the underlay, for the first server of the NSDB's ensemble
    ml-CLOUD-HOST     `eth0` on the underlay, and `p-MACHINE` for each veth machine at this host
    ml-CLOUD-MACHINE  `eth0`, the other end of `p-MACHINE`, or a tap joined to it by a relay
"""

from __future__ import annotations

import ipaddress

from . import namespaces
from .cloud import FABRIC, Cloud, Machine
from .errors import LabError

# What every namespace gets before it has interfaces: addresses work at once, and nothing chatters by itself.
_QUIET_IPV6 = {"ipv6/conf/default/accept_dad": "0", "ipv6/conf/default/router_solicitations": "0",
               "ipv6/conf/default/accept_ra": "0"}
# Interfaces that belong to a datapath carry no addresses of the host (as hypervisors set up their taps).
_NO_IPV6 = {"ipv6/conf/default/disable_ipv6": "1"}


def namespace(cloud: str, node: str) -> str:
    """The namespace of a host, a machine, the fabric or a server of the ensemble."""
    return f"ml-{cloud}-{node}"


def all_namespaces(cloud: Cloud) -> list[str]:
    """Every namespace the cloud needs."""
    nodes = [FABRIC, *_underlay_addresses(cloud), *(machine.name for machine in cloud.machines)]
    return [namespace(cloud.name, node) for node in nodes]


def _underlay_addresses(cloud: Cloud) -> dict[str, str]:
    """Address of every node on the underlay."""
    return {**{host: cloud.host_address(host) for host in cloud.hosts}, **cloud.servers()}


def build(cloud: Cloud) -> None:
    """Makes namespaces, underlay and the machines on veths; machines on taps get theirs from a relay."""
    namespaces.create(all_namespaces(cloud))
    fabric = namespace(cloud.name, FABRIC)
    namespaces.set_sysctls(fabric, _NO_IPV6)
    for machine in cloud.machines:
        namespaces.set_sysctls(namespace(cloud.name, machine.name), _QUIET_IPV6)
    namespaces.batch([f"link add {FABRIC} mtu {cloud.mtu} type bridge mcast_snooping 0", f"link set {FABRIC} up"], fabric)
    addresses = _underlay_addresses(cloud)
    namespaces.batch(f"link add h-{node} mtu {cloud.mtu} netns {fabric} type veth "
                     f"peer name eth0 mtu {cloud.mtu} netns {namespace(cloud.name, node)}" for node in addresses)
    namespaces.batch((f"link set h-{node} master {FABRIC} up" for node in addresses), fabric)
    length = ipaddress.ip_network(cloud.underlay).prefixlen
    for node, address in addresses.items():
        inside = namespace(cloud.name, node)
        namespaces.set_sysctls(inside, _QUIET_IPV6)
        namespaces.batch(["link set eth0 up", f"addr add {address}/{length} dev eth0"], inside)
        namespaces.set_sysctls(inside, _NO_IPV6)
    veths = [machine for machine in cloud.machines if machine.kind == "veth"]
    namespaces.batch(_veth_command(cloud, machine) for machine in veths)
    for machine in veths:
        namespaces.batch([f"link set {machine.interface} up"], namespace(cloud.name, machine.host))
        configure_machine(cloud, machine)


def plug_veth(cloud: Cloud, machine: Machine) -> None:
    """Gives a machine whose link was taken away a new one."""
    namespaces.batch([_veth_command(cloud, machine)])
    namespaces.batch([f"link set {machine.interface} up"], namespace(cloud.name, machine.host))
    configure_machine(cloud, machine)


def unplug_veth(cloud: Cloud, machine: Machine) -> None:
    """Takes the machine's link away: both ends vanish."""
    namespaces.batch([f"link del {machine.interface}"], namespace(cloud.name, machine.host))


def move_veth(cloud: Cloud, machine: Machine, host: str) -> None:
    """Carries the host-side end of a machine's link to another host; the machine keeps its own end."""
    if machine.kind != "veth":
        raise LabError(f"machine {machine.name} sits on a tap; only machines on a veth can be moved")
    target = namespace(cloud.name, host)
    namespaces.batch([f"link set {machine.interface} netns {target}"], namespace(cloud.name, machine.host))
    namespaces.batch([f"link set {machine.interface} up"], target)
    machine.host = host


def configure_machine(cloud: Cloud, machine: Machine) -> None:
    """Addresses, MTU, offloads of a machine's `eth0`, whoever made the interface."""
    inside = namespace(cloud.name, machine.name)
    namespaces.batch([f"link set eth0 mtu {machine.mtu} up",
                      f"addr replace {machine.ip} dev eth0",
                      f"addr replace {machine.ip6} dev eth0 nodad",
                      *([f"route replace default via {machine.gateway}"] if machine.gateway else [])], inside)
    if not machine.offload:
        namespaces.set_offloads(inside, "eth0", False)


def _veth_command(cloud: Cloud, machine: Machine) -> str:
    return (f"link add {machine.interface} mtu {machine.mtu} netns {namespace(cloud.name, machine.host)} type veth "
            f"peer name eth0 address {machine.mac} mtu {machine.mtu} netns {namespace(cloud.name, machine.name)}")
