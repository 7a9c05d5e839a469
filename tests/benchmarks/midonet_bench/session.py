"""One benchmark run at a time on a machine, cleaned up before and after, also when it is interrupted."""

from __future__ import annotations

import contextlib
import fcntl
import signal
from pathlib import Path
from types import FrameType
from typing import Iterator

from midonet_lab.errors import LabError
from midonet_lab.lab import preflight

from . import clouds, kernel_cases, traffic

_LOCK = Path("/run/midonet-bench.lock")


@contextlib.contextmanager
def exclusive() -> Iterator[None]:
    """Holds the machine's benchmark lock; what dead runs left is gone, and the measuring programs are built."""
    preflight()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    with _LOCK.open("w", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LabError("another benchmark is running on this machine: wait for it, two would measure each other") from error
        kernel_cases.remove()
        clouds.remove_left_over()
        traffic.build_tools()
        yield


def _end(number: int, _: FrameType | None) -> None:
    # An exception, so that every `finally` on the way cleans up.
    raise SystemExit(128 + number)
