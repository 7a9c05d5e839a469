"""The `midonet-lab` command."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType

from . import cleanup, cloud, demo, namespaces, network, scale, state, table
from .api import ApiUnreachable
from .errors import LabError
from .lab import Lab
from .state import State


def main(arguments: list[str] | None = None) -> int:
    """Runs one command; the exit code is 0, 1 for a refusal with a message, 130/143 when interrupted."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    parsed = _parser().parse_args(arguments)
    try:
        return parsed.run(parsed)
    except LabError as error:
        print(f"midonet-lab: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("midonet-lab: interrupted, cleaned up", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _end(number: int, _: FrameType | None) -> None:
    # An exception, so that every `finally` on the way cleans up.
    raise SystemExit(128 + number)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="midonet-lab", description="A whole MidoNet cloud on this machine, in network namespaces.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    up = commands.add_parser("up", help="bring up the cloud that FILE describes")
    up.add_argument("file", type=Path)
    up.set_defaults(run=_up)

    down = commands.add_parser("down", help="remove a cloud, or all of them")
    down.add_argument("name", nargs="?")
    down.add_argument("--all", action="store_true", help="remove every cloud of this machine")
    down.set_defaults(run=_down)

    status = commands.add_parser("status", help="show the clouds, their daemons and ports")
    status.add_argument("name", nargs="?")
    status.set_defaults(run=_status)

    execute = commands.add_parser("exec", help="run a command inside a host or machine")
    execute.add_argument("--cloud")
    execute.add_argument("node", help="a host or a machine")
    execute.add_argument("command", nargs=argparse.REMAINDER, help="default: a shell")
    execute.set_defaults(run=_exec)

    logs = commands.add_parser("logs", help="print the log of a daemon")
    logs.add_argument("--cloud")
    logs.add_argument("-f", "--follow", action="store_true", help="go on printing what is added")
    logs.add_argument("node", nargs="?", help="a host (its agent), a machine (its relay), 'zookeeper:1', or 'api' (the default)")
    logs.set_defaults(run=_logs)

    show = commands.add_parser("demo", help="bring up a cloud of three hosts, prove that it works, remove it")
    show.add_argument("--keep", action="store_true", default=os.environ.get("KEEP", "0") not in ("", "0"),
                      help="leave the cloud up at the end (also: KEEP=1)")
    show.add_argument("--nsdb", help="'embedded' or 'zookeeper(N)', in place of what the demo's cloud file says")
    show.set_defaults(run=lambda parsed: demo.run(keep=parsed.keep, nsdb=parsed.nsdb))

    measure = commands.add_parser("scale", help="start many agents on a large store, measure them, remove all")
    measure.add_argument("--agents", type=int, default=50, help="hosts, each with an agent (default 50)")
    measure.add_argument("--ports", type=int, default=100_000, help="ports of machines in the store (default 100000)")
    measure.add_argument("--unused", type=int, default=0, help="bridges in the store that nobody uses (default 0)")
    measure.add_argument("--servers", type=int, default=3, help="ZooKeeper servers (default 3)")
    measure.add_argument("--heap", type=int, default=4096, help="megabytes of heap of each server (default 4096)")
    measure.add_argument("--data", type=Path, help="folder on the disk that the servers write to (default: the run folder)")
    measure.add_argument("--changes", type=int, default=20, help="changes of each kind (default 20)")
    measure.add_argument("--at-once", type=int, default=50, help="agents that start at the same time, at most (default 50)")
    measure.add_argument("--json", action="store_true", help="print the figures as JSON")
    measure.set_defaults(run=_scale)
    return parser


def _scale(parsed: argparse.Namespace) -> int:
    size = scale.Size(parsed.agents, parsed.ports, parsed.servers, parsed.heap, parsed.data, parsed.changes, parsed.at_once, parsed.unused)
    figures = scale.run(size, lambda text: print(f"scale: {text}", file=sys.stderr, flush=True))
    print(json.dumps(figures, indent=1) if parsed.json else scale.report(figures))
    return 0


def _up(parsed: argparse.Namespace) -> int:
    begin = time.monotonic()
    lab = Lab(cloud.load(parsed.file))
    lab.up()
    print(f"cloud '{lab.cloud.name}' is up after {time.monotonic() - begin:.1f} s: {len(lab.cloud.hosts)} hosts, "
          f"{len(lab.cloud.machines)} machines, API at {lab.state.api_url}")
    return 0


def _down(parsed: argparse.Namespace) -> int:
    if parsed.name and parsed.all:
        raise LabError("give a name or --all, not both")
    if os.geteuid() != 0:
        raise LabError("removing namespaces needs root: run it with sudo")
    names = [parsed.name] if parsed.name else state.recorded_clouds()
    if not parsed.name and not parsed.all and len(names) > 1:
        raise LabError(f"there are several clouds: {', '.join(names)}; name one, or use --all")
    for name in names:
        with state.locked(name):
            cleanup.remove(name)
        print(f"cloud '{name}' is removed")
    return 0


def _status(parsed: argparse.Namespace) -> int:
    names = [parsed.name] if parsed.name else state.recorded_clouds()
    if not names:
        print("no cloud is up; bring one up with: midonet-lab up FILE")
    for name in names:
        _print_status(state.pick(name))
    return 0


def _print_status(known: State) -> None:
    lab = Lab.attach(known)
    print(f"cloud {known.name}: {known.phase}, tunnels {lab.cloud.zone_type}, API {known.api_url or '-'}")
    try:
        active = {port["id"]: port["active"] for port in lab.api.get("/ports")} if known.api_url else {}
    except ApiUnreachable:
        active = {}
    rows = []
    for key in sorted(known.processes):
        process = lab.process(key)
        rows.append([key, "running" if process.alive() else "DEAD", f"pid {process.pid}"])
    for machine in lab.cloud.machines:
        port = active.get(known.ids.get(f"port:{machine.name}", ""))
        word = "unknown" if port is None else "active" if port else "INACTIVE"
        rows.append([f"machine {machine.name}", word,
                     f"{machine.bridge or machine.router} at {machine.host}, {machine.ip}, {machine.mac}, {machine.kind}"])
    print(table.render(["what", "state", "details"], rows))


def _exec(parsed: argparse.Namespace) -> int:
    known = state.pick(parsed.cloud)
    namespace = network.namespace(known.name, parsed.node)
    if namespace not in known.namespaces:
        prefix = network.namespace(known.name, "")
        nodes = ", ".join(name.removeprefix(prefix) for name in known.namespaces)
        raise LabError(f"cloud '{known.name}' has no '{parsed.node}'; it has: {nodes}")
    command = parsed.command[1:] if parsed.command[:1] == ["--"] else parsed.command
    line = namespaces.exec_command(namespace, command or [os.environ.get("SHELL", "/bin/sh")])
    sys.stdout.flush()
    os.execvp(line[0], line)


def _logs(parsed: argparse.Namespace) -> int:
    known = state.pick(parsed.cloud)
    node = parsed.node or "api"
    key = next((k for k in (node, f"agent:{node}", f"relay:{node}") if k in known.processes), None)
    if key is None:
        raise LabError(f"'{node}' has no log; there are: {', '.join(sorted(known.processes))}")
    path = Lab.attach(known).logs(key).err
    with path.open("rb") as file:
        while True:
            if data := file.read(1 << 16):
                sys.stdout.buffer.write(data)
                sys.stdout.flush()
            elif parsed.follow and path.exists():
                time.sleep(0.2)
            else:
                return 0
