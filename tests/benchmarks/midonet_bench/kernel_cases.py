"""The yardsticks: what the kernel does without MidoNet, in namespaces of this run.

    raw_veth       two machines joined by one veth pair
    linux_bridge   two machines on one Linux bridge: "same host"
    kernel_vxlan   two hosts joined by one veth pair, each a bridge with a kernel VXLAN device and one machine
    kernel_nat     the same two hosts; the machine of the first is on a bridge of its own, and a router namespace with
                   nftables joins it to the other: filter of new connections, source NAT, one pass through conntrack for both
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from midonet_lab import namespaces
from midonet_lab.checks import Ping, ping_all
from midonet_lab.errors import LabError

MTU = 1450  # of machines
UNDERLAY_MTU = 1500
PREFIX = "mbench-"
_ADDRESS = ("10.0.0.1", "10.0.0.2")
_INSIDE = "10.0.1"
# Where the kernel can take bridged packets through the IP filter, a new namespace does so, and pays for it without rules.
_NO_BRIDGE_FILTER = {"bridge/bridge-nf-call-iptables": "0"} if Path("/proc/sys/net/bridge").exists() else {}
_NAT_RULES = """
table ip cloud {{
    chain filter {{
        type filter hook forward priority filter; policy drop;
        ct state established,related accept
        ct state new tcp dport {first}-{last} accept
        ct state new meta l4proto icmp accept
    }}
    chain translate {{
        type nat hook postrouting priority srcnat;
        oifname "outside" snat to {address}
    }}
}}
"""


@dataclass(frozen=True)
class Case:
    """A way from one machine to another."""

    name: str
    source: str  # namespaces
    target: str
    address: str  # of the target
    yardsticks: tuple[str, ...] = ()  # cases it is held against

    def require_connectivity(self) -> None:
        """LabError when the target does not answer."""
        if not ping_all([Ping(self.source, self.address)], 5.0):
            raise LabError(f"case {self.name}: no answer from {self.address}")


def remove() -> None:
    """Removes the namespaces of this or an earlier run; benchmarks run one at a time (see session)."""
    namespaces.delete(namespaces.existing(PREFIX))


def build() -> list[Case]:
    """Makes those of plain forwarding; the caller removes them."""
    return [_raw_veth(), _linux_bridge(), _kernel_vxlan()]


def build_nat(ports: range) -> Case:
    """Makes kernel_nat, whose filter lets ping and connections to these TCP ports begin; the caller removes it."""
    hosts = _vxlan_hosts("nat1", "nat2")
    router, machine = _spaces("natrouter", "natlocal")
    _bridge(hosts[0], "br1")
    _plug((machine, "eth0"), (hosts[0], "p-local"), "br1", f"{_INSIDE}.2")
    _plug((router, "inside"), (hosts[0], "p-inside"), "br1", f"{_INSIDE}.1")
    _plug((router, "outside"), (hosts[0], "p-outside"), "br0", _ADDRESS[0])
    namespaces.batch([f"route add default via {_INSIDE}.1"], machine)
    namespaces.set_sysctls(router, {"ipv4/ip_forward": "1"})
    _nft(router, _NAT_RULES.format(first=ports[0], last=ports[-1], address=_ADDRESS[0]))
    return Case("kernel_nat", machine, _machine(hosts[1], "natremote", 2), _ADDRESS[1])


def _raw_veth() -> Case:
    left, right = _spaces("raw1", "raw2")
    _veth(left, "eth0", right, "eth0", MTU)
    for space, address in zip((left, right), _ADDRESS):
        namespaces.batch([f"addr add {address}/24 dev eth0"], space)
    return Case("raw_veth", left, right, _ADDRESS[1])


def _linux_bridge() -> Case:
    host, = _spaces("bridge")
    _bridge(host)
    left, right = (_machine(host, f"local{i}", i) for i in (1, 2))
    return Case("linux_bridge", left, right, _ADDRESS[1], ("raw_veth",))


def _kernel_vxlan() -> Case:
    left, right = (_machine(host, f"remote{own}", own) for own, host in enumerate(_vxlan_hosts("host1", "host2"), start=1))
    return Case("kernel_vxlan", left, right, _ADDRESS[1], ("raw_veth",))


def _vxlan_hosts(*names: str) -> list[str]:
    """Two hosts with a bridge br0 each; kernel VXLAN makes one network of both."""
    hosts = _spaces(*names)
    _veth(hosts[0], "underlay", hosts[1], "underlay", UNDERLAY_MTU)
    for own, host in enumerate(hosts, start=1):
        namespaces.batch([f"addr add 192.0.2.{own}/24 dev underlay",
                          f"link add vx0 type vxlan id 100 dev underlay local 192.0.2.{own} remote 192.0.2.{3 - own} dstport 4789"],
                         host)
        _bridge(host)
        namespaces.batch(["link set vx0 master br0 up"], host)
    return hosts


def _machine(host: str, name: str, number: int) -> str:
    """A machine on the host's bridge, at the address of its number (1 or 2)."""
    space, = _spaces(name)
    _plug((space, "eth0"), (host, f"p-{name}"), "br0", _ADDRESS[number - 1])
    return space


def _plug(end: tuple[str, str], host_end: tuple[str, str], bridge: str, address: str) -> None:
    """A veth between two (namespace, interface): one with an address, the other on a bridge."""
    _veth(*end, *host_end, MTU)
    namespaces.batch([f"addr add {address}/24 dev {end[1]}"], end[0])
    namespaces.batch([f"link set {host_end[1]} master {bridge}"], host_end[0])


def _spaces(*names: str) -> list[str]:
    spaces = [PREFIX + name for name in names]
    namespaces.create(spaces)
    for space in spaces:
        namespaces.set_sysctls(space, {"ipv6/conf/default/disable_ipv6": "1", **_NO_BRIDGE_FILTER})
    return spaces


def _bridge(space: str, name: str = "br0") -> None:
    namespaces.batch([f"link add {name} type bridge mcast_snooping 0", f"link set {name} up"], space)


def _veth(left: str, left_name: str, right: str, right_name: str, mtu: int) -> None:
    namespaces.batch([f"link add {left_name} mtu {mtu} netns {left} type veth peer name {right_name} mtu {mtu} netns {right}"])
    namespaces.batch([f"link set {left_name} up"], left)
    namespaces.batch([f"link set {right_name} up"], right)


def _nft(space: str, rules: str) -> None:
    """Loads nftables rules in a namespace."""
    try:
        done = subprocess.run(namespaces.exec_command(space, ["nft", "-f", "-"]), input=rules, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise LabError(f"{error.filename} is missing: run tools/install-dependencies") from error
    if done.returncode:
        raise LabError(f"nft in {space}: {done.stderr.strip()}")
