"""Daemons of a lab: started detached with their own log files, found again by process id and start time.

A process id alone may be recycled; together with the start time of /proc/PID/stat it names one process for ever,
and signals go through a pidfd that was checked against both. So the lab never hits a stranger.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Iterable

from .errors import LabError
from .waiting import wait_until

# Every process of a lab carries this variable with the run folder of its cloud; what a crash left is found by it.
MARKER = "MIDONET_LAB_FOLDER"
_children: dict[int, "subprocess.Popen[bytes]"] = {}


@dataclass(frozen=True)
class Process:
    """One process, told from a later owner of the same id by its start time (clock ticks since boot)."""

    pid: int
    start: int

    @staticmethod
    def of(pid: int) -> "Process | None":
        """The living process with this id, if there is one."""
        start = _start_time(pid)
        return None if start is None else Process(pid, start)

    def alive(self) -> bool:
        """Runs, with one thread at least, and is no zombie."""
        child = _children.get(self.pid)
        if child is not None and child.poll() is not None:
            del _children[self.pid]
        return _start_time(self.pid) == self.start

    def send(self, number: int) -> bool:
        """Sends a signal to exactly this process; false when it is gone."""
        try:
            descriptor = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return False
        try:
            if not self.alive():
                return False
            signal.pidfd_send_signal(descriptor, number)
            return True
        except ProcessLookupError:
            return False
        finally:
            os.close(descriptor)

    def kill(self) -> None:
        """SIGKILL, and waits until it is gone."""
        self.send(signal.SIGKILL)
        wait_until(lambda: not self.alive(), f"process {self.pid} to die of SIGKILL", 10)

    def stop(self, seconds: float = 5.0) -> bool:
        """SIGTERM, then SIGKILL when `seconds` were not enough; true when it ended by itself."""
        self.send(signal.SIGTERM)
        deadline = time.monotonic() + seconds
        while self.alive():
            if time.monotonic() >= deadline:
                self.kill()
                return False
            time.sleep(0.01)
        return True


def stop_all(processes: Iterable[Process], seconds: float = 5.0) -> None:
    """Stops many at once: SIGTERM to all, one shared deadline, SIGKILL to the rest."""
    waiting = [process for process in processes if process.send(signal.SIGTERM)]
    deadline = time.monotonic() + seconds
    while waiting and time.monotonic() < deadline:
        waiting = [process for process in waiting if process.alive()]
        if waiting:
            time.sleep(0.01)
    for process in waiting:
        process.kill()


def marked(folder: Path) -> list[Process]:
    """Every living process that was started for the cloud with this run folder."""
    wanted = f"{MARKER}={folder}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        process = Process.of(int(entry.name))
        try:
            environment = (entry / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if process is not None and wanted in environment:
            found.append(process)
    return found


@dataclass(frozen=True)
class Logs:
    """The files a daemon writes: `out` its stdout (the ready line), `err` its log."""

    out: Path
    err: Path

    @staticmethod
    def of(folder: Path, name: str) -> "Logs":
        """The log files of daemon `name` below the run folder of a cloud."""
        return Logs(folder / "logs" / f"{name}.out", folder / "logs" / f"{name}.log")

    def tail(self, lines: int = 8) -> str:
        """The last lines of the log, for error messages."""
        try:
            return "\n".join(self.err.read_text(errors="replace").splitlines()[-lines:])
        except FileNotFoundError:
            return ""


def spawn(command: list[str], folder: Path, logs: Logs, keep_open: Iterable[int] = ()) -> Process:
    """Starts a daemon detached from the terminal; output is appended to its log files."""
    logs.out.parent.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, MARKER: str(folder)}
    environment.pop("NOTIFY_SOCKET", None)
    with logs.out.open("ab") as out, logs.err.open("ab") as err:
        try:
            child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd="/",
                                     env=environment, start_new_session=True, pass_fds=tuple(keep_open))
        except OSError as error:
            raise LabError(f"cannot start {command[0]}: {error.strerror}") from error
    _children[child.pid] = child
    start = _start_time(child.pid)
    return Process(child.pid, start if start is not None else -1)


def ready_line(process: Process, logs: Logs, offset: int, what: str, seconds: float = 20.0) -> str:
    """Waits for the line beginning with `ready` that the daemon prints after byte `offset` of its stdout file."""

    def line() -> str | None:
        with logs.out.open("rb") as file:
            file.seek(offset)
            text = file.read().decode(errors="replace")
        for candidate in text.splitlines(keepends=True):
            if candidate.startswith("ready") and candidate.endswith("\n"):
                return candidate.strip()
        if not process.alive():
            raise LabError(f"{what} ended before it was ready; the end of {logs.err}:\n{logs.tail()}")
        return None

    return wait_until(line, f"{what} to print its ready line (see {logs.err})", seconds)


def _start_time(pid: int) -> int | None:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The first thread may have ended (and be a zombie) before the others have: what they hold is not free yet.
    threads = int(fields[17])
    return None if fields[0] in "ZX" and threads <= 1 else int(fields[19])


