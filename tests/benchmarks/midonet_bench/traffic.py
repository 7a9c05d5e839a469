"""Traffic between two namespaces, measured: TCP by iperf3, small packets and round trips by the programs of `tools/`."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from midonet_lab import namespaces
from midonet_lab.errors import LabError
from midonet_lab.waiting import wait_until

from . import REPOSITORY

TOOLS = REPOSITORY / "build/bench/tools"
_SPARE_SECONDS = 15.0
_IPERF_PORT = 5201
CONNECTION_PORTS = range(5910, 5974)


def build_tools() -> None:
    """Compiles the measuring programs; a second time does nothing."""
    command = ["make", "-s", "-C", str(REPOSITORY / "tests/benchmarks/tools"), f"OUT={TOOLS}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LabError(f"the measuring programs do not compile:\n{done.stderr}")


def tcp_gbits(source: str, target: str, address: str, seconds: float, streams: int) -> float:
    """Received Gbit/s of TCP streams that send all they can; sender on CPU 0, receiver on CPU 1."""
    server = subprocess.Popen(namespaces.exec_command(target, ["iperf3", "-s", "-1", "-p", str(_IPERF_PORT)]),
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: _listens(server.pid, _IPERF_PORT), f"iperf3 to listen in {target}", 5)
        affinity = ["-A", "0,1"] if (os.cpu_count() or 1) > 1 else []
        # Whole seconds only: iperf3 takes 0.5 for 0, which is for ever.
        report = _json(namespaces.exec_command(source, ["iperf3", "-J", "-c", address, "-p", str(_IPERF_PORT), "-t", str(max(1, round(seconds))),
                                                        "-P", str(streams), *affinity]), seconds)
        return float(report["end"]["sum_received"]["bits_per_second"]) / 1e9
    finally:
        _end(server)


def packet_rate(source: str, target: str, address: str, seconds: float) -> float:
    """Smallest UDP packets a second that one CPU carries from socket to socket."""
    return float(_json([str(TOOLS / "packetrate"), source, target, address, f"{seconds:g}"], seconds)["pps"])


def round_trip(source: str, target: str, address: str, seconds: float) -> tuple[float, float]:
    """Median and 99th percentile, in microseconds, of the time of a small UDP packet there and back."""
    report = _json([str(TOOLS / "roundtrip"), source, target, address, f"{seconds:g}"], seconds)
    return float(report["us_p50"]), float(report["us_p99"])


@dataclass(frozen=True)
class Connections:
    """New TCP connections: one byte there and back, then RST."""

    rate: float  # a second
    us_p50: float  # of the time from connect to the answer
    us_p99: float
    failed: dict[str, int]  # by kind
    resent: int  # that came about although a packet was lost


def connections(source: str, target: str, address: str, seconds: float) -> Connections:
    """Connections a second to the CONNECTION_PORTS, 32 at a time."""
    report = _json([str(TOOLS / "connectionrate"), "-p", str(len(CONNECTION_PORTS)), source, target, address, f"{seconds:g}"], seconds)
    return Connections(float(report["cps"]), float(report["us_p50"]), float(report["us_p99"]),
                       {kind: int(report[kind]) for kind in ("refused", "timed_out", "broken")}, int(report["resent"]))


@dataclass(frozen=True)
class FirstPacket:
    """Microseconds that the first round trip of a flow takes longer than a warm one, and those of a warm one."""

    us_p50: float
    us_p99: float
    warm_us_p50: float
    tries: int
    lost_first: int  # tries whose first packet, or a later one, or its answer was lost
    lost_later: int


def first_packet(source: str, target: str, address: str, seconds: float) -> FirstPacket:
    """First round trips of small UDP packets, each from a new port."""
    return FirstPacket(**_json([str(TOOLS / "firstpacket"), source, target, address, f"{seconds:g}"], seconds))


@dataclass(frozen=True)
class Frames:
    """What a flood is made of; each is of another flow by what `mode` says: it goes to a new MAC ("targets"), comes
    from one ("sources"), or has another pair of ports ("connections")."""

    source: str  # MACs
    target: str
    mode: str
    addresses: tuple[str, str] | None = None  # IPv4, of source and target; else ones that nobody has


class Blast:
    """Small frames at a steady rate out of a machine's eth0."""

    def __init__(self, namespace: str, frames: Frames, rate: int, seconds: float) -> None:
        self._seconds = seconds
        self._process = subprocess.Popen([str(TOOLS / "frameblast"), namespace, "eth0", frames.source, frames.target, frames.mode, str(rate),
                                          f"{seconds:g}", *(frames.addresses or ())], stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> "Blast":
        return self

    def __exit__(self, *_: object) -> None:
        _end(self._process)

    def running(self) -> bool:
        """Still sending."""
        return self._process.poll() is None

    def result(self) -> dict[str, float]:
        """Waits for the end: {"sent", "pps"}."""
        output, _ = self._process.communicate(timeout=self._seconds + _SPARE_SECONDS)
        if self._process.returncode:
            raise LabError("frameblast failed; see its message above")
        return json.loads(output)


def _json(command: list[str], seconds: float) -> dict[str, Any]:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=seconds * 1.2 + _SPARE_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise LabError(f"no end after {error.timeout:g} s: {' '.join(command)}") from error
    except FileNotFoundError as error:
        raise LabError(f"{error.filename} is missing: run tools/install-dependencies") from error
    if done.returncode:
        raise LabError(f"{' '.join(command)} failed: {(done.stderr or done.stdout).strip()[-400:]}")
    return json.loads(done.stdout)


def _listens(pid: int, port: int) -> bool:
    """The namespace of the process has a TCP listener on the port."""
    for name in ("tcp", "tcp6"):
        try:
            lines = Path(f"/proc/{pid}/net/{name}").read_text(encoding="ascii").splitlines()[1:]
        except OSError:
            continue
        if any(fields[1].endswith(f":{port:04X}") and fields[3] == "0A" for fields in map(str.split, lines)):
            return True
    return False


def _end(process: "subprocess.Popen[Any]") -> None:
    """Ends a child, and waits; nothing to do when it ended by itself."""
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(2)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
