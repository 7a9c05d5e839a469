"""Traffic that runs beside a test: a steady ping with a record of what was lost, and the frame generator."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from pathlib import Path

from midonet_lab import checks
from midonet_lab.checks import Ping


class SteadyPing:
    """Pings every few milliseconds in a thread; `gaps` tells how long nothing came back."""

    def __init__(self, ping: Ping, interval: float = 0.01) -> None:
        self._ping = ping
        self._interval = interval
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.answered_at: list[float] = []
        self._thread.start()

    def stop(self) -> list[float]:
        """Ends it; returns the moments (time.monotonic) of the answers."""
        self._stopped.set()
        self._thread.join()
        return self.answered_at

    def longest_gap(self, begin: float, end: float) -> float:
        """The longest time without an answer between the two moments."""
        moments = [begin, *(moment for moment in self.answered_at if begin < moment < end), end]
        return max(later - earlier for earlier, later in zip(moments, moments[1:]))

    def _run(self) -> None:
        while not self._stopped.is_set():
            if checks.ping_all([self._ping], 0.1):
                self.answered_at.append(time.monotonic())
            self._stopped.wait(self._interval)


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
