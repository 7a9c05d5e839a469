"""A ping every millisecond until the first answer."""

from __future__ import annotations

import os
import select
import socket
import struct
import threading
import time

from midonet_lab import namespaces
from midonet_lab.errors import LabError

_INTERVAL = 0.001
_ECHO_REQUEST, _ECHO_REPLY = 8, 0


class FirstAnswer:
    """Runs in a thread within the `with` block; `at` is the moment (time.monotonic) of the first answer."""

    def __init__(self, namespace: str, address: str) -> None:
        self.asked = 0
        self.at: float | None = None
        self._target = (address, 0)
        self._ident = int.from_bytes(os.urandom(2), "big")
        self._socket = namespaces.open_socket(namespace, socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        self._socket.setblocking(False)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "FirstAnswer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._socket.close()

    def require_silence(self) -> None:
        """LabError when there was an answer already."""
        if self.at is not None:
            raise LabError(f"{self._target[0]} answers before its port exists")

    def _run(self) -> None:
        next_send = time.monotonic()
        while self.at is None and not self._ended.is_set():
            now = time.monotonic()
            if now >= next_send:
                next_send = now + _INTERVAL
                self._send()
            if select.select([self._socket], [], [], max(0.0, next_send - now))[0] and self._answered():
                self.at = time.monotonic()

    def _send(self) -> None:
        self.asked += 1
        header = struct.pack("!BBHHH", _ECHO_REQUEST, 0, 0, self._ident, self.asked & 0xFFFF)
        total = sum(struct.unpack("!4H", header))
        total = (total & 0xFFFF) + (total >> 16)
        try:
            self._socket.sendto(header[:2] + struct.pack("!H", ~total & 0xFFFF) + header[4:], self._target)
        except OSError:
            pass  # a full queue: the next one is a millisecond away

    def _answered(self) -> bool:
        try:
            packet = self._socket.recv(2048)
        except OSError:
            return False
        kind, _, _, ident, _ = struct.unpack_from("!BBHHH", packet, (packet[0] & 15) * 4)
        return kind == _ECHO_REPLY and ident == self._ident
