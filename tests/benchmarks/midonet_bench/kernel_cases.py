"""The yardsticks: what the kernel does without MidoNet, in namespaces of this run.

    raw_veth       two machines joined by one veth pair
    linux_bridge   two machines on one Linux bridge: "same host"
    kernel_vxlan   two hosts joined by one veth pair, each a bridge with a kernel VXLAN device and one machine
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from midonet_lab import namespaces
from midonet_lab.checks import Ping, ping_all
from midonet_lab.errors import LabError

MTU = 1450  # of machines
UNDERLAY_MTU = 1500
PREFIX = "mbench-"
_ADDRESS = ("10.0.0.1", "10.0.0.2")
# Where the kernel can take bridged packets through the IP filter, a new namespace does so, and pays for it without rules.
_NO_BRIDGE_FILTER = {"bridge/bridge-nf-call-iptables": "0"} if Path("/proc/sys/net/bridge").exists() else {}


@dataclass(frozen=True)
class Case:
    """A way from one machine to another."""

    name: str
    source: str  # namespaces
    target: str
    address: str  # of the target

    def require_connectivity(self) -> None:
        """LabError when the target does not answer."""
        if not ping_all([Ping(self.source, self.address)], 5.0):
            raise LabError(f"case {self.name}: no answer from {self.address}")


def remove() -> None:
    """Removes the namespaces of this or an earlier run; benchmarks run one at a time (see session)."""
    namespaces.delete(namespaces.existing(PREFIX))


def build() -> list[Case]:
    """Makes all of them; the caller removes them."""
    return [_raw_veth(), _linux_bridge(), _kernel_vxlan()]


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
    return Case("linux_bridge", left, right, _ADDRESS[1])


def _kernel_vxlan() -> Case:
    hosts = _spaces("host1", "host2")
    _veth(hosts[0], "underlay", hosts[1], "underlay", UNDERLAY_MTU)
    machines = []
    for own, host in enumerate(hosts, start=1):
        namespaces.batch([f"addr add 192.0.2.{own}/24 dev underlay",
                          f"link add vx0 type vxlan id 100 dev underlay local 192.0.2.{own} remote 192.0.2.{3 - own} dstport 4789"],
                         host)
        _bridge(host)
        namespaces.batch(["link set vx0 master br0 up"], host)
        machines.append(_machine(host, f"remote{own}", own))
    return Case("kernel_vxlan", machines[0], machines[1], _ADDRESS[1])


def _machine(host: str, name: str, number: int) -> str:
    """A machine on the host's bridge, at the address of its number (1 or 2)."""
    space, = _spaces(name)
    _veth(space, "eth0", host, f"p-{name}", MTU)
    namespaces.batch([f"addr add {_ADDRESS[number - 1]}/24 dev eth0"], space)
    namespaces.batch([f"link set p-{name} master br0"], host)
    return space


def _spaces(*names: str) -> list[str]:
    spaces = [PREFIX + name for name in names]
    namespaces.create(spaces)
    for space in spaces:
        namespaces.set_sysctls(space, {"ipv6/conf/default/disable_ipv6": "1", **_NO_BRIDGE_FILTER})
    return spaces


def _bridge(space: str) -> None:
    namespaces.batch(["link add br0 type bridge mcast_snooping 0", "link set br0 up"], space)


def _veth(left: str, left_name: str, right: str, right_name: str, mtu: int) -> None:
    namespaces.batch([f"link add {left_name} mtu {mtu} netns {left} type veth peer name {right_name} mtu {mtu} netns {right}"])
    namespaces.batch([f"link set {left_name} up"], left)
    namespaces.batch([f"link set {right_name} up"], right)
