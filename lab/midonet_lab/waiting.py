"""Waiting for a condition with a deadline: the only way anything in the lab waits."""

from __future__ import annotations

import time
from typing import Callable, TypeVar

from .errors import LabError

T = TypeVar("T")


def wait_until(condition: Callable[[], T], what: str, seconds: float = 10.0, interval: float = 0.02) -> T:
    """Calls `condition` until it returns something true, and returns that.

    Raises LabError naming `what` once `seconds` have passed without success.
    """
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise LabError(f"gave up waiting after {seconds:g} s: {what}")
        time.sleep(interval)
