"""Namespaces, underlay, taps, checks and cleanup, proved with Linux bridges in the place of the datapath."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import HERE, needs_root
from midonet_lab import checks, cloud, demo, namespaces, network, state, zookeeper
from midonet_lab.checks import Ping
from midonet_lab.errors import LabError
from midonet_lab.lab import Lab
from midonet_lab.waiting import wait_until

pytestmark = [needs_root, pytest.mark.usefixtures("run_root", "kernel_programs")]
TOOL = HERE.parent / "midonet-lab"
needs_zookeeper = pytest.mark.skipif(not zookeeper.JAR.exists(), reason="starts the servers of the package zookeeper")


def described(name: str, **machine) -> dict:
    """Three machines on red (one on a tap), one on blue; changes go to the last of red."""
    return {"name": f"{name}{os.getpid()}", "hosts": ["h1", "h2"], "bridges": ["red", "blue"], "machine": [
        {"name": "r1", "host": "h1", "bridge": "red"}, {"name": "r2", "host": "h1", "bridge": "red"},
        {"name": "r3", "host": "h2", "bridge": "red", "kind": "tap", **machine},
        {"name": "b1", "host": "h2", "bridge": "blue"}]}


@pytest.fixture
def lab():
    made = Lab(cloud.parse(described("t")))
    made.up(owned=True)
    yield made
    made.down()


def traces(name: str) -> list[str]:
    """What is still there of a cloud."""
    folder = str(state.run_root() / name)
    left = namespaces.existing(f"ml-{name}-")
    left += [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if folder in line]
    return left + ([folder] if os.path.exists(folder) else [])


def test_every_check_of_the_demo_passes_on_a_sound_cloud(lab):
    failures = [result for result in demo.check_cloud(lab) if not result.passed]
    assert not failures


def test_checks_see_what_is_broken(lab):
    r2 = lab.cloud.machine("r2")
    network.unplug_veth(lab.cloud, r2)
    verdict = {result.check: result.passed for result in demo.check_cloud(lab)}
    assert not verdict["ping, all pairs of each bridge"]
    assert not verdict["broadcast"] or not verdict["round trip, same host"]
    assert not verdict["TCP, same host"]
    assert verdict["TCP, across hosts"]


def test_a_leak_between_bridges_is_seen(lab):
    namespaces.batch([f"link set {lab.cloud.machine('b1').interface} nomaster"], lab.namespace("h2"))
    red = subprocess.run(["ip", "-n", lab.namespace("h2"), "-o", "link", "show", "p-r3"], capture_output=True, text=True, check=True)
    bridge = red.stdout.partition("master ")[2].split()[0]
    namespaces.batch([f"link set {lab.cloud.machine('b1').interface} master {bridge}"], lab.namespace("h2"))
    verdict = {result.check: result.passed for result in demo.check_cloud(lab)}
    assert not verdict["nothing passes between bridges"]


def test_a_packet_above_the_mtu_is_not_answered(lab):
    r1, r3 = lab.cloud.machine("r1"), lab.cloud.machine("r3")
    question = Ping(lab.namespace("r1"), r3.address)
    assert checks.ping_all([question], 3.0, size=r1.mtu - 28)
    assert not checks.ping_all([question], 0.5, size=r1.mtu - 27)


def test_the_relay_carries_unsegmented_frames(lab):
    """With offload a tap gets TCP frames far above its MTU, and their partial checksums come out right."""
    sniffer = namespaces.open_socket(lab.namespace("r3"), 17, 3, 0x0300)  # AF_PACKET, SOCK_RAW, ETH_P_ALL
    with sniffer:
        moved = checks.tcp_transfer(lab.namespace("r1"), lab.namespace("r3"), lab.cloud.machine("r3").address, 4)
        sniffer.setblocking(False)
        longest = 0
        try:
            while True:
                longest = max(longest, len(sniffer.recv(1 << 17)))
        except BlockingIOError:
            pass
    assert moved.intact
    assert longest > 4 * lab.cloud.machine("r3").mtu


def test_offloads_off_means_small_frames():
    made = Lab(cloud.parse(described("o", offload=False)))
    made.up(owned=True)
    try:
        assert checks.tcp_transfer(made.namespace("r3"), made.namespace("r1"), made.cloud.machine("r1").address, 4).intact
        assert checks.tcp_transfer(made.namespace("r1"), made.namespace("r3"), made.cloud.machine("r3").address, 4).intact
    finally:
        made.down()


def test_a_machine_moves(lab):
    r2 = lab.cloud.machine("r2")
    lab.move(r2, "h2")
    lab.wait_active(["r2"])
    assert checks.ping_all([Ping(lab.namespace("r1"), r2.address)], 5.0)
    assert state.pick(lab.cloud.name).parsed_cloud().machine("r2").host == "h2"


def test_a_tcp_flow_shows_an_interruption(lab):
    flow = checks.TcpFlow(lab.namespace("r1"), lab.namespace("r2"), lab.cloud.machine("r2").address, 10, rate=1e8).start()
    wait_until(lambda: len(flow.samples) >= 2, "two seconds of samples")
    namespaces.batch(["link set p-r2 down"], lab.namespace("h1"))
    wait_until(lambda: len(flow.samples) >= 4, "two more")
    samples = flow.stop()
    assert min(samples[:2]) > 0.8 * 1e8 / 8
    assert samples[3] == 0


def test_down_twice_and_down_of_nothing(lab):
    lab.down()
    assert traces(lab.cloud.name) == []
    lab.down()


def test_a_cloud_in_use_is_not_taken_over(lab):
    with pytest.raises(LabError, match="in use"):
        Lab(lab.cloud).up()
    assert demo.pairs(lab, 4)[0] in checks.ping_all([demo.pairs(lab, 4)[0]], 3.0)


def test_a_failed_up_leaves_nothing(monkeypatch, tmp_path):
    (tmp_path / "midonet-api").symlink_to(HERE / "kernel_cloud/midonet-api")
    (tmp_path / "midolman").write_text("#!/bin/sh\necho 'needs a newer kernel' >&2\nexit 1\n")
    (tmp_path / "midolman").chmod(0o755)
    monkeypatch.setenv("MIDONET_BIN", str(tmp_path))
    parsed = cloud.parse(described("f"))
    with pytest.raises(LabError, match="needs a newer kernel"):
        Lab(parsed).up()
    assert traces(parsed.name) == []


def start_tool(tmp_path: Path, name: str) -> tuple[subprocess.Popen, Path]:
    file = tmp_path / "cloud.toml"
    machines = "".join(f'[[machine]]\nname = "m{i}"\nhost = "h{i % 3}"\nbridge = "red"\n' for i in range(12))
    file.write_text(f'name = "{name}"\nhosts = ["h0", "h1", "h2"]\nbridges = ["red"]\n{machines}')
    return subprocess.Popen([sys.executable, TOOL, "up", file], stdout=subprocess.PIPE, stderr=subprocess.PIPE), file


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_up_cut_short_in_the_middle(tmp_path, number):
    name = f"k{os.getpid()}"
    tool, file = start_tool(tmp_path, name)
    wait_until(lambda: len(namespaces.existing(f"ml-{name}-")) > 3, "the first namespaces")
    tool.send_signal(number)
    tool.communicate(timeout=30)
    assert tool.returncode != 0
    if number == signal.SIGKILL:
        assert traces(name) != []
        again = subprocess.run([sys.executable, TOOL, "up", file], capture_output=True, text=True, timeout=60, check=False)
        assert again.returncode == 0, again.stderr
        assert "12 machines" in again.stdout
        subprocess.run([sys.executable, TOOL, "down", name], check=True, capture_output=True, timeout=30)
    assert traces(name) == []


@needs_zookeeper
def test_zookeeper_servers_die_return_and_leave_nothing_behind(tmp_path):
    # The stand-ins share a folder whatever the NSDB is.
    shared = {"nsdb.path": str(tmp_path / "shared")}
    lab = Lab(cloud.parse({**described("z"), "nsdb": "zookeeper(3)", "api": shared, "agent": shared}))
    try:
        lab.up(owned=True)
        modes = lab.server_modes()
        assert sorted(modes.values()) == ["follower", "follower", "leader"]
        leader = next(number for number, mode in modes.items() if mode == "leader")
        lab.process(f"zookeeper:{leader}").kill()
        wait_until(lambda: "leader" in lab.server_modes().values(), "another leader", 30)
        assert lab.server_modes()[leader] == ""
        lab.start_server(leader)
        lab.wait_servers()
        servers = [lab.process(f"zookeeper:{number}") for number in modes]
    finally:
        lab.down()
    assert not any(server.alive() for server in servers)
    assert traces(lab.cloud.name) == []


def test_commands_on_a_cloud_that_is_up(tmp_path):
    name = f"c{os.getpid()}"
    tool, file = start_tool(tmp_path, name)
    assert tool.wait(timeout=60) == 0, tool.communicate()
    run = lambda *words: subprocess.run([sys.executable, TOOL, *words], capture_output=True, text=True, timeout=30)  # noqa: E731
    try:
        twice = run("up", str(file))
        assert twice.returncode == 1 and f"midonet-lab down {name}" in twice.stderr
        assert "machine m11" in run("status").stdout and "INACTIVE" not in run("status").stdout
        assert run("exec", "m3", "sh", "-c", "exit 7").returncode == 7
        assert "10.0.0.4/" in run("exec", "m3", "ip", "addr").stdout
        unknown = run("exec", "m99", "true")
        assert unknown.returncode == 1 and "m11" in unknown.stderr
        assert "POST" in run("logs").stdout
    finally:
        assert run("down").returncode == 0
    assert traces(name) == []
