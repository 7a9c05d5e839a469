"""The cloud file: a small TOML description of hosts, virtual bridges and machines.

    name = "demo"
    hosts = ["h1", "h2"]
    bridges = ["red"]
    routers = ["edge"]              # optional
    mtu = 1600                      # of the underlay
    nsdb = "embedded"               # or "zookeeper(3)": an ensemble of so many servers; "zookeeper" has three

    [zone]
    type = "vxlan"                  # or "gre"

    [agent]                         # settings handed to every agent (optional)
    "datapath.vxlan" = "kernel"

    [[machine]]
    name = "vm1"
    host = "h1"
    bridge = "red"
    ip = "10.0.0.1/24"              # kind, mac, ip6, mtu and offload have defaults
    gateway = "10.0.0.254"          # of its default route (optional)

    [[machine]]                     # behind a router's own port, which has the gateway's address: the world outside
    name = "internet"
    host = "h1"
    router = "edge"
    ip = "198.51.100.2/24"
    gateway = "198.51.100.1"
"""

from __future__ import annotations

import ipaddress
import re
import tomllib
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from .errors import LabError

# Bytes a tunnel adds to a frame without its Ethernet header, by zone type: outer IP, tunnel header, inner Ethernet
# (GRE: with key and room for one VLAN tag).
TUNNEL_OVERHEAD = {"vxlan": 50, "gre": 46}
KINDS = ("veth", "tap")
FABRIC = "fabric"
_NSDB = "nsdb"
# An interface name has 15 characters; the lab puts two before the name of a host or machine.
_NAME = re.compile(r"[a-z][a-z0-9-]{0,12}")
# No '-' here: names of namespaces are ml-CLOUD-NODE, and a cloud must never be a prefix of another.
_CLOUD_NAME = re.compile(r"[a-z][a-z0-9]{0,31}")
_MAX_HOSTS, _MAX_SERVERS = 240, 9
_NSDB_KIND = re.compile(r"embedded|zookeeper(?:\(([1-9])\))?")
_MAC = re.compile(r"([0-9a-f]{2}:){5}[0-9a-f]{2}")


@dataclass
class Machine:
    """One machine: a namespace whose `eth0` is plugged, at a host, into a virtual bridge or a port of a router."""

    name: str
    host: str
    bridge: str  # this or
    router: str  # that; the other is empty
    ip: str  # with prefix length
    ip6: str
    gateway: str  # empty: no default route
    mac: str
    kind: str
    offload: bool
    mtu: int

    @property
    def address(self) -> str:
        """The IPv4 address without its prefix length."""
        return self.ip.partition("/")[0]

    @property
    def address6(self) -> str:
        """The IPv6 address without its prefix length."""
        return self.ip6.partition("/")[0]

    @property
    def device(self) -> str:
        """What it is plugged into, as in the ids of the state: "bridge:red", "router:edge"."""
        return f"bridge:{self.bridge}" if self.bridge else f"router:{self.router}"

    @property
    def interface(self) -> str:
        """Name of the host-side interface, the one a port is bound to."""
        return f"p-{self.name}"


@dataclass
class Cloud:
    """A whole cloud, complete and checked; every default is filled in."""

    name: str
    zone_type: str
    hosts: list[str]
    bridges: list[str]
    machines: list[Machine]
    mtu: int = 1600
    routers: list[str] = field(default_factory=list)
    zookeepers: int = 0  # servers of the NSDB's ensemble; 0: it is embedded
    agent_settings: dict[str, str] = field(default_factory=dict)
    api_settings: dict[str, str] = field(default_factory=dict)
    underlay: str = "192.0.2.0/24"

    def machine(self, name: str) -> Machine:
        """The machine of that name; LabError when there is none."""
        for machine in self.machines:
            if machine.name == name:
                return machine
        raise LabError(f"cloud '{self.name}' has no machine '{name}'")

    def host_address(self, host: str) -> str:
        """The underlay address of a host."""
        return str(ipaddress.ip_network(self.underlay)[self.hosts.index(host) + 1])

    def servers(self) -> dict[str, str]:
        """The nodes of the NSDB's ensemble and their underlay addresses, behind those of all hosts."""
        network = ipaddress.ip_network(self.underlay)
        return {nsdb_node(number): str(network[-1 - _MAX_SERVERS - 1 + number]) for number in range(1, self.zookeepers + 1)}

    def machines_of(self, bridge: str) -> list[Machine]:
        """The machines plugged into one virtual bridge."""
        return [machine for machine in self.machines if machine.bridge == bridge]

    def to_dict(self) -> dict[str, Any]:
        """Plain data for the state file; `from_dict` reads it back."""
        return asdict(self)

    @staticmethod
    def from_dict(data: dict[str, Any]) -> "Cloud":
        """The inverse of `to_dict`; trusts its input."""
        return Cloud(**{**data, "machines": [Machine(**m) for m in data["machines"]]})


def nsdb_node(number: int) -> str:
    """The node where a server of the ensemble runs, 1 being the first."""
    return f"{_NSDB}{number}"


def load(path: str | Path) -> Cloud:
    """Reads and checks a cloud file; LabError says what is wrong and where."""
    try:
        data = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise LabError(f"cannot read the cloud file {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise LabError(f"{path} is not valid TOML: {error}") from error
    try:
        return parse(data)
    except LabError as error:
        raise LabError(f"{path}: {error}") from error


def parse(data: dict[str, Any]) -> Cloud:
    """Turns parsed TOML (or the same structure from a test) into a checked Cloud."""
    _only_keys(data, {"name", "hosts", "bridges", "routers", "mtu", "nsdb", "zone", "agent", "api", "machine"}, "the cloud")
    name = data.get("name", "")
    if not isinstance(name, str) or not _CLOUD_NAME.fullmatch(name):
        raise LabError("name: give the cloud a name of lower-case letters and digits, at most 32")
    hosts = _names(data.get("hosts"), "hosts")
    bridges = _names(data.get("bridges"), "bridges")
    routers = _names(data["routers"], "routers") if "routers" in data else []
    if len(hosts) > _MAX_HOSTS:
        raise LabError(f"hosts: at most {_MAX_HOSTS}")
    zone = data.get("zone", {})
    _only_keys(zone, {"type"}, "[zone]")
    zone_type = zone.get("type", "vxlan")
    if zone_type not in TUNNEL_OVERHEAD:
        raise LabError(f"[zone] type: '{zone_type}' is not one of {', '.join(TUNNEL_OVERHEAD)}")
    mtu = _integer(data.get("mtu", 1600), "mtu", 1334, 65000)
    cloud = Cloud(name, zone_type, hosts, bridges, [], mtu, routers, _zookeepers(data.get("nsdb", "embedded")),
                  _settings(data.get("agent", {}), "[agent]"), _settings(data.get("api", {}), "[api]"))
    for index, entry in enumerate(data.get("machine", []), start=1):
        cloud.machines.append(_machine(entry, index, cloud))
    _no_twins(cloud)
    return cloud


def _machine(entry: dict[str, Any], index: int, cloud: Cloud) -> Machine:
    where = f"machine {entry.get('name', index)}"
    _only_keys(entry, {"name", "host", "bridge", "router", "ip", "ip6", "gateway", "mac", "kind", "offload", "mtu"},
               where)
    name = _names([entry.get("name")], f"{where}: name")[0]
    if entry.get("host") not in cloud.hosts:
        raise LabError(f"{where}: host '{entry.get('host')}' is not in hosts = {cloud.hosts}")
    bridge, router = _device(entry, where, cloud)
    kind = entry.get("kind", "veth")
    if kind not in KINDS:
        raise LabError(f"{where}: kind '{kind}' is not one of {', '.join(KINDS)}")
    offload = entry.get("offload", True)
    if not isinstance(offload, bool):
        raise LabError(f"{where}: offload must be true or false")
    mac = str(entry.get("mac", f"02:4d:4c:00:{index >> 8:02x}:{index & 255:02x}")).lower()
    if not _MAC.fullmatch(mac) or int(mac[:2], 16) & 1:
        raise LabError(f"{where}: mac '{mac}' is not a unicast MAC address like 02:00:00:00:00:01")
    largest = cloud.mtu - TUNNEL_OVERHEAD[cloud.zone_type]
    mtu = _integer(entry.get("mtu", largest), f"{where}: mtu", 1280, 65000)
    ip = _interface_address(entry.get("ip", f"10.0.{index >> 8}.{index & 255}/16"), 4, where)
    ip6 = _interface_address(entry.get("ip6", f"fd00::{index:x}/64"), 6, where)
    gateway = entry.get("gateway", "")
    if router or gateway:
        _neighbour_address(gateway, ip, where)
    return Machine(name, entry["host"], bridge, router, ip, ip6, gateway, mac, kind, offload, mtu)


def _zookeepers(value: Any) -> int:
    kind = _NSDB_KIND.fullmatch(value) if isinstance(value, str) else None
    if kind is None:
        raise LabError(f"nsdb: {value!r} is not embedded, zookeeper, or zookeeper(N) with 1 to 9 servers")
    return 0 if value == "embedded" else int(kind[1] or 3)


def _device(entry: dict[str, Any], where: str, cloud: Cloud) -> tuple[str, str]:
    """The bridge, or the router, of a machine."""
    if ("bridge" in entry) == ("router" in entry):
        raise LabError(f"{where}: give it a bridge or a router, one of them")
    kind, known = ("bridge", cloud.bridges) if "bridge" in entry else ("router", cloud.routers)
    if entry[kind] not in known:
        raise LabError(f"{where}: {kind} '{entry[kind]}' is not in {kind}s = {known}")
    return entry.get("bridge", ""), entry.get("router", "")


def _no_twins(cloud: Cloud) -> None:
    nodes = cloud.hosts + [machine.name for machine in cloud.machines]
    for name in nodes:
        if name == FABRIC or name in cloud.servers() or nodes.count(name) > 1:
            raise LabError(f"the name '{name}' is used twice: hosts and machines share one space of names, "
                           f"'{FABRIC}' is the underlay, and '{_NSDB}1' and so on are where ZooKeeper runs")
    for key in ("ip", "ip6", "mac"):
        seen: dict[tuple[str, str], str] = {}
        for machine in cloud.machines:
            value = (machine.device, getattr(machine, key).partition("/")[0])
            if value in seen:
                raise LabError(f"machines {seen[value]} and {machine.name} on {machine.device} both have "
                               f"{key} {value[1]}")
            seen[value] = machine.name


def _only_keys(data: Any, known: set[str], where: str) -> None:
    if not isinstance(data, dict):
        raise LabError(f"{where} must be a table")
    unknown = sorted(set(data) - known)
    if unknown:
        raise LabError(f"{where} has unknown keys {', '.join(unknown)}; known: {', '.join(sorted(known))}")


def _names(value: Any, where: str) -> list[str]:
    if not isinstance(value, list) or not value:
        raise LabError(f"{where}: give a list of at least one name")
    for name in value:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise LabError(f"{where}: '{name}' is not a name of lower-case letters, digits and '-', at most 13")
    if len(set(value)) != len(value):
        raise LabError(f"{where}: names must differ")
    return list(value)


def _integer(value: Any, where: str, low: int, high: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise LabError(f"{where}: {value!r} is not a number between {low} and {high}")
    return value


def _settings(value: Any, where: str) -> dict[str, str]:
    if not isinstance(value, dict) or any(isinstance(v, (dict, list)) for v in value.values()):
        raise LabError(f'{where}: write settings as "section.key" = value')
    return {key: str(v).lower() if isinstance(v, bool) else str(v) for key, v in value.items()}


def _interface_address(value: Any, version: int, where: str) -> str:
    try:
        interface = ipaddress.ip_interface(value)
    except ValueError as error:
        raise LabError(f"{where}: {error}") from error
    if interface.version != version or "/" not in str(value):
        raise LabError(f"{where}: '{value}' is not an IPv{version} address with a prefix length")
    return str(interface)


def _neighbour_address(value: Any, ip: str, where: str) -> None:
    interface = ipaddress.ip_interface(ip)
    try:
        gateway = ipaddress.ip_address(value)
    except ValueError as error:
        raise LabError(f"{where}: gateway: {error}") from error
    if gateway not in interface.network or gateway == interface.ip:
        raise LabError(f"{where}: the gateway {value} is no neighbour of {ip}")
