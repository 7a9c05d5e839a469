"""Processes are told apart by start time, so that nothing else is ever hit."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from midonet_lab import processes
from midonet_lab.errors import LabError
from midonet_lab.processes import Logs, Process
from midonet_lab.waiting import wait_until

SLEEP = [sys.executable, "-c", "import time; print('ready sleeper', flush=True); time.sleep(60)"]
STUBBORN = [sys.executable, "-c", "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
                                  "print('ready', flush=True); time.sleep(60)"]

# The exit system call ends the calling thread only.
HEADLESS = [sys.executable, "-c", "import ctypes, platform, threading, time; print('ready', flush=True); "
                                  "threading.Thread(target=time.sleep, args=(60,)).start(); "
                                  "ctypes.CDLL(None).syscall({'x86_64': 60, 'aarch64': 93}[platform.machine()], 0)"]


@pytest.fixture
def logs(tmp_path):
    return Logs.of(tmp_path, "daemon")


def test_a_recycled_id_is_never_signalled():
    child = subprocess.Popen(SLEEP, stdout=subprocess.DEVNULL)
    try:
        real = Process.of(child.pid)
        recycled = Process(child.pid, real.start - 1)
        assert not recycled.alive() and not recycled.send(9)
        assert real.alive() and child.poll() is None
    finally:
        child.kill()
        child.wait()
    assert not real.alive()


def test_stop_asks_first_and_then_insists(tmp_path, logs):
    polite = processes.spawn(SLEEP, tmp_path, logs)
    assert processes.ready_line(polite, logs, 0, "sleeper") == "ready sleeper"
    assert polite.stop() is True and not polite.alive()
    offset = logs.out.stat().st_size
    stubborn = processes.spawn(STUBBORN, tmp_path, logs)
    processes.ready_line(stubborn, logs, offset, "stubborn")
    assert stubborn.stop(seconds=0.2) is False and not stubborn.alive()


def test_a_process_lives_as_long_as_one_of_its_threads(tmp_path, logs):
    process = processes.spawn(HEADLESS, tmp_path, logs)
    state = Path(f"/proc/{process.pid}/stat")
    wait_until(lambda: state.read_text().rpartition(")")[2].split()[0] == "Z", "the first thread to end")
    assert process.alive()
    process.kill()
    assert not process.alive()


def test_a_daemon_that_ends_early_shows_its_log(tmp_path, logs):
    failing = processes.spawn([sys.executable, "-c", "import sys; sys.exit('no such kernel feature')"], tmp_path, logs)
    with pytest.raises(LabError, match="no such kernel feature"):
        processes.ready_line(failing, logs, 0, "the daemon")


def test_processes_of_a_cloud_are_found_by_their_mark(tmp_path, logs):
    process = processes.spawn(SLEEP, tmp_path / "mine", logs)
    processes.ready_line(process, logs, 0, "sleeper")
    try:
        assert processes.marked(tmp_path / "mine") == [process]
        assert processes.marked(tmp_path / "min") == []
    finally:
        process.kill()
