"""The demo as a command: its table, its exit code, KEEP, and how it ends when it is cut short."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from conftest import HERE, needs_root
from midonet_lab import namespaces, state
from midonet_lab.waiting import wait_until

pytestmark = [needs_root, pytest.mark.usefixtures("run_root", "kernel_programs")]
NAME = f"d{os.getpid()}"


@pytest.fixture
def demo_command(tmp_path):
    """The demo on a cloud of this test's own name; the MTU leaves room for the stand-ins, which always use VXLAN."""
    text = (HERE.parent / "clouds/demo.toml").read_text().replace('"demo"', f'"{NAME}"')
    (tmp_path / "demo.toml").write_text(text.replace("[[machine]]", "[[machine]]\nmtu = 1500"))
    script = (f"import sys, pathlib; sys.path.insert(0, {str(HERE.parent)!r}); from midonet_lab import cli, demo; "
              f"demo.CLOUD_FILE = pathlib.Path({str(tmp_path / 'demo.toml')!r}); sys.exit(cli.main(sys.argv[1:]))")
    return [sys.executable, "-c", script]


def run(command, *words, **environment):
    return subprocess.run([*command, *words], capture_output=True, text=True, timeout=120, check=False,
                          env={**os.environ, **environment})


def test_all_is_well(demo_command):
    done = run(demo_command, "demo")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "GRE tunnels: 3 hosts" in done.stdout and "VXLAN tunnels: 3 hosts" in done.stdout
    assert "all checks passed" in done.stdout and "Gbit/s" in done.stdout and "FAILED" not in done.stdout
    assert namespaces.existing(f"ml-{NAME}-") == [] and state.recorded_clouds() == []


def test_kept_and_replaced_and_taken_down(demo_command):
    done = run(demo_command, "demo", KEEP="1")
    assert done.returncode == 0 and f"down {NAME}" in done.stdout
    known = state.pick(NAME)
    assert known.phase == "up" and known.owner is None
    tool = subprocess.Popen([*demo_command, "demo"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert "an earlier run left" in tool.stdout.readline()
    wait_until(lambda: "vxlan tunnels" in tool.stdout.readline().lower(), "the second half of the demo", 60)
    tool.send_signal(signal.SIGINT)
    tool.communicate(timeout=60)
    assert tool.returncode == 130
    assert namespaces.existing(f"ml-{NAME}-") == [] and state.recorded_clouds() == []


def test_a_crashed_demo_is_swept_away_by_the_next_command(demo_command):
    tool = subprocess.Popen([*demo_command, "demo"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_until(lambda: "gre tunnels" in tool.stdout.readline().lower(), "the demo to be up", 60)
    tool.kill()
    tool.communicate(timeout=60)
    assert namespaces.existing(f"ml-{NAME}-") != []
    assert run(demo_command, "down").returncode == 0
    assert namespaces.existing(f"ml-{NAME}-") == [] and state.recorded_clouds() == []
