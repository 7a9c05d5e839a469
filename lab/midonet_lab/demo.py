"""`midonet-lab demo`: three hosts, two virtual bridges, GRE and then VXLAN, every promise checked and measured."""

from __future__ import annotations

import statistics
import sys
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

from . import checks, cleanup, cloud, state, table
from .checks import Ping
from .cloud import Cloud
from .errors import LabError
from .lab import Lab, preflight

CLOUD_FILE = Path(__file__).resolve().parent.parent / "clouds/demo.toml"


@dataclass
class Result:
    """One line of the table."""

    check: str
    passed: bool
    figure: str


def run(keep: bool = False, nsdb: str | None = None) -> int:
    """Runs the demo and prints its table; 0 when every check passed. `nsdb`: another one than the cloud file's."""
    begin = time.monotonic()
    preflight()
    _clear_kept(CLOUD_FILE)
    failed = 0
    for zone_type in ("gre", "vxlan"):
        description = _changed(CLOUD_FILE, zone={"type": zone_type}, **({"nsdb": nsdb} if nsdb else {}))
        lab = Lab(description)
        started = time.monotonic()
        lab.up(owned=True)
        left_up = False
        try:
            taken = time.monotonic() - started
            print(f"\n{zone_type.upper()} tunnels: {len(description.hosts)} hosts, {len(description.machines)} machines on "
                  f"bridges {' and '.join(description.bridges)}, up in {taken:.1f} s\n", flush=True)
            results = check_cloud(lab)
            print(table.render(["check", "result", "figure"],
                               [[r.check, "ok" if r.passed else "FAILED", r.figure] for r in results]))
            sys.stdout.flush()
            failed += sum(not result.passed for result in results)
            if keep and zone_type == "vxlan":
                lab.state.owner = None
                lab.state.save()
                left_up = True
        finally:
            if not left_up:
                lab.down()
    print(f"\n{'all checks passed' if not failed else f'{failed} checks FAILED'} in {time.monotonic() - begin:.1f} s")
    if keep:
        _print_what_next(lab)
    return 1 if failed else 0


def check_cloud(lab: Lab) -> list[Result]:
    """All checks of one cloud, in the order in which one would try to find a fault."""
    described = lab.cloud
    first = described.machines_of(described.bridges[0])
    sender = first[0]
    same = next(m for m in first[1:] if m.host == sender.host)
    other = next(m for m in first if m.host != sender.host)
    tap = next((m for m in first if m.kind == "tap"), None)
    space = lab.namespace
    results = []

    def check(name: str, action: Callable[[], tuple[bool, str]]) -> None:
        try:
            passed, figure = action()
        except LabError as error:
            passed, figure = False, str(error)
        results.append(Result(name, passed, figure))

    def tcp(target: cloud.Machine) -> Callable[[], tuple[bool, str]]:
        def measure() -> tuple[bool, str]:
            moved = checks.tcp_transfer(space(sender.name), space(target.name), target.address, 8)
            rate = checks.tcp_rate(space(sender.name), space(target.name), target.address, 1.0)
            return moved.intact and rate > 0, f"{rate:.2f} Gbit/s" + ("" if moved.intact else ", data damaged")
        return measure

    def rtt(target: cloud.Machine) -> Callable[[], tuple[bool, str]]:
        def measure() -> tuple[bool, str]:
            return True, f"{checks.round_trip(Ping(space(sender.name), target.address)) * 1e3:.3f} ms"
        return measure

    check("ping, all pairs of each bridge", lambda: _all_pairs(lab, version=4))
    check("ping over IPv6, all pairs of each bridge", lambda: _all_pairs(lab, version=6))
    check("nothing passes between bridges", lambda: _no_pairs(lab))
    check("broadcast", lambda: _broadcast(lab, sender))
    check("ping of the full MTU", lambda: _full_mtu(lab, sender, other))
    check("round trip, same host", rtt(same))
    check("round trip, across hosts", rtt(other))
    check("TCP, same host", tcp(same))
    check("TCP, across hosts", tcp(other))
    if tap is not None:
        check("TCP, to a machine on a tap", tcp(tap))
    return results


def pairs(lab: Lab, version: int, same_bridge: bool = True) -> list[Ping]:
    """A ping for every ordered pair of machines that share a bridge (or do not)."""
    return [Ping(lab.namespace(a.name), b.address if version == 4 else b.address6)
            for a in lab.cloud.machines for b in lab.cloud.machines
            if a is not b and (a.device == b.device) == same_bridge]


def _all_pairs(lab: Lab, version: int) -> tuple[bool, str]:
    wanted = pairs(lab, version)
    answered = checks.ping_all(wanted, 5.0)
    slowest = f", median {statistics.median(answered.values()) * 1e3:.1f} ms with the first packet" if answered else ""
    return len(answered) == len(wanted), f"{len(answered)} of {len(wanted)} pairs{slowest}"


def _no_pairs(lab: Lab) -> tuple[bool, str]:
    wanted = pairs(lab, 4, same_bridge=False)
    answered = checks.ping_all(wanted, 1.0, until_answered=False)
    return not answered, f"{len(answered)} of {len(wanted)} pairs"


def _broadcast(lab: Lab, sender: cloud.Machine) -> tuple[bool, str]:
    listeners = [lab.namespace(m.name) for m in lab.cloud.machines if m is not sender]
    wanted = {lab.namespace(m.name) for m in lab.cloud.machines_of(sender.bridge) if m is not sender}
    heard = checks.broadcast(lab.namespace(sender.name), listeners, len(wanted))
    return heard == wanted, f"seen by {len(heard)} machines, expected {len(wanted)}"


def _full_mtu(lab: Lab, sender: cloud.Machine, target: cloud.Machine) -> tuple[bool, str]:
    answered = checks.ping_all([Ping(lab.namespace(sender.name), target.address)], 3.0, size=sender.mtu - 28)
    return bool(answered), f"{sender.mtu} bytes of IP"


def _changed(path: Path, **changes: Any) -> Cloud:
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    return cloud.parse({**data, **changes})


def _clear_kept(path: Path) -> None:
    name = cloud.load(path).name
    known = state.State.load(name)
    if known is not None and not known.owned_by_living():
        print(f"removing cloud '{name}', which an earlier run left", flush=True)
        with state.locked(name):
            cleanup.remove(name)


def _print_what_next(lab: Lab) -> None:
    tool = Path(sys.argv[0])
    first, *others = lab.cloud.machines
    print(f"""
The cloud stays up. Try:
  {tool} status
  {tool} exec {first.name} ping {others[0].address}
  {tool} exec {lab.cloud.hosts[0]} curl -s http://127.0.0.1:7300/metrics
  curl -s {lab.state.api_url}/bridges
  {tool} logs {lab.cloud.hosts[0]}
and remove it with:
  {tool} down {lab.cloud.name}""")
