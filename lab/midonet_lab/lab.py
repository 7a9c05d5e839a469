"""A running cloud: the real programs in the namespaces of `network`, and the virtual topology made through REST."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any, Sequence

from . import cleanup, namespaces, network, processes, zookeeper
from .api import Api, agent_page, parse_metrics
from .cloud import Cloud, Machine, nsdb_node
from .errors import LabError
from .processes import Logs, Process
from .state import State, locked
from .waiting import wait_until

PROGRAMS = ("midonet-api", "midolman")
_SOURCE = Path(__file__).resolve().parent.parent


def program_folder() -> Path:
    """Where the programs are: $MIDONET_BIN, else the release build beside the lab."""
    configured = os.environ.get("MIDONET_BIN")
    return Path(configured).resolve() if configured else _SOURCE.parent / "build/release/bin"


def preflight() -> None:
    """LabError with the fix when this machine cannot carry a lab."""
    if os.geteuid() != 0:
        raise LabError("the lab makes network namespaces and needs root: run it with sudo")
    if shutil.which("ip") is None:
        raise LabError("the command 'ip' is missing: apt-get install iproute2")
    folder = program_folder()
    for name in PROGRAMS:
        if not os.access(folder / name, os.X_OK):
            raise LabError(f"there is no {name} in {folder}: build it (make build), or set MIDONET_BIN to its folder")


class Lab:
    """One cloud. `up` builds it whole; the other calls break and mend parts of it (tests do)."""

    tuning = zookeeper.Tuning()  # of the servers of an ensemble

    def __init__(self, cloud: Cloud, state: State | None = None) -> None:
        self.cloud = cloud
        self.state = state or State(cloud.name, cloud.to_dict())
        self.folder = self.state.folder
        self._api: Api | None = None
        self._offsets: dict[str, int] = {}  # where in a daemon's stdout file its present run begins

    @staticmethod
    def attach(state: State) -> "Lab":
        """The lab of a cloud that an earlier command brought up."""
        return Lab(state.parsed_cloud(), state)

    # Whole cloud

    def up(self, owned: bool = False) -> None:
        """Brings everything up and returns once every port is active; on failure nothing is left.

        With `owned` this process promises to take the cloud down: after its death the next `up` may clean up.
        """
        preflight()
        if self.cloud.zookeepers:
            zookeeper.preflight()
        with locked(self.cloud.name):
            cleanup.take_over(self.cloud.name)
            own = Process.of(os.getpid())
            self.state.owner = asdict(own) if own else None
            self.state.namespaces = network.all_namespaces(self.cloud)
            self.state.mounts = [str(self.folder / "bpf")]
            self.state.save()
            try:
                self._build()
            except LabError as error:
                said = self._last_words()
                cleanup.remove(self.cloud.name)
                raise LabError(f"{error}{said}") from error
            except BaseException:
                cleanup.remove(self.cloud.name)
                raise
            self.state.phase = "up"
            if not owned:
                self.state.owner = None
            self.state.save()

    def down(self) -> None:
        """Removes everything; fine when nothing is there."""
        if self._api is not None:
            self._api.close()
        with locked(self.cloud.name):
            cleanup.remove(self.cloud.name)

    def _build(self) -> None:
        cleanup.mount_bpffs(self.folder / "bpf")
        network.build(self.cloud)
        if self.cloud.zookeepers:
            self._start_nsdb()
        self.start_api()
        for machine in self.cloud.machines:
            if machine.kind == "tap":
                self.start_relay(machine)
        for host in self.cloud.hosts:
            self.start_agent(host, wait=False)
        self.create_topology()
        for host in self.cloud.hosts:
            self.wait_agent(host)
        self.wait_active([machine.name for machine in self.cloud.machines])

    # The API server

    @property
    def api(self) -> Api:
        """The client of this cloud's API."""
        if self._api is None or self._api.url != self.state.api_url:
            self._api = Api(self.state.api_url)
        return self._api

    def start_api(self) -> Process:
        """Starts the API server and waits for it; started again it listens where it did before."""
        listen = self.state.api_url.removeprefix("http://").partition("/")[0] or "127.0.0.1:0"
        process, self.state.api_url = self._spawn_api("api", {"api.listen": listen})
        self.state.save()
        return process

    def start_other_api(self, servers: Sequence[int] = ()) -> Api:
        """Starts another API server of the cloud, the daemon `api:other`, which knows these servers of the ensemble, or all."""
        settings = {"api.listen": "127.0.0.1:0"}
        if servers:
            doors = self._door_addresses().split(",")
            settings["zookeeper.hosts"] = ",".join(doors[number - 1] for number in servers)
        return Api(self._spawn_api("api:other", settings)[1])

    def _spawn_api(self, key: str, settings: dict[str, str]) -> tuple[Process, str]:
        """An API server that is ready, and its URL."""
        merged = {**self.nsdb_settings(outside=True), **self.cloud.api_settings, **settings}
        process, logs, offset = self._spawn(key, [str(program_folder() / "midonet-api"), *set_words(merged)])
        line = processes.ready_line(process, logs, offset, "midonet-api")
        url = next((word for word in line.split() if word.startswith("http")), "")
        if not url:
            raise LabError(f"midonet-api's ready line names no address: '{line}'")
        return process, url

    # The NSDB

    @property
    def nsdb_folder(self) -> Path:
        """Where the cloud's NSDB is, or the servers of its ensemble keep their files."""
        return self.folder / "nsdb"

    def nsdb_settings(self, outside: bool = False) -> dict[str, str]:
        """The settings of programs that use the cloud's NSDB, in a host's namespace or `outside` of all."""
        if not self.cloud.zookeepers:
            return {"nsdb.backend": "embedded", "nsdb.path": str(self.nsdb_folder)}
        hosts = self._door_addresses() if outside else self._server_addresses()
        return {"nsdb.backend": "zookeeper", "zookeeper.hosts": hosts}

    def start_server(self, number: int, tuning: zookeeper.Tuning | None = None, environment: dict[str, str] | None = None) -> Process:
        """Starts a server of the ensemble, 1 being the first; does not wait until it serves. `tuning`: other than the lab's."""
        addresses = list(self.cloud.servers().values())
        command = ["env", *(f"{name}={value}" for name, value in (environment or {}).items()),
                   *zookeeper.command(self.nsdb_folder / str(number), number, addresses, tuning=tuning or self.tuning)]
        process, _, _ = self._spawn(f"zookeeper:{number}", namespaces.exec_command(self.namespace(nsdb_node(number)), command))
        return process

    def server_modes(self) -> dict[int, str]:
        """What each server of the ensemble is: "leader", "follower", "standalone", or "" when it serves nobody."""
        return {number: zookeeper.mode(self._nsdb_socket(number)) for number in self._server_numbers()}

    def wait_servers(self, seconds: float = 60.0) -> None:
        """Waits until all servers of the ensemble serve."""
        wait_until(lambda: all(self.server_modes().values()), "every ZooKeeper server to serve", seconds)

    def _start_nsdb(self) -> None:
        for number in self._server_numbers():
            self.start_server(number)
        inside = [f"{self.namespace(node)}/127.0.0.1:{zookeeper.CLIENT_PORT}" for node in self.cloud.servers()]
        process, logs, offset = self._spawn("door", self._module("door", *inside))
        processes.ready_line(process, logs, offset, "the door to the ZooKeeper servers")
        self.wait_servers()

    def _nsdb_socket(self, number: int) -> socket.socket:
        return namespaces.open_socket(self.namespace(nsdb_node(number)), socket.AF_INET, socket.SOCK_STREAM)

    def _server_numbers(self) -> range:
        return range(1, self.cloud.zookeepers + 1)

    def _server_addresses(self) -> str:
        return ",".join(f"{address}:{zookeeper.CLIENT_PORT}" for address in self.cloud.servers().values())

    def _door_addresses(self) -> str:
        """The servers' addresses outside of the namespaces."""
        line = processes.ready_line(self.process("door"), self.logs("door"), 0, "the door to the ZooKeeper servers")
        return line.split()[-1]

    # The virtual topology

    def create_topology(self) -> None:
        """Bridges, routers, ports, tunnel zone and bindings of the cloud file; waits for the hosts to register."""
        ids = self.state.ids
        zone = ids["zone"] = self.api.add_zone(f"lab-{self.cloud.name}", self.cloud.zone_type)
        for bridge in self.cloud.bridges:
            ids[f"bridge:{bridge}"] = self.api.add_bridge(bridge)
        for router in self.cloud.routers:
            ids[f"router:{router}"] = self.api.add_router(router)
        for machine in self.cloud.machines:
            ids[f"port:{machine.name}"] = self._add_port(machine)
        for host in self.cloud.hosts:
            ids[f"host:{host}"] = self.wait_host(host)["id"]
            self.api.join_zone(zone, ids[f"host:{host}"], self.cloud.host_address(host))
        for machine in self.cloud.machines:
            self.bind(machine)
        self.state.save()

    def _add_port(self, machine: Machine) -> str:
        device = self.state.ids[machine.device]
        if machine.bridge:
            return self.api.add_bridge_port(device)
        return self.api.add_network(device, f"{machine.gateway}/{machine.ip.partition('/')[2]}")

    def bind(self, machine: Machine) -> None:
        """Binds the machine's port to its interface at its host."""
        self.api.bind(self.state.ids[f"host:{machine.host}"], self.port_id(machine.name), machine.interface)

    def unbind(self, machine: Machine) -> None:
        """Takes the machine's binding back."""
        self.api.unbind(self.state.ids[f"host:{machine.host}"], self.port_id(machine.name))

    def move(self, machine: Machine, host: str) -> None:
        """Moves a machine to another host: its link first, its binding next."""
        self.unbind(machine)
        network.move_veth(self.cloud, machine, host)
        self.state.cloud = self.cloud.to_dict()
        self.state.save()
        self.bind(machine)

    def port_id(self, machine: str) -> str:
        """The id of the machine's virtual port."""
        return self.state.ids[f"port:{machine}"]

    def wait_host(self, host: str, seconds: float = 20.0) -> dict[str, Any]:
        """Waits until the host is registered and alive; returns what the API says of it."""

        def registered() -> dict[str, Any] | None:
            self._agent_must_live(host)
            found = self.api.hosts().get(host)
            return found if found and found["alive"] else None

        return wait_until(registered, f"host {host} to show up alive in GET /hosts", seconds)

    def wait_active(self, machines: list[str], active: bool = True, seconds: float = 20.0) -> None:
        """Waits until the ports of the machines are (or are not) active."""
        waiting = {self.port_id(name): name for name in machines}

        def done() -> bool:
            for port in self.api.get("/ports"):
                if port["id"] in waiting and port["active"] == active:
                    del waiting[port["id"]]
            return not waiting

        try:
            wait_until(done, "", seconds)
        except LabError as error:
            names = ", ".join(sorted(waiting.values()))
            word = "active" if active else "inactive"
            raise LabError(f"after {seconds:g} s the ports of {names} are not {word}; see midonet-lab logs") from error

    # Agents and relays

    def start_agent(self, host: str, wait: bool = True, settings: dict[str, str] | None = None) -> Process:
        """Starts the agent of a host; with `wait` returns once it says it is ready."""
        for folder in ("hosts", "bpf"):
            (self.folder / folder / host).mkdir(parents=True, exist_ok=True)
        command = [str(program_folder() / "midolman"), *set_words({**self.agent_settings(host), **(settings or {})})]
        process, _, _ = self._spawn(f"agent:{host}", namespaces.exec_command(self.namespace(host), command))
        if wait:
            self.wait_agent(host)
        return process

    def agent_settings(self, host: str) -> dict[str, str]:
        """The settings of the host's agent."""
        private = self.folder / "hosts" / host
        return {**self.nsdb_settings(), "agent.host_id_file": str(private / "host_id"),
                "agent.state_file": str(private / "connections"), "agent.trace_log": str(private / "mm-trace.log"), "nsdb.session_file": str(private / "session"),
                "agent.host_name": host, "agent.bpffs": str(self.folder / "bpf" / host), "agent.listen": "127.0.0.1:7300",
                "agent.socket": str(private / "agent.sock"), **self.cloud.agent_settings}

    def run_tool(self, host: str, program: str, *words: str, user: int = 0) -> subprocess.CompletedProcess[str]:
        """Runs a tool of the host (mm-ctl, mm-dpctl, mm-meter, mm-trace) there, as another user if asked to."""
        command = [str(program_folder() / program), *set_words(self.agent_settings(host)), *words]
        if user != 0:
            command = ["setpriv", "--reuid", str(user), "--regid", str(user), "--clear-groups", *command]
        return subprocess.run(namespaces.exec_command(self.namespace(host), command), capture_output=True, text=True,
                              timeout=30, check=False)

    def wait_agent(self, host: str) -> str:
        """Waits for the ready line of the host's agent and returns it."""
        key = f"agent:{host}"
        return processes.ready_line(self.process(key), self.logs(key), self.ready_offset(key), f"midolman of {host}")

    def ready_offset(self, key: str) -> int:
        """Where the present run of a daemon begins in its stdout file."""
        return self._offsets.get(key, 0)

    def start_relay(self, machine: Machine) -> Process:
        """Plugs a tap machine in: starts its relay, then configures its interface."""
        key = f"relay:{machine.name}"
        command = self._module("relay", self.namespace(machine.host), machine.interface, self.namespace(machine.name), "eth0",
                               machine.mac, "on" if machine.offload else "off")
        process, logs, offset = self._spawn(key, command)
        processes.ready_line(process, logs, offset, f"the relay of {machine.name}")
        namespaces.batch([f"link set {machine.interface} mtu {machine.mtu} up"], self.namespace(machine.host))
        network.configure_machine(self.cloud, machine)
        return process

    def process(self, key: str) -> Process:
        """A recorded daemon: `api`, `agent:HOST`, `relay:MACHINE`, `zookeeper:NUMBER`, `door`, `api:other`."""
        process = self.state.process(key)
        if process is None:
            raise LabError(f"cloud '{self.cloud.name}' has no daemon '{key}'")
        return process

    def logs(self, key: str) -> Logs:
        """The log files of a daemon."""
        return Logs.of(self.folder, key.replace(":", "-"))

    def metrics(self, host: str) -> dict[str, float]:
        """The metrics of the host's agent."""
        return parse_metrics(agent_page(self.namespace(host), "GET", "/metrics").decode())

    def status(self, host: str) -> dict[str, Any]:
        """The status page of the host's agent."""
        return json.loads(agent_page(self.namespace(host), "GET", "/status"))

    def flush_flows(self, host: str) -> None:
        """Makes the host's agent drop every flow it installed."""
        agent_page(self.namespace(host), "POST", "/flows/flush")

    def namespace(self, node: str) -> str:
        """The namespace of a host or machine."""
        return network.namespace(self.cloud.name, node)

    @staticmethod
    def _module(name: str, *arguments: str) -> list[str]:
        """The command that runs a module of the lab as a daemon."""
        return ["env", f"PYTHONPATH={_SOURCE}", sys.executable, "-m", f"midonet_lab.{name}", *arguments]

    def _spawn(self, key: str, command: list[str]) -> tuple[Process, Logs, int]:
        logs = self.logs(key)
        offset = logs.out.stat().st_size if logs.out.exists() else 0
        self._offsets[key] = offset
        process = processes.spawn(command, self.folder, logs)
        self.state.record(key, process)
        return process, logs, offset

    def _last_words(self) -> str:
        """The end of every log, for the report of a cloud that did not come up: the logs go with it."""
        logs = [(path.stem, path.read_text(errors="replace").splitlines()[-8:])
                for path in sorted((self.folder / "logs").glob("*.log"))]
        return "".join(f"\n--- {name}\n" + "\n".join(lines) for name, lines in logs if lines)

    def _agent_must_live(self, host: str) -> None:
        if not self.process(f"agent:{host}").alive():
            logs = self.logs(f"agent:{host}")
            raise LabError(f"midolman of {host} ended; the end of {logs.err}:\n{logs.tail()}")


def set_words(settings: dict[str, str]) -> list[str]:
    """Settings on the command line of a program."""
    return [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
