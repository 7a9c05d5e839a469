"""mm-conf beside the programs that it configures: real processes on one store. No root."""

from __future__ import annotations

import json
import signal
import subprocess
import urllib.request
import uuid
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest

from client import HttpError
from conftest import BIN, Server, StartServer
from midonet_lab import zookeeper
from midonet_lab.waiting import wait_until
from test_maintenance import nsdb

Conf = Callable[..., str]


@pytest.fixture
def conf(tmp_path: Path) -> Conf:
    """Runs mm-conf on the store of the test, as on the machine of the test's programs; its output."""

    def run(*words: str, expect: int = 0, given: str = "", store: Path | tuple[str, ...] = tmp_path / "nsdb", name: str = "mm-conf") -> str:
        where = (f"nsdb.path={store}",) if isinstance(store, Path) else store
        settings = (*where, f"agent.host_id_file={tmp_path / 'host'}")
        done = subprocess.run([str(BIN / name), *words, *(word for setting in settings for word in ("--set", setting))],
                              input=given, capture_output=True, text=True, timeout=60)
        assert done.returncode == expect, done.stdout + done.stderr
        return done.stdout if expect == 0 else done.stderr

    return run


class Agent:
    """One midolman process on a datapath in memory."""

    def __init__(self, folder: Path, *settings: str) -> None:
        self.log = folder / "agent.log"
        arguments = [str(BIN / "midolman")]
        for setting in (f"nsdb.path={folder / 'nsdb'}", f"agent.host_id_file={folder / 'host'}", "agent.datapath=fake",
                        "agent.listen=127.0.0.1:0", "agent.socket=", "agent.state_file=", *settings):
            arguments += ["--set", setting]
        with self.log.open("w") as stderr:
            self.process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=stderr, text=True)
        assert self.process.stdout is not None
        ready = self.process.stdout.readline()
        assert ready.startswith("ready agent host="), f"{ready!r}; {self.log.read_text()}"
        self.page = ready.partition("management=")[2].strip()

    def status(self) -> Any:
        with urllib.request.urlopen(f"{self.page}/status", timeout=20) as answer:
            return json.load(answer)

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)


@pytest.fixture
def start_agent(tmp_path: Path) -> Iterator[Callable[..., Agent]]:
    agents: list[Agent] = []

    def make(*settings: str) -> Agent:
        agents.append(Agent(tmp_path, *settings))
        return agents[-1]

    yield make
    for agent in agents:
        if agent.process.poll() is None:
            agent.process.kill()
            agent.process.wait(10)


def wait_for_line(program: Server | Agent, text: str) -> None:
    wait_until(lambda: text in program.log.read_text(), f"'{text}' in {program.log}", 20)
    assert program.process.poll() is None


def test_the_log_level_of_a_running_server(start: StartServer, conf: Conf) -> None:
    """The server of a machine without an id follows the template `default`; a bad value does not end it."""
    server = start()
    conf("set", "-t", "default", 'log.level = "debug"')
    wait_for_line(server, 'key=log.level value=debug from="NSDB template default"')
    server.client().root()
    wait_for_line(server, "debug request answered")
    conf("set", "-t", "default", 'api.auth = "keystone"', "api.threads = 3")
    wait_for_line(server, "NSDB template default: api.auth: api.auth = keystone")
    wait_for_line(server, "next start settings=api.threads")
    conf("unset", "-t", "default", "log.level")
    wait_for_line(server, "key=log.level value=info from=default")
    assert server.end() == 0
    log = start().log.read_text()
    assert "NSDB template default: api.auth: api.auth = keystone: somebody must ask" in log and "key=api.threads value=3" in log


def test_a_host_beats_its_template_beats_default(conf: Conf, start_agent: Callable[..., Agent]) -> None:
    conf("deploy")
    conf("set", "-t", "default", "agent.workers = 2", "agent.max_states = 2000", 'log.level = "warn"')
    conf("set", "-t", "large", "agent.workers = 3", "agent.max_states = 3000")
    conf("template-set", "-h", "local", "-t", "large")
    conf("set", "agent.workers = 4")
    agent = start_agent("log.level=info", "agent.max_macs_per_port=77")
    log = agent.log.read_text()
    assert 'key=agent.workers value=4 from="NSDB host"' in log
    assert 'key=agent.max_states value=3000 from="NSDB template of this host"' in log
    assert "key=log.level value=info from=--set" in log, "what is local wins"
    assert conf("get", "agent.workers") == "agent.workers = 4\n"
    assert conf("hosts").endswith(" -> custom : template(large) : template(default) : schema\n")
    assert agent.status()["settingsForNextStart"] == []

    conf("set", "agent.workers = 5", "agent.max_macs_per_port = 88")
    wait_for_line(agent, "next start settings=agent.workers")
    assert agent.status()["settingsForNextStart"] == ["agent.workers"]
    conf("set", "agent.workers = 4")
    wait_until(lambda: agent.status()["settingsForNextStart"] == [], "nothing to wait", 20)
    conf("set", "agent.workers = 400", expect=4)

    # What the tool of another version let pass.
    conf("set", "agent.later = 1", 'new.thing = "x"')
    wait_for_line(agent, "NSDB host: unknown setting 'agent.later'")
    assert "new.thing" not in agent.log.read_text(), "a section of others"
    assert agent.end() == 0


def test_reload_and_the_nsdb_compose(start: StartServer, conf: Conf, tmp_path: Path) -> None:
    """The file is read when SIGHUP says so, and wins; what the NSDB says meanwhile counts when the file says no more."""
    file = tmp_path / "api.toml"
    file.write_text("")
    conf("deploy")
    conf("set", 'log.level = "debug"')  # makes the id of this machine
    server = start(config=file)
    assert 'key=log.level value=debug from="NSDB host"' in server.log.read_text()

    file.write_text('log.level = "trace"\n')
    conf("set", "api.threads = 3")
    wait_for_line(server, "next start settings=api.threads")
    server.process.send_signal(signal.SIGHUP)
    wait_for_line(server, "settings read again changed=log.level")
    conf("set", 'log.level = "info"', 'api.max_body = "2MiB"')
    wait_for_line(server, "next start settings=api.max_body")
    assert "key=log.level value=info" not in server.log.read_text()

    file.write_text("")
    server.process.send_signal(signal.SIGHUP)
    wait_until(lambda: server.log.read_text().count("settings read again changed=log.level") == 2, "the level of the NSDB", 20)
    conf("set", 'log.level = "debug"')
    wait_until(lambda: server.log.read_text().count("key=log.level value=debug") == 2, "a change in the NSDB", 20)


@pytest.mark.skipif(not zookeeper.JAR.exists(), reason="starts a server of the package zookeeper")
def test_on_an_ensemble(start: StartServer, conf: Conf, ensemble: tuple[str, ...]) -> None:
    assert "there is no store" in conf("dump", store=ensemble, expect=3)
    conf("deploy", store=ensemble)
    conf("template-set", "-t", "agent-gateway-large", store=ensemble)
    conf("set", "-t", "default", 'log.level = "warn"', store=ensemble)
    server = start(*ensemble)
    conf("set", "-t", "agent-gateway-large", 'log.level = "debug"', "api.threads = 2", store=ensemble)
    wait_for_line(server, 'key=log.level value=debug from="NSDB template of this host"')
    wait_for_line(server, "next start settings=api.threads")
    assert "template agent-gateway-large is used by" in conf("template-delete", "-t", "agent-gateway-large", store=ensemble, expect=4)
    conf("template-clear", store=ensemble)
    conf("template-delete", "-t", "agent-gateway-large", store=ensemble)
    assert conf("get", "log.level", store=ensemble) == 'log.level = "warn"\n'
    assert "nothing found" in nsdb(ensemble, "verify")


def test_exit_codes(conf: Conf, tmp_path: Path) -> None:
    assert "there is no store" in conf("dump", expect=3, store=tmp_path / "absent")
    assert not (tmp_path / "absent").exists()
    conf("deploy")
    assert conf("get", "log.level") == 'log.level = "info"\n'
    assert conf("get", "no.such", expect=11) == ""
    assert conf("get", "-H", "log.level", expect=11) == ""
    assert "which command" in conf(expect=1)
    assert "[mm-conf] Failed: " in conf("set", "log.level = 7", expect=4)
    assert "[mn-conf] Failed: " in conf("set", "log.level = 7", expect=4, name="mn-conf")
    assert "nsdb.path: belongs into the settings" in conf("set", 'nsdb.path = "/tmp"', expect=4)
    (tmp_path / "host").unlink()
    (tmp_path / "host").mkdir()
    assert "host" in conf("dump", expect=2)


def test_local_is_this_machine(conf: Conf, tmp_path: Path) -> None:
    conf("deploy")
    conf("set", "-h", "local", given='{"agent": {"workers": 2}}')
    host = (tmp_path / "host").read_text().partition("host_uuid=")[2].strip()
    assert conf("dump", "-H", "-h", host) == conf("dump", "-H") == "agent.workers = 2\n"
    assert json.loads(conf("get", "-j", "agent.workers")) == {"agent": {"workers": 2}}
    other = str(uuid.uuid4())
    assert conf("get", "-h", other, "agent.workers") == "agent.workers = 1\n"
    conf("unset", "agent.workers")
    assert conf("dump", "-H") == ""


def test_import_and_secrets(conf: Conf, tmp_path: Path) -> None:
    file = tmp_path / "midolman.toml"
    file.write_text('nsdb.path = "/elsewhere"\n[agent]\nworkers = 2\nlisten = "127.0.0.1:7300"\n')
    conf("deploy")
    assert "nsdb.path stays in the file" in conf("import", "-f", str(file))
    assert conf("dump", "-H") == "agent.workers = 2\n"
    conf("import", "-a", "-f", str(file))
    assert conf("dump", "-H") == 'agent.listen = "127.0.0.1:7300"\nagent.workers = 2\n'
    assert "not found in the schema: later.password" in conf("set", 'later.password = "secret"')
    assert conf("get", "later.password").startswith('later.password = "sha256:')
    assert "secret" not in conf("dump") + conf("dump", "-j")


def test_dump_and_load_carry_the_configuration(conf: Conf, tmp_path: Path) -> None:
    conf("deploy")
    conf("set", 'log.level = "debug"')
    conf("set", "-t", "large", "agent.workers = 3")
    conf("template-set", "-t", "large")
    dump = nsdb(tmp_path / "nsdb", "dump")
    nsdb(tmp_path / "new", "load", "-", given=dump)
    assert "nothing found" in nsdb(tmp_path / "new", "verify")
    for words in (("dump",), ("hosts",), ("template-list",)):
        assert conf(*words, store=tmp_path / "new") == conf(*words)
    assert conf("get", "agent.workers", store=tmp_path / "new") == "agent.workers = 3\n"


def test_rest_and_the_tool_see_the_same(start: StartServer, conf: Conf) -> None:
    """/conf knows the settings of all programs, and the root document does not name it."""
    api = start().client()
    assert not [key for key in api.root() if "conf" in key.lower()]
    host = str(uuid.uuid4())
    plain = {"Content-Type": "text/plain", "Accept": "text/plain"}
    conf("set", "-h", host, "agent.workers = 2")
    _, answer = api.request("POST", f"{api.url}/conf/nodes/{host}", {"datapath": {"vxlan": "hand"}}, plain)
    assert json.loads(answer) == {"agent": {"workers": 2}, "datapath": {"vxlan": "hand"}}
    assert json.loads(answer) == json.loads(conf("dump", "-j", "-H", "-h", host))
    _, runtime = api.request("GET", f"{api.url}/conf/runtime/{host}", headers=plain)
    assert json.loads(runtime) == json.loads(conf("dump", "-j", "-h", host))
    _, schemas = api.request("GET", f"{api.url}/conf/schemas", headers=plain)
    assert json.loads(schemas) == json.loads(conf("dump", "-j", "-s"))
    with pytest.raises(HttpError, match="400.*workers: 99 is out of range"):
        api.request("POST", f"{api.url}/conf/nodes/{host}", {"agent": {"workers": 99}}, plain)
