"""Removing a cloud, whole or half-built, whoever built it and however that one died."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import threading
from pathlib import Path
from typing import Iterator

from . import namespaces, processes
from .errors import LabError
from .processes import Process
from .state import State, run_root


def take_over(name: str) -> None:
    """Before `up`: removes what a dead builder left; LabError when the cloud is in use."""
    state = State.load(name)
    if state is not None and state.owned_by_living():
        raise LabError(f"cloud '{name}' is in use by process {(state.owner or {}).get('pid')}: wait for it to end")
    if state is not None and state.phase == "up" and state.owner is None:
        raise LabError(f"cloud '{name}' is up already; take it down first: midonet-lab down {name}")
    remove(name)


def remove(name: str) -> None:
    """Ends the processes, removes namespaces, mounts and files of the cloud. Needs nothing but its name.

    The caller holds the cloud's lock. Runs to its end even when interrupted by a signal.
    """
    with _deaf():
        folder = run_root() / name
        state = State.load(name)
        _end_processes(folder, state, name)
        namespaces.delete(namespaces.existing(f"ml-{name}-"))
        for mount in reversed(_mounts_below(folder)):
            subprocess.run(["umount", "-l", mount], check=False, capture_output=True, timeout=30)
        still = _mounts_below(folder)
        if still:
            raise LabError(f"cannot unmount {', '.join(still)}: unmount it by hand, then run midonet-lab down {name}")
        for made in (*(state.folders if state else []), folder):
            shutil.rmtree(made, ignore_errors=True)


def mount_bpffs(folder: Path) -> None:
    """Mounts a BPF file system for the pins of all agents of the cloud.

    One for the whole cloud, outside /sys: `ip netns exec` gives its command a /sys of its own.
    """
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(["mount", "-t", "bpf", "bpf", str(folder)], check=False, capture_output=True, text=True,
                          timeout=30)
    if done.returncode:
        raise LabError(f"cannot mount a BPF file system at {folder}: {done.stderr.strip()}")


def _end_processes(folder: Path, state: State | None, name: str) -> None:
    recorded = [Process(**entry) for entry in state.processes.values()] if state else []
    processes.stop_all({*recorded, *processes.marked(folder)})
    # Whatever runs in our namespaces (commands of `exec`, say) would keep them alive.
    inside = {Process.of(pid) for space in namespaces.existing(f"ml-{name}-")
              for pid in namespaces.processes_in(space) if pid != os.getpid()}
    processes.stop_all([process for process in inside if process is not None], 1.0)


def _mounts_below(folder: Path) -> list[str]:
    prefix = f"{folder}/"
    lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    return [line.split()[4] for line in lines if line.split()[4].startswith(prefix)]


@contextlib.contextmanager
def _deaf() -> Iterator[None]:
    """Ignores a person who presses Ctrl-C twice, here and in the commands run meanwhile."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, signal.SIG_IGN) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before):
            signal.signal(number, handler)
