"""Hundreds of agents on a store of a hundred thousand ports: how long they take to start, how soon they know of a change,
how many a change wakes, what they weigh.

The agents are the real ones, each in a namespace of its own, on the datapath that forwards nothing; the store is on an ensemble as
an operator runs it, filled from a dump (`tenants`).
"""

from __future__ import annotations

import ipaddress
import statistics
import subprocess
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Callable, Iterator, Sequence

from . import namespaces, network, processes, table, tenants, zookeeper
from .api import Api
from .cloud import Cloud, nsdb_node
from .errors import LabError
from .lab import Lab, program_folder, set_words
from .processes import Process
from .waiting import wait_until

_QUIET = 0.4  # seconds without a new snapshot anywhere: a change has arrived
_GENERATION, _PUBLISHED = "midonet_topology_generation", "midonet_topology_published_timestamp_seconds"


@dataclass(frozen=True)
class Size:
    """What is measured."""

    agents: int
    ports: int
    servers: int = 3
    heap: int = 4096  # megabytes of each server
    data: Path | None = None  # where the servers keep their files; None: the run folder
    changes: int = 20  # of each kind
    at_once: int = 50  # agents that start at the same time, at most
    unused: int = 0  # bridges in the store that no agent uses
    name: str = "scale"  # of the cloud


@dataclass(frozen=True)
class Reached:
    """How a kind of change reached the agents."""

    agents: int  # that have to know of it
    woken: float  # that published a new snapshot, of all; the mean over the changes
    watches: float  # that fired at the servers, of all; the mean over the changes
    p50: float  # milliseconds from before the request to a snapshot, over changes and agents
    p99: float
    last: float  # milliseconds until the last agent, the median over the changes


class ScaleLab(Lab):
    """A cloud of hosts without machines. The API is in the namespace of the ensemble: no door is on its way."""

    def __init__(self, size: Size) -> None:
        hosts = [f"h{number}" for number in range(1, size.agents + 1)]
        super().__init__(Cloud(size.name, "vxlan", hosts, [], [], zookeepers=size.servers, underlay="198.18.0.0/15",
                               agent_settings={"agent.datapath": "fake", "log.level": "warn"}))
        self.size = size
        self.tuning = zookeeper.large(size.heap)
        if size.data is not None:
            self.state.folders = [str(size.data / f"midonet-lab-{self.cloud.name}")]

    @property
    def nsdb_folder(self) -> Path:
        return Path(self.state.folders[0]) if self.state.folders else super().nsdb_folder

    @property
    def api(self) -> Api:
        if self._api is None:
            self._api = Api(self.state.api_url, namespace=self.namespace(nsdb_node(1)))
        return self._api

    def _build(self) -> None:
        network.build(self.cloud)
        self._join_by_routes()
        self._add_interfaces()
        for host in self.cloud.hosts:
            self._write_host_id(host)
        for number in self._server_numbers():
            self.start_server(number)
        self.wait_servers()

    def _join_by_routes(self) -> None:
        """Hosts reach each other through a router, the namespace of the first server, which need not forward anything: agents look for the way
        to each peer, and the kernel has room for some thousand neighbours, of all namespaces together."""
        servers = list(self.cloud.servers().values())
        length = ipaddress.ip_network(self.cloud.underlay).prefixlen
        for host in self.cloud.hosts:
            address = self.cloud.host_address(host)
            namespaces.batch([f"addr del {address}/{length} dev eth0", f"addr add {address}/32 dev eth0",
                              *(f"route add {server} dev eth0" for server in servers),
                              f"route add default via {servers[0]} dev eth0"], self.namespace(host))

    def _add_interfaces(self) -> None:
        apart = {host: [tenants.INTERFACE] for host in tenants.wide_hosts(self.cloud)}
        apart[self.cloud.hosts[0]].append(tenants.LONE_INTERFACE)
        for host, names in apart.items():
            namespaces.batch((f"link add {name} up type veth peer name {name}-end" for name in names), self.namespace(host))
            namespaces.batch((f"link set {name}-end up" for name in names), self.namespace(host))

    def _write_host_id(self, host: str) -> None:
        folder = self.folder / "hosts" / host
        folder.mkdir(parents=True)
        (folder / "host_id").write_text(f"host_uuid={tenants.id_of(host)}\n", encoding="ascii")

    def load(self) -> None:
        """Fills the store."""
        file = self.nsdb_folder / "dump"
        with file.open("w", encoding="ascii") as out:
            out.writelines(tenants.dump(self.cloud, self.size.ports, self.size.unused))
        command = [str(program_folder() / "midonet-nsdb"), *set_words(self.nsdb_settings()), "load", str(file)]
        done = subprocess.run(namespaces.exec_command(self.namespace(nsdb_node(1)), command), capture_output=True, text=True, check=False)
        file.unlink()
        if done.returncode:
            raise LabError(f"the store cannot be loaded: {done.stderr.strip()}")

    def start_api(self) -> Process:
        settings = {**self.nsdb_settings(), "api.listen": "127.0.0.1:8080"}
        command = [str(program_folder() / "midonet-api"), *set_words(settings)]
        process, logs, offset = self._spawn("api", namespaces.exec_command(self.namespace(nsdb_node(1)), command))
        line = processes.ready_line(process, logs, offset, "midonet-api", 60)
        self.state.api_url = next(word for word in line.split() if word.startswith("http"))
        self.state.save()
        return process

    def start_agents(self, seconds: float = 900.0) -> list[float]:
        """Starts all of them; seconds from the start of each process to its ready line, ordered."""
        waiting = list(reversed(self.cloud.hosts))
        started: dict[str, float] = {}
        took: dict[str, float] = {}

        def all_ready() -> bool:
            while waiting and len(started) - len(took) < self.size.at_once:
                host = waiting.pop()
                started[host] = time.time()
                self.start_agent(host, wait=False)
            for host in started.keys() - took.keys():
                self._agent_must_live(host)
                written = self.logs(f"agent:{host}").out.stat()
                if written.st_size > 0:  # nothing but the ready line is written there
                    took[host] = written.st_mtime - started[host]
            return len(took) == len(self.cloud.hosts)

        wait_until(all_ready, "every agent to be ready", seconds, 0.2)
        return sorted(took.values())

    def restart_agent(self, host: str) -> float:
        """Seconds from the start of the process to its ready line, while no other agent starts."""
        self.process(f"agent:{host}").stop()
        begin = time.monotonic()
        self.start_agent(host)
        return time.monotonic() - begin

    def values(self, hosts: Sequence[str]) -> dict[str, dict[str, float]]:
        """The metrics of the agents of these hosts."""
        return {host: self.metrics(host) for host in hosts}

    def wait_quiet(self, hosts: Sequence[str], seconds: float = 300.0) -> dict[str, dict[str, float]]:
        """Waits until no agent of these hosts publishes snapshots any more; returns their metrics."""
        before = self.values(hosts)

        def quiet() -> bool:
            nonlocal before
            time.sleep(_QUIET)
            now = self.values(hosts)
            same = all(now[host][_GENERATION] == before[host][_GENERATION] for host in hosts)
            before = now
            return same

        wait_until(quiet, "the agents to come to rest", seconds)
        return before

    def server_counters(self) -> dict[str, float]:
        """The numbers of all servers, added up."""
        total: dict[str, float] = {}
        for number in self._server_numbers():
            for name, value in zookeeper.counters(self._nsdb_socket(number)).items():
                total[name] = total.get(name, 0.0) + value
        return total


def run(size: Size, say: Callable[[str], None]) -> dict[str, Any]:
    """Brings everything up, measures, removes it. The figures, as they are printed with --json."""
    with running(size) as lab:
        figures: dict[str, Any] = {"agents": size.agents, "ports": size.ports, "unused": size.unused, "servers": size.servers}
        say(f"{size.servers} servers are up, loading {size.ports:,} ports")
        figures["load_seconds"] = _timed(lab.load)
        figures["znodes"] = lab.server_counters()["zk_znode_count"] / size.servers
        say(f"loaded after {figures['load_seconds']:.1f} s, starting {size.agents} agents")
        lab.start_api()
        figures.update(_start(lab))
        figures["alone_ready_seconds"] = statistics.median(lab.restart_agent(lab.cloud.hosts[-1]) for _ in range(5))
        lab.wait_quiet(lab.cloud.hosts)
        say("all are ready, changing things")
        figures["wide_rule"] = asdict(spread(lab, tenants.wide_hosts(lab.cloud), _rule_changes(lab, "wide")))
        figures["wide_binding"] = asdict(spread(lab, tenants.wide_hosts(lab.cloud), bindings(lab)))
        figures["lone_rule"] = asdict(spread(lab, lab.cloud.hosts[:1], _rule_changes(lab, "lone")))
        figures.update(_weigh(lab))
        return figures


@contextmanager
def running(size: Size) -> Iterator[ScaleLab]:
    """A lab with its servers up, that is there within the `with` block."""
    lab = ScaleLab(size)
    lab.up(owned=True)
    try:
        yield lab
    finally:
        lab.down()


def _start(lab: ScaleLab) -> dict[str, Any]:
    servers = [lab.process(f"zookeeper:{number}").pid for number in lab._server_numbers()]
    before = sum(_cpu_seconds(pid) for pid in servers)
    begin = time.monotonic()
    times = lab.start_agents()
    all_ready = time.monotonic() - begin
    ready_cpu = sum(_cpu_seconds(pid) for pid in servers) - before
    lab.wait_quiet(lab.cloud.hosts)
    agents = [_cpu_seconds(lab.process(f"agent:{host}").pid) for host in lab.cloud.hosts]
    return {"first_ready_seconds": times[0], "median_ready_seconds": statistics.median(times), "last_ready_seconds": times[-1], "all_ready_seconds": all_ready,
            "start_servers_cpu_seconds": ready_cpu, "start_agent_cpu_seconds": statistics.median(agents)}


Change = Callable[[], None]


def _rule_changes(lab: ScaleLab, bridge: str) -> list[Change]:
    """The rule of a bridge's chain again and again: a new one in front."""
    chain = tenants.id_of(f"{bridge}/chain")

    def change() -> None:
        lab.api.create(f"/chains/{chain}/rules", {"type": "drop", "position": 1, "nwProto": 17})

    return [change] * lab.size.changes


def bindings(lab: ScaleLab) -> list[Change]:
    """For spread(): the port of a host on the wide bridge is taken from it and given back, in turns."""
    host = tenants.wide_hosts(lab.cloud)[-1]
    host_id, port_id = tenants.id_of(host), tenants.id_of(f"wide/{host}")
    return [lambda: lab.api.unbind(host_id, port_id), lambda: lab.api.bind(host_id, port_id, tenants.INTERFACE)] * (lab.size.changes // 2)


def spread(lab: ScaleLab, concerned: Sequence[str], changes: list[Change]) -> Reached:
    """Makes the changes one after the other, and measures how each reaches the hosts that it concerns."""
    everybody = lab.cloud.hosts
    before = lab.wait_quiet(everybody)
    fired = _fired(lab)
    times: list[float] = []
    last: list[float] = []
    for change in changes:
        earlier = lab.values(concerned)
        begin = time.time()
        change()
        lab.wait_quiet(concerned)
        now = lab.values(concerned)
        late = [host for host in concerned if now[host][_GENERATION] == earlier[host][_GENERATION]]
        if late:
            raise LabError(f"a change did not reach {', '.join(late)}")
        took = [(now[host][_PUBLISHED] - begin) * 1e3 for host in concerned]
        times += took
        last.append(max(took))
    after = lab.values(everybody)
    woken = [host for host in everybody if after[host][_GENERATION] != before[host][_GENERATION]]
    times.sort()
    return Reached(len(concerned), len(woken), (_fired(lab) - fired) / len(changes), statistics.median(times),
                   times[len(times) * 99 // 100], statistics.median(last))


def _fired(lab: ScaleLab) -> float:
    counters = lab.server_counters()
    kinds = ("created", "deleted", "changed", "children")
    return sum(counters.get(f"zk_sum_node_{kind}_watch_count", 0.0) for kind in kinds)


def _weigh(lab: ScaleLab) -> dict[str, Any]:
    agents = [_memory(lab.process(f"agent:{host}").pid) for host in lab.cloud.hosts]
    servers = [lab.process(f"zookeeper:{number}").pid for number in lab._server_numbers()]
    watched = [values["midonet_nsdb_watches"] for values in lab.values(lab.cloud.hosts).values()]
    return {"agent_pss_mb": statistics.median(pss for pss, _ in agents), "agent_pss_mb_max": max(pss for pss, _ in agents),
            "agent_rss_mb": statistics.median(rss for _, rss in agents), "agent_rss_mb_max": max(rss for _, rss in agents),
            "agent_watches": statistics.median(watched), "server_rss_mb": max(_memory(pid)[1] for pid in servers),
            "server_watches": lab.server_counters()["zk_watch_count"], "server_cpu_seconds": sum(_cpu_seconds(pid) for pid in servers)}


def _memory(pid: int) -> tuple[float, float]:
    """Megabytes of a process: its share of what it has in common with others counted (PSS), and all of it (RSS)."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    values = {line.split(":")[0]: int(line.split()[1]) * 1024 / 1e6 for line in lines[1:]}
    return values["Pss"], values["Rss"]


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def _timed(action: Callable[[], object]) -> float:
    begin = time.monotonic()
    action()
    return time.monotonic() - begin


def report(figures: dict[str, Any]) -> str:
    """The figures as a table."""
    rows = [["store", f"{figures['ports']:,} ports, {figures['unused']:,} unused bridges, {figures['znodes']:,.0f} znodes on {figures['servers']} servers, "
                      f"loaded in {figures['load_seconds']:.1f} s"],
            ["agents ready", f"{figures['agents']}: first {figures['first_ready_seconds']:.2f} s, median "
                             f"{figures['median_ready_seconds']:.2f} s, last {figures['last_ready_seconds']:.2f} s after their start, all after "
                             f"{figures['all_ready_seconds']:.1f} s"],
            ["an agent alone", f"ready {figures['alone_ready_seconds']:.2f} s after its start"],
            ["processor", f"an agent {figures['start_agent_cpu_seconds']:.2f} s to start; the servers "
                          f"{figures['start_servers_cpu_seconds']:.1f} s meanwhile, {figures['server_cpu_seconds']:.1f} s in all"]]
    for key, what in (("wide_rule", "rule of a shared bridge"), ("wide_binding", "binding on a shared bridge"),
                      ("lone_rule", "rule of a bridge of one host")):
        one = figures[key]
        rows.append([what, f"at {one['agents']} agents: p50 {one['p50']:.1f} ms, p99 {one['p99']:.1f} ms, last {one['last']:.1f} ms; "
                           f"{one['woken']:.0f} woken, {one['watches']:.1f} watches fired"])
    rows += [["memory of an agent", f"PSS {figures['agent_pss_mb']:.1f} MB (most {figures['agent_pss_mb_max']:.1f}), RSS "
                                    f"{figures['agent_rss_mb']:.1f} MB (most {figures['agent_rss_mb_max']:.1f}); "
                                    f"{figures['agent_watches']:,.0f} watches"],
             ["memory of a server", f"RSS {figures['server_rss_mb']:,.0f} MB at most; {figures['server_watches']:,.0f} watches at all"]]
    return table.render(["what", "measured"], rows)
