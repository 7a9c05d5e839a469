"""Processes are told apart by start time, so that nothing else is ever hit."""

from __future__ import annotations

import subprocess
import sys

import pytest

from midonet_lab import processes
from midonet_lab.errors import LabError
from midonet_lab.processes import Logs, Process

SLEEP = [sys.executable, "-c", "import time; print('ready sleeper', flush=True); time.sleep(60)"]
STUBBORN = [sys.executable, "-c", "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
                                  "print('ready', flush=True); time.sleep(60)"]


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
