"""Traffic that runs beside a test: a steady ping that records losses, servers that say who they are, the frame generator."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import select
import selectors
import socket
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from midonet_lab import checks, namespaces
from midonet_lab.checks import Ping
from midonet_lab.lab import Lab
from midonet_lab.waiting import wait_until

_IP_MTU, _IP_MTU_DISCOVER, _PMTUDISC_DO, _IP_RECVERR = 14, 10, 2, 11
_UNREACHABLE = 3  # the type of an ICMP error


class SteadyPing:
    """Pings every few milliseconds in a thread, as one flow; `longest_gap` tells how long nothing came back, `unanswered`
    how many have had no answer yet."""

    def __init__(self, ping: Ping, interval: float = 0.01) -> None:
        self._ping = ping
        self._echo = checks.EchoSocket(ping.namespace, ping.version)
        self._interval = interval
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.sent = 0
        self.answered_at: list[float] = []
        self._thread.start()

    def stop(self) -> list[float]:
        """Ends it; returns the moments (time.monotonic) of the answers."""
        self._stopped.set()
        self._thread.join()
        self._echo.socket.close()
        return self.answered_at

    @property
    def unanswered(self) -> int:
        """Pings that are lost, and the one that may be under way."""
        return self.sent - len(self.answered_at)

    def __enter__(self) -> "SteadyPing":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def longest_gap(self, begin: float, end: float) -> float:
        """The longest time without an answer between the two moments."""
        moments = [begin, *(moment for moment in self.answered_at if begin < moment < end), end]
        return max(later - earlier for earlier, later in zip(moments, moments[1:]))

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._echo.send(self._ping)
            self.sent += 1
            if select.select([self._echo.socket], [], [], 0.1)[0]:
                self.answered_at += [time.monotonic()] * len(self._echo.receive())
            self._stopped.wait(self._interval)


class SteadyUdp:
    """Asks one of the `Greeters` every few milliseconds, always from the same port: one flow there and one back."""

    def __init__(self, namespace: str, address: str, port: int, interval: float = 0.01) -> None:
        self._socket = namespaces.open_socket(namespace, socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.connect((address, port))
        self._socket.settimeout(interval)
        self._interval = interval
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.answers: list[tuple[float, str]] = []  # the moment (time.monotonic), and the server's name
        self._thread.start()

    def __enter__(self) -> "SteadyUdp":
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()
        self._socket.close()

    def servers(self, since: float) -> list[str]:
        """Who answered since the moment, one after the other."""
        return [server for moment, server in list(self.answers) if moment > since]

    def _run(self) -> None:
        while not self._stopped.wait(self._interval):
            # An ICMP error of an earlier packet, or silence so far.
            with contextlib.suppress(OSError):
                self._socket.send(b"who?")
                self.answers.append((time.monotonic(), Greeting.parse(self._socket.recv(2048)).server))


class Bystanders:
    """Many UDP flows to one of the `Greeters`, each from a port of its own, that nothing done meanwhile should touch."""

    def __init__(self, namespace: str, address: str, port: int, count: int) -> None:
        self._sockets = [namespaces.open_socket(namespace, socket.AF_INET, socket.SOCK_DGRAM) for _ in range(count)]
        for asking in self._sockets:
            asking.connect((address, port))
            asking.settimeout(0.5)

    def __enter__(self) -> "Bystanders":
        return self

    def __exit__(self, *_: object) -> None:
        for asking in self._sockets:
            asking.close()

    def answered(self) -> int:
        """Each asks, a second time if need be; how many were answered."""
        return sum(any(self._ask(asking) for _ in range(2)) for asking in self._sockets)

    @staticmethod
    def _ask(asking: socket.socket) -> bool:
        try:
            asking.send(b"who?")
            return bool(asking.recv(2048))
        except OSError:
            return False


@dataclass(frozen=True)
class Greeting:
    """What a server said of itself and of its client."""

    server: str  # name of the machine
    client: str  # the address it saw
    port: int    # and the port

    @staticmethod
    def parse(text: bytes) -> "Greeting":
        """The inverse of what `Greeters` send."""
        server, client, port = text.decode().split()
        return Greeting(server, client, int(port))


class Greeters:
    """Servers on the same TCP and UDP port of many machines, in one thread: each greets, and echoes what it is sent by TCP."""

    def __init__(self, lab: Lab, machines: list[str], *ports: int) -> None:
        self._selector = selectors.DefaultSelector()
        self._wake, self._woken = socket.socketpair()
        self._selector.register(self._woken, selectors.EVENT_READ, self._end)
        self._running = True
        for machine in machines:
            for port in ports:
                self._listen(lab.namespace(machine), machine, port)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def __enter__(self) -> "Greeters":
        return self

    def __exit__(self, *_: object) -> None:
        self._wake.send(b"x")
        self._thread.join()
        for key in list(self._selector.get_map().values()):
            key.fileobj.close()
        self._wake.close()
        self._selector.close()

    def _listen(self, namespace: str, machine: str, port: int) -> None:
        for kind, ready in ((socket.SOCK_STREAM, self._accept), (socket.SOCK_DGRAM, self._answer)):
            server = namespaces.open_socket(namespace, socket.AF_INET, kind)
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            server.bind(("", port))
            if kind == socket.SOCK_STREAM:
                server.listen(64)
            server.setblocking(False)
            self._selector.register(server, selectors.EVENT_READ, lambda s, ready=ready: ready(s, machine))

    def _serve(self) -> None:
        while self._running:
            for key, _ in self._selector.select():
                with contextlib.suppress(BlockingIOError):
                    key.data(key.fileobj)

    def _end(self, _: socket.socket) -> None:
        self._running = False

    def _accept(self, server: socket.socket, machine: str) -> None:
        connection, client = server.accept()
        connection.setblocking(False)
        connection.send(_greeting(machine, client))
        self._selector.register(connection, selectors.EVENT_READ, self._echo)

    def _answer(self, server: socket.socket, machine: str) -> None:
        _, client = server.recvfrom(2048)
        server.sendto(_greeting(machine, client), client)

    def _echo(self, connection: socket.socket) -> None:
        try:
            data = connection.recv(65536)
            if data:
                connection.send(data)
                return
        except ConnectionError:
            pass
        self._selector.unregister(connection)
        connection.close()


def _greeting(machine: str, client: tuple[str, int]) -> bytes:
    return f"{machine} {client[0]} {client[1]}\n".encode()


class Caller:
    """A TCP connection to one of the `Greeters`, already greeted; OSError when it does not come about."""

    def __init__(self, namespace: str, address: str, port: int, seconds: float = 5.0, source_port: int = 0) -> None:
        self.socket = namespaces.open_socket(namespace, socket.AF_INET, socket.SOCK_STREAM)
        try:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.socket.bind(("", source_port))
            self.socket.settimeout(seconds)
            self.socket.connect((address, port))
            self.greeting = Greeting.parse(self._receive_line())
        except OSError:
            self.socket.close()
            raise

    def __enter__(self) -> "Caller":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def echo(self, size: int = 1000) -> bool:
        """Sends some bytes and takes them back: were they the same?"""
        data = os.urandom(size // 2).hex().encode() + b"\n"
        self.socket.sendall(data)
        return self._receive_line() == data

    def _receive_line(self) -> bytes:
        line = b""
        while not line.endswith(b"\n"):
            data = self.socket.recv(65536)
            if not data:
                raise ConnectionResetError(errno.ECONNRESET, "the server closed the connection")
            line += data
        return line


def keeps_echoing(caller: Caller, what: str) -> None:
    """Fails naming `what` unless everything sent comes back; OSError when nothing does."""
    for number in range(10):
        assert caller.echo(), f"{what}: echo {number}"


def greet_tcp(namespace: str, address: str, port: int, seconds: float = 5.0) -> Greeting | None:
    """Who answers a TCP connection; None when nobody does in time."""
    try:
        with Caller(namespace, address, port, seconds) as caller:
            return caller.greeting if caller.echo() else None
    except OSError:
        return None


def greet_udp(namespace: str, address: str, port: int, seconds: float = 5.0, size: int = 4) -> Greeting | None:
    """Who answers a UDP packet of so many bytes, asked again every quarter of a second; None when nobody does in time."""
    deadline = time.monotonic() + seconds
    with namespaces.open_socket(namespace, socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.connect((address, port))
        asking.settimeout(0.25)
        while time.monotonic() < deadline:
            # An ICMP error of an earlier packet, or silence so far.
            with contextlib.suppress(OSError):
                asking.send(b"?" * size)
                return Greeting.parse(asking.recv(2048))
    return None


def path_mtu(namespace: str, address: str) -> int:
    """The MTU towards an address as the kernel of a machine knows it: of the interface, or of an ICMP error it was told."""
    with namespaces.open_socket(namespace, socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.setsockopt(socket.IPPROTO_IP, _IP_MTU_DISCOVER, _PMTUDISC_DO)
        asking.connect((address, 9))
        return asking.getsockopt(socket.IPPROTO_IP, _IP_MTU)


def traceroute(namespace: str, address: str, most: int = 8) -> list[str]:
    """Who tells, by ICMP, that a UDP packet ended there: one for each hop, up to the machine of the address."""
    hops = []
    with namespaces.open_socket(namespace, socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)
        probe.setblocking(False)
        for ttl in range(1, most + 1):
            probe.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)
            kind, teller = wait_until(lambda: _told(probe, address), f"an answer of hop {ttl} to {address}", 5.0, 0.25)
            hops.append(teller)
            if kind == _UNREACHABLE:
                break
    return hops


def _told(probe: socket.socket, address: str) -> tuple[int, str] | None:
    """Sends a probe and takes one ICMP error of it or of an earlier one: its type, and who sent it."""
    with contextlib.suppress(OSError):
        probe.sendto(b"probe", (address, 33434))
    if not select.select([probe], [], [], 0.25)[0]:
        return None
    _, ancillary, _, _ = probe.recvmsg(512, 512, socket.MSG_ERRQUEUE)
    data = next(data for level, kind, data in ancillary if (level, kind) == (socket.IPPROTO_IP, _IP_RECVERR))
    # struct sock_extended_err, then the sockaddr_in of the sender.
    return data[5], socket.inet_ntoa(data[20:24])


def frames_passed(namespace: str, interface: str) -> tuple[int, int]:
    """Frames that an interface has received and sent."""
    with namespaces.entered(namespace):
        lines = Path("/proc/thread-self/net/dev").read_text(encoding="ascii").splitlines()
    counts = next(line.partition(":")[2].split() for line in lines if line.strip().startswith(f"{interface}:"))
    return int(counts[1]), int(counts[9])


class Blast:
    """The frame generator, running in a namespace for a bounded time."""

    def __init__(self, program: Path, namespace: str, source: str, target: str, mode: str, rate: int, seconds: float) -> None:
        self._process = subprocess.Popen([program, namespace, "eth0", source, target, mode, str(rate), str(seconds)],
                                         stdout=subprocess.PIPE, text=True)

    def running(self) -> bool:
        """Still sending."""
        return self._process.poll() is None

    def result(self) -> dict[str, float]:
        """Waits for the end: {"sent", "pps"}."""
        output, _ = self._process.communicate(timeout=60)
        assert self._process.returncode == 0, "frameblast failed"
        return json.loads(output)

    def stop(self) -> None:
        """Ends it early."""
        self._process.kill()
        self._process.wait()
