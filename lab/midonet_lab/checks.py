"""Proofs that packets pass, or do not: used by the demo and by the system tests.

All of them work with sockets opened inside the namespaces from this one process, are bounded in time and
volume, and return what they saw; judging it is up to the caller.
"""

from __future__ import annotations

import os
import select
import socket
import statistics
import struct
import threading
import time
import zlib
from dataclasses import dataclass
from typing import Iterable

from . import namespaces
from .errors import LabError

_ECHO_REQUEST = {4: 8, 6: 128}
_ECHO_REPLY = {4: 0, 6: 129}
_IP_MTU_DISCOVER, _IPV6_MTU_DISCOVER, _PMTUDISC_DONT, _PMTUDISC_DO = 10, 23, 0, 2
_SO_MAX_PACING_RATE = 47
_RESEND_SECONDS = 0.25
_CONNECT_SECONDS = 5.0


@dataclass(frozen=True)
class Ping:
    """One question of a ping round: can `namespace` reach `address` (IPv4 or IPv6)?"""

    namespace: str
    address: str
    scope: str = ""  # interface, for link-local addresses

    @property
    def version(self) -> int:
        """4 or 6."""
        return 6 if ":" in self.address else 4


def ping_all(pings: Iterable[Ping], seconds: float, size: int = 56, until_answered: bool = True,
             fragment: bool = False) -> dict[Ping, float]:
    """Asks all at once, again every quarter of a second while unanswered; {ping: round trip in seconds} of those answered.

    Without `fragment` packets are sent with "don't fragment". Returns as soon as all answered, at latest after `seconds`; with
    `until_answered` false it stays the whole time, to be sure that nobody answers.
    """
    waiting = set(pings)
    answered: dict[Ping, float] = {}
    sockets: dict[tuple[str, int], EchoSocket] = {}
    try:
        for ping in waiting:
            key = (ping.namespace, ping.version)
            if key not in sockets:
                sockets[key] = EchoSocket(*key, fragment)
        by_descriptor = {echo.socket.fileno(): echo for echo in sockets.values()}
        deadline = time.monotonic() + seconds
        next_send = 0.0
        while (waiting or not until_answered) and time.monotonic() < deadline:
            if time.monotonic() >= next_send:
                next_send = time.monotonic() + _RESEND_SECONDS
                for ping in waiting:
                    sockets[ping.namespace, ping.version].send(ping, size)
            pause = max(0.0, min(next_send, deadline) - time.monotonic())
            for descriptor in select.select(list(by_descriptor), [], [], pause)[0]:
                for ping, seen in by_descriptor[descriptor].receive():
                    if ping in waiting:
                        waiting.discard(ping)
                        answered[ping] = seen
        return answered
    finally:
        for echo in sockets.values():
            echo.socket.close()


def round_trip(ping: Ping, count: int = 20) -> float:
    """The median round trip in seconds of `count` pings, one after the other; LabError when one is lost."""
    samples = []
    for _ in range(count):
        answer = ping_all([ping], 2.0)
        if not answer:
            raise LabError(f"{ping.namespace} lost a ping to {ping.address}")
        samples.append(answer[ping])
    return statistics.median(samples)


class EchoSocket:
    """A raw ICMP socket in a namespace with the questions it asked, all with one identifier."""

    def __init__(self, namespace: str, version: int, fragment: bool = False) -> None:
        family, protocol = ((socket.AF_INET, socket.IPPROTO_ICMP), (socket.AF_INET6, socket.IPPROTO_ICMPV6))[version == 6]
        self.socket = namespaces.open_socket(namespace, family, socket.SOCK_RAW, protocol)
        self.socket.setblocking(False)
        discovery = _PMTUDISC_DONT if fragment else _PMTUDISC_DO
        if version == 4:
            self.socket.setsockopt(socket.IPPROTO_IP, _IP_MTU_DISCOVER, discovery)
        else:
            self.socket.setsockopt(socket.IPPROTO_IPV6, _IPV6_MTU_DISCOVER, discovery)
        self._namespace = namespace
        self._version = version
        self._ident = int.from_bytes(os.urandom(2), "big")
        self._asked: dict[int, tuple[Ping, float]] = {}

    def send(self, ping: Ping, size: int = 56) -> None:
        """Asks once."""
        sequence = (max(self._asked) + 1) & 0xFFFF if self._asked else 1
        body = bytes(i & 0xFF for i in range(size))
        packet = struct.pack("!BBHHH", _ECHO_REQUEST[self._version], 0, 0, self._ident, sequence) + body
        if self._version == 4:
            packet = packet[:2] + struct.pack("!H", _checksum(packet)) + packet[4:]
            target: tuple = (ping.address, 0)
        else:
            scope = 0
            if ping.scope:
                with namespaces.entered(self._namespace):
                    scope = socket.if_nametoindex(ping.scope)
            target = (ping.address, 0, 0, scope)
        self._asked[sequence] = (ping, time.perf_counter())
        try:
            self.socket.sendto(packet, target)
        except OSError:
            # No neighbour answered (EHOSTUNREACH), too big (EMSGSIZE), link down: unanswered, like any other loss.
            pass

    def receive(self) -> list[tuple[Ping, float]]:
        """The answers that have come, with their round trips in seconds."""
        found = []
        while True:
            try:
                packet = self.socket.recv(65536)
            except BlockingIOError:
                return found
            except OSError:
                continue  # an ICMP error that was queued on the socket
            if self._version == 4:
                packet = packet[(packet[0] & 15) * 4:]
            kind, _, _, ident, sequence = struct.unpack_from("!BBHHH", packet)
            if kind == _ECHO_REPLY[self._version] and ident == self._ident and sequence in self._asked:
                ping, sent = self._asked[sequence]
                found.append((ping, time.perf_counter() - sent))


def broadcast(sender: str, listeners: Iterable[str], expected: int, seconds: float = 3.0) -> set[str]:
    """Sends a UDP broadcast out of `sender`'s eth0 and returns which listeners (namespaces) heard it.

    Repeats until `expected` of them did, then listens a little longer for those who should not.
    """
    listeners = list(listeners)
    token = os.urandom(12)
    receivers: dict[int, tuple[str, socket.socket]] = {}
    source = namespaces.open_socket(sender, socket.AF_INET, socket.SOCK_DGRAM)
    try:
        source.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        source.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0")
        for name in listeners:
            receiver = namespaces.open_socket(name, socket.AF_INET, socket.SOCK_DGRAM)
            receiver.bind(("", 4242))
            receivers[receiver.fileno()] = (name, receiver)
        heard: set[str] = set()
        end = time.monotonic() + seconds
        next_send = 0.0
        complete = False
        while time.monotonic() < end:
            if len(heard) >= expected and not complete:
                complete = True
                end = min(end, time.monotonic() + 0.3)
            if not complete and time.monotonic() >= next_send:
                next_send = time.monotonic() + _RESEND_SECONDS
                source.sendto(token, ("255.255.255.255", 4242))
            for descriptor in select.select(list(receivers), [], [], 0.05)[0]:
                name, receiver = receivers[descriptor]
                if receiver.recv(64) == token:
                    heard.add(name)
        return heard
    finally:
        source.close()
        for _, receiver in receivers.values():
            receiver.close()


@dataclass(frozen=True)
class Transfer:
    """What a bounded TCP transfer moved, in how long, and whether it arrived as it was sent."""

    bytes: int
    seconds: float
    intact: bool

    @property
    def gbits(self) -> float:
        """Goodput in Gbit/s."""
        return self.bytes * 8 / self.seconds / 1e9 if self.seconds else 0.0


def tcp_transfer(source: str, target: str, address: str, megabytes: int = 64, seconds: float = 20.0) -> Transfer:
    """Sends random bytes over one TCP connection and compares checksums at both ends."""
    chunk = os.urandom(1 << 20)
    received = bytearray()
    crc, count = 0, 0
    with TcpPair(source, target, address, seconds) as pair:
        def send() -> None:
            try:
                for _ in range(megabytes):
                    pair.client.sendall(chunk)
                pair.client.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # shows as missing bytes

        begin = time.monotonic()
        sender = threading.Thread(target=send, daemon=True)
        sender.start()
        received = bytearray(1 << 20)
        try:
            while size := pair.server.recv_into(received):
                crc = zlib.crc32(memoryview(received)[:size], crc)
                count += size
        except OSError:
            pass  # timed out: shows as missing bytes
        elapsed = time.monotonic() - begin
    sender.join()
    expected = 0
    for _ in range(megabytes):
        expected = zlib.crc32(chunk, expected)
    return Transfer(count, elapsed, count == megabytes << 20 and crc == expected)


def tcp_rate(source: str, target: str, address: str, seconds: float = 1.0) -> float:
    """Gbit/s of one TCP connection that sends as fast as it can for a bounded time."""
    flow = TcpFlow(source, target, address, seconds)
    begin = time.monotonic()
    flow.start()
    flow.join()
    return flow.received * 8 / (time.monotonic() - begin) / 1e9


class TcpPair:
    """A TCP connection between two namespaces, both ends in this process."""

    def __init__(self, source: str, target: str, address: str, timeout: float) -> None:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.client = namespaces.open_socket(source, family, socket.SOCK_STREAM)
        try:
            with namespaces.open_socket(target, family, socket.SOCK_STREAM) as listener:
                listener.bind((address, 0))
                listener.listen(1)
                listener.settimeout(_CONNECT_SECONDS)
                self.client.settimeout(_CONNECT_SECONDS)
                self.client.connect(listener.getsockname()[:2])
                self.server = listener.accept()[0]
        except OSError as error:
            self.client.close()
            raise LabError(f"no TCP connection from {source} to {address}: {error}") from error
        self.client.settimeout(timeout)
        self.server.settimeout(timeout)

    def __enter__(self) -> "TcpPair":
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()
        self.server.close()


class TcpFlow:
    """A TCP stream that runs beside what a test does; `samples` has the bytes received in each whole second.

    `rate` in bit/s lets the kernel pace the sender; without it the stream takes all it can get. Ends by itself
    after `seconds`, or at `stop`.
    """

    def __init__(self, source: str, target: str, address: str, seconds: float, rate: float | None = None) -> None:
        self._pair = TcpPair(source, target, address, 0.2)
        if rate is not None:
            self._pair.client.setsockopt(socket.SOL_SOCKET, _SO_MAX_PACING_RATE, struct.pack("=Q", int(rate / 8)))
        self._seconds = seconds
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=self._send, daemon=True),
                         threading.Thread(target=self._receive, daemon=True)]
        self.received = 0
        self.samples: list[int] = []

    def start(self) -> "TcpFlow":
        """Starts sending."""
        for thread in self._threads:
            thread.start()
        return self

    def stop(self) -> list[int]:
        """Ends the stream and returns the samples."""
        self._stopped.set()
        self.join()
        return self.samples

    def join(self) -> None:
        """Waits for the end."""
        for thread in self._threads:
            thread.join()
        self._pair.__exit__()

    def _send(self) -> None:
        data = memoryview(bytes(1 << 18))
        end = time.monotonic() + self._seconds
        while time.monotonic() < end and not self._stopped.is_set():
            try:
                self._pair.client.send(data)
            except TimeoutError:
                continue  # stalled for now: shows in the samples
            except OSError:
                break
        self._stopped.set()

    def _receive(self) -> None:
        buffer = bytearray(1 << 20)
        next_sample = time.monotonic() + 1.0
        in_second = 0
        while not self._stopped.is_set():
            try:
                size = self._pair.server.recv_into(buffer)
            except TimeoutError:
                size = 0
            except OSError:
                break
            self.received += size
            in_second += size
            now = time.monotonic()
            while now >= next_sample:
                self.samples.append(in_second)
                in_second = 0
                next_sample += 1.0


def _checksum(data: bytes) -> int:
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
