"""Programs that cannot start: a message that names the fix, exit code 1, quickly, and nothing left behind."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path

import pytest

from midonet_lab import namespaces
from midonet_lab.lab import program_folder

PROGRAMS = ("midolman", "midonet-api")


def run(program: str, *arguments: str, prefix: tuple[str, ...] = (), **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*prefix, str(program_folder() / program), *arguments], capture_output=True, text=True, timeout=20,
                          env={**os.environ, **environment}, check=False)


def refused(done: subprocess.CompletedProcess[str], *words: str) -> None:
    assert done.returncode == 1, f"exit code {done.returncode}\n{done.stderr}"
    for word in words:
        assert word in done.stderr, f"'{word}' is not in:\n{done.stderr}"
    assert "ready" not in done.stdout
    assert "terminate called" not in done.stderr


@pytest.fixture
def own_namespace():
    """The agent never runs in this machine's own network."""
    name = f"ml-tt{os.getpid()}-startup"
    namespaces.create([name])
    yield tuple(namespaces.exec_command(name, []))
    namespaces.delete([name])


@pytest.fixture
def agent_settings(tmp_path) -> list[str]:
    pairs = {"nsdb.path": tmp_path / "nsdb", "agent.host_id_file": tmp_path / "host_id", "agent.bpffs": tmp_path / "bpf",
             "agent.state_file": tmp_path / "connections", "agent.socket": tmp_path / "agent.sock"}
    return [word for key, value in pairs.items() for word in ("--set", f"{key}={value}")]


@pytest.mark.parametrize("program", PROGRAMS)
class TestConfiguration:
    def test_unknown_key(self, program):
        refused(run(program, "--set", "nsdb.pathh=/tmp"), "nsdb.pathh", "nsdb.path")

    def test_bad_value(self, program):
        refused(run(program, "--set", "nsdb.backend=papyrus"), "papyrus", "embedded")

    def test_bad_value_in_the_environment(self, program):
        refused(run(program, MIDO_NSDB_BACKEND="papyrus"), "MIDO_NSDB_BACKEND", "embedded")

    def test_missing_file(self, program):
        refused(run(program, "--config", "/nowhere/midonet.toml"), "/nowhere/midonet.toml")

    def test_broken_file(self, program, tmp_path):
        (tmp_path / "broken.toml").write_text("[nsdb\npath = 1\n")
        refused(run(program, "--config", str(tmp_path / "broken.toml")), "broken.toml", "1")

    def test_check_config(self, program, tmp_path):
        sound = run(program, "--check-config", "--set", f"nsdb.path={tmp_path}/n")
        assert sound.returncode == 0, sound.stderr
        assert f"{tmp_path}/n" in sound.stdout and "--set" in sound.stdout
        assert not (tmp_path / "n").exists()
        refused(run(program, "--check-config", "--set", "nsdb.backend=papyrus"), "papyrus")

    def test_nsdb_path_that_cannot_be_made(self, program, tmp_path, own_namespace):
        (tmp_path / "file").write_text("")
        settings = ["--set", f"nsdb.path={tmp_path}/file/nsdb", "--set", "api.listen=127.0.0.1:0"][:4 if program == "midonet-api" else 2]
        refused(run(program, *settings, prefix=own_namespace), f"{tmp_path}/file/nsdb")


def test_api_address_in_use(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused(run("midonet-api", "--set", f"nsdb.path={tmp_path}/n", "--set", f"api.listen=127.0.0.1:{port}"), str(port))


def test_api_does_not_serve_strangers_without_authentication(tmp_path):
    refused(run("midonet-api", "--set", f"nsdb.path={tmp_path}/n", "--set", "api.listen=0.0.0.0:0"), "api.insecure")


def test_agent_without_root(own_namespace, agent_settings):
    tmp = Path(agent_settings[1].partition("=")[2]).parent
    tmp.chmod(0o777)
    for folder in tmp.parents:
        if folder.stat().st_uid == 0 and str(folder).startswith("/tmp/") and folder != Path("/tmp"):
            folder.chmod(0o755)
    without = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups")
    refused(run("midolman", *agent_settings, prefix=(*own_namespace, *without)), "root")


@pytest.mark.parametrize("lost", ["bpf,-sys_admin", "net_admin"])
def test_agent_on_a_system_that_does_not_let_it(own_namespace, agent_settings, lost):
    """A kernel (or container) that refuses BPF or network changes: as the program sees it, a missing feature."""
    without = ("setpriv", "--bounding-set", f"-{lost}", "--inh-caps", f"-{lost}")
    done = run("midolman", *agent_settings, prefix=(*own_namespace, *without))
    refused(done)
    assert "CAP_" in done.stderr.upper() or "root" in done.stderr or "kernel" in done.stderr, done.stderr


def test_agent_with_pins_where_nothing_can_be_made(own_namespace, agent_settings):
    refused(run("midolman", *agent_settings, "--set", "agent.bpffs=/proc/midonet", prefix=own_namespace), "/proc/midonet",
            "agent.bpffs")


def test_agent_with_a_socket_that_cannot_be(own_namespace, agent_settings, tmp_path):
    (tmp_path / "taken").write_text("")
    refused(run("midolman", *agent_settings, "--set", f"agent.socket={tmp_path}/taken", prefix=own_namespace), "agent.socket", "taken")


def test_agent_with_a_broken_host_id(own_namespace, agent_settings):
    identity = Path(agent_settings[3].partition("=")[2])
    identity.write_text("host_uuid=not-a-uuid\n")
    refused(run("midolman", *agent_settings, prefix=own_namespace), str(identity))
