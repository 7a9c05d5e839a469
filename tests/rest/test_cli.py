"""midonet-cli with a real midonet-api: commands, scripts, sessions on a terminal, settings, exit codes."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator, TextIO

import pytest

from conftest import BIN, Server, StartServer
from terminal import PROMPT, Terminal
from test_maintenance import nsdb

CLI = str(BIN / "midonet-cli")
HOST_ID = "aaaaaaaa-0000-0000-0000-{:012}".format
HOST = HOST_ID(1)
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Cli:
    """Runs midonet-cli against one server, in a home of its own."""

    def __init__(self, url: str, home: Path) -> None:
        self.url = url
        self.home = home
        self.environment = {"HOME": str(home), "PATH": os.environ["PATH"]}
        for name in ("ASAN_OPTIONS", "LSAN_OPTIONS", "UBSAN_OPTIONS"):
            if name in os.environ:
                self.environment[name] = os.environ[name]

    def run(self, *arguments: str, given: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([CLI, *arguments], input=given, capture_output=True, text=True, timeout=30, env={**self.environment, **variables})

    def __call__(self, *words: str, expect: int = 0) -> str:
        """What `-e` prints."""
        done = self.run("-A", "--midonet-url", self.url, "-e", *words)
        assert done.returncode == expect, done.stdout + done.stderr
        return done.stdout

    def create(self, *words: str) -> str:
        """The id of a new object."""
        made = self(*words).strip()
        assert UUID.fullmatch(made), made
        return made


@pytest.fixture
def hosts() -> list[str]:
    """The names of the hosts of a test."""
    return ["hyp1"]


@pytest.fixture
def server_with_hosts(start: StartServer, hosts: list[str], tmp_path: Path) -> Server:
    """A server whose store knows the hosts, as if their agents had been there."""
    header = {"dump": "midonet-nsdb", "format": 1, "schema": 1, "revision": 1, "time": "2026-01-01T00:00:00Z"}
    defaults = {"flooding_proxy_weight": 1, "container_weight": 1, "container_limit": -1}
    objects = [{"class": "Host", "object": {"id": HOST_ID(number), "name": name, **defaults}} for number, name in enumerate(hosts, 1)]
    nsdb(tmp_path / "nsdb", "load", "-", given="".join(json.dumps(line) + "\n" for line in (header, *objects, {"end": len(objects)})))
    return start()


@pytest.fixture
def cli(server_with_hosts: Server, tmp_path: Path) -> Cli:
    return Cli(server_with_hosts.url, tmp_path)


@pytest.fixture
def terminal(cli: Cli) -> Iterator[Terminal]:
    opened = Terminal([CLI, "-A", "--midonet-url", cli.url], {**cli.environment, "NO_COLOR": "1"})
    yield opened
    opened.close()


def test_one_command(cli: Cli) -> None:
    """The transcript of the reference, in `-e` mode."""
    bridge = cli.create("create", "bridge", "name", "evalnet")
    assert cli("bridge", "name", "evalnet", "show", "id") == bridge + "\n"
    assert cli("list", "bridge", "name", "evalnet") == f"bridge {bridge} name evalnet state up\n"
    port = cli.create("bridge", bridge, "add", "port")
    assert cli("port", port, "show") == f"port {port} device {bridge} state up plugged no vlan 0\n"
    assert cli("bogus", "cmd", expect=1) == "Syntax error at: ...bogus cmd\n"
    assert cli("delete", "bridge", bridge) == ""
    assert cli("delete", "bridge", bridge, expect=1) == f"Syntax error at: ...{bridge}\n"
    assert cli("bridge create name \"a b\"")
    assert cli("bridge", "create", "name", "a b", expect=1) == "Syntax error at: ...b\n"


def changed(cli: Cli, path: str, field: str, value: str, printed: str | None = None) -> None:
    cli("set", path, field, value)
    assert cli("show", path, field) == (printed or value) + "\n"


def gone(cli: Cli, path: str) -> None:
    cli("delete", path)
    assert cli("show", path, expect=1).startswith("Syntax error at: ...")


def test_every_object_with_an_id(cli: Cli) -> None:
    """Created, listed, shown, changed, cleared, deleted."""
    chain = cli.create("chain create name filter")
    bridge = cli.create("bridge create name b")
    changed(cli, f"bridge {bridge}", "infilter", chain, f"chain {chain} name filter")
    cli("clear bridge", bridge, "infilter")
    assert cli("bridge", bridge, "show infilter") == "\n"
    changed(cli, f"bridge {bridge}", "state", "down")
    inner = cli.create("bridge", bridge, "port create vlan 7")
    assert cli("bridge", bridge, "port list") == f"port {inner} device {bridge} state up plugged no vlan 7\n"
    changed(cli, f"bridge {bridge} port {inner}", "vlan", "8")
    changed(cli, f"port {inner}", "outfilter", f"chain {chain}", f"chain {chain} name filter")

    router = cli.create("router create name r asn 65000")
    changed(cli, f"router {router}", "name", "edge")
    outer = cli.create("router", router, "port create addresses 10.0.0.1/24,fd00::1/64 mac 02:00:00:00:00:01")
    changed(cli, f"port {outer}", "addresses", "10.0.1.1/24")
    cli("port", outer, "set peer", inner)
    assert cli("port", inner, "peer show id") == outer + "\n"
    cli("clear port", outer, "peer")
    assert cli("port", inner, "show peer") == "\n"
    route = cli.create("router", router, "add route type normal src 0.0.0.0/0 dst 10.9.0.0/16 gw 10.0.1.2 port", outer, "weight 100")
    assert f"route {route} type normal src 0.0.0.0/0 dst 10.9.0.0/16 gw 10.0.1.2 port {outer} weight 100 learned false\n" in cli("router", router, "route list")
    gone(cli, f"router {router} route {route}")
    cli("clear port", outer, "addresses")
    assert cli("port", outer, "show addresses") == "\n"

    rule = cli.create("chain", chain, "add rule type dnat action accept dst 198.51.100.7 proto 6 target 10.0.0.1-10.0.0.9:80-90")
    assert cli("chain", chain, "rule", rule, "show target") == "10.0.0.1-10.0.0.9:80-90\n"
    gone(cli, f"chain {chain} rule {rule}")

    group = cli.create("port-group create name pg stateful true")
    changed(cli, f"port-group {group}", "stateful", "false")
    assert cli("port-group", group, "add member port", inner) == f"port-group {group} port {inner}\n"
    cli("port-group", group, "delete member port", inner)
    assert cli("port-group", group, "member list") == ""
    addresses = cli.create("ip-address-group create name ipg")
    assert cli("ip-address-group", addresses, "add ip address 1.2.3.4") == "address 1.2.3.4\n"
    assert cli("ip-address-group", addresses, "add ipv6 address 2001:db8::1") == "address 2001:db8::1\n"
    cli("ip-address-group", addresses, "delete ip address 1.2.3.4")
    assert cli("ip-address-group", addresses, "list ip") == "address 2001:db8::1\n"

    for path in (f"port-group {group}", f"ip-address-group {addresses}", f"port {outer}", f"bridge {bridge} port {inner}", f"bridge {bridge}",
                 f"router {router}", f"chain {chain}"):
        gone(cli, path)


def test_load_balancers(cli: Cli) -> None:
    balancer = cli.create("load-balancer create")
    changed(cli, f"load-balancer {balancer}", "state", "down")
    router = cli.create("router create load-balancer", balancer)
    assert cli("load-balancer", balancer, "router show id") == router + "\n"
    monitor = cli.create("health-monitor create type TCP delay 5 timeout 3 max-retries 2")
    changed(cli, f"health-monitor {monitor}", "delay", "6")
    pool = cli.create("load-balancer", balancer, "add pool lb-method ROUND_ROBIN health-monitor", monitor)
    assert cli("health-monitor", monitor, "pool list").startswith(f"pool {pool} load-balancer {balancer} health-monitor {monitor} lb-method ROUND_ROBIN")
    cli("clear load-balancer", balancer, "pool", pool, "health-monitor")
    member = cli.create("load-balancer", balancer, "pool", pool, "add member address 10.0.0.7 protocol-port 80")
    changed(cli, f"load-balancer {balancer} pool {pool} member {member}", "weight", "3")
    vip = cli.create("load-balancer", balancer, "pool", pool, "add vip address 198.51.100.1 protocol-port 80 persistence SOURCE_IP")
    cli("clear load-balancer", balancer, "vip", vip, "persistence")
    assert cli("load-balancer", balancer, "vip list") == f"vip {vip} load-balancer {balancer} address 198.51.100.1 protocol-port 80 state up\n"
    for path in (f"load-balancer {balancer} pool {pool} vip {vip}", f"load-balancer {balancer} pool {pool} member {member}",
                 f"load-balancer {balancer} pool {pool}", f"health-monitor {monitor}"):
        gone(cli, path)


def test_hosts_zones_and_bindings(cli: Cli) -> None:
    assert cli("host list") == (f"host {HOST} name hyp1 alive false flooding-proxy-weight 1 container-weight 1 container-limit no-limit "
                                "enforce-container-limit false\n")
    changed(cli, f"host {HOST}", "container-limit", "4")
    assert cli("host", HOST, "set name x", expect=1) == "User error: 'name is a read-only attribute.'\n"
    for kind in ("gre", "vxlan"):
        zone = cli.create("tunnel-zone create name", kind, "type", kind)
        assert cli("tunnel-zone", zone, "add member host", HOST, "address 10.0.0.1") == f"zone {zone} host {HOST} address 10.0.0.1\n"
        assert cli("tunnel-zone", zone, "member list").split()[3] == HOST, "as known scripts read it"
        changed(cli, f"tunnel-zone {zone}", "name", f"{kind}2")
    port = cli.create("bridge", cli.create("bridge create"), "add port")
    assert cli("host", HOST, "add binding port", port, "interface tap0") == f"host {HOST} interface tap0 port {port}\n"
    assert cli("host", HOST, "list binding interface tap0") == f"host {HOST} interface tap0 port {port}\n"
    assert cli("host", HOST, "interface list") == ""
    refused = cli("delete host", HOST, expect=1)
    assert refused.startswith("Internal error: ") and refused.count("\n") == 1
    cli("host", HOST, "delete binding interface tap0")
    cli("tunnel-zone", zone, "member host", HOST, "delete")
    gone(cli, f"host {HOST}")


def test_errors_of_the_server_are_shown(cli: Cli) -> None:
    assert cli("router add port", expect=1).startswith("Syntax error at: ...")
    assert "nextHop" in cli("router", cli.create("router create"), "add route type normal src 0.0.0.0/0 dst 0.0.0.0/0", expect=1)
    for collection in ("vtep", "mirror", "tracerequest", "container", "qos-policy"):
        assert cli("list", collection) == ""
    assert "toPortId" in cli("create mirror", expect=1)


def test_scripts_from_a_pipe(cli: Cli) -> None:
    arguments = ("-A", "--midonet-url", cli.url)
    done = cli.run(*arguments, given="create bridge name a\nbogus\n\nlist bridge name a\n")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    bridge = lines[0].removeprefix(PROMPT)
    assert lines[1:] == [PROMPT + "Syntax error at: ...bogus", PROMPT + PROMPT + f"bridge {bridge} name a state up", PROMPT]
    assert "\x1b" not in done.stdout
    assert cli.run(*arguments, given="list bridge\nbogus\n").returncode == 1
    assert cli.run(*arguments, given="bogus\nexit\nlist bridge\n").returncode == 1
    assert cli.run(*arguments).returncode == 0


def test_json(cli: Cli) -> None:
    done = cli.run("-A", "--midonet-url", cli.url, "--json", "-e", "create", "bridge", "name", "red")
    made = json.loads(done.stdout)
    assert made["name"] == "red"
    assert json.loads(cli.run("-A", "--midonet-url", cli.url, "--json", "-e", "list", "bridge").stdout) == [made]


def test_sources_of_settings(cli: Cli) -> None:
    listing = ("-e", "list", "bridge")
    assert cli.run(*listing).stderr == "Missing: Midonet API URL\n"
    (cli.home / ".midonetrc").write_text(f"[cli]\napi_url = {cli.url}\nusername = admin\npassword = secret\n")
    assert cli.run(*listing).stderr == "Missing: Midonet Project ID\n"
    assert cli.run(*listing, MIDO_PROJECT_ID="admin").returncode == 0
    assert cli.run(*listing, "-i", "admin").returncode == 0
    assert cli.run(*listing, "-A").returncode == 0
    nowhere = "http://127.0.0.1:1/midonet-api"
    down = cli.run(*listing, "-A", MIDO_API_URL=nowhere)
    assert (down.returncode, down.stderr) == (1, "Connection to MidoNet API server refused. Bye.\n"), "stronger than the file"
    assert cli.run(*listing, "-A", f"--midonet-url={cli.url}", MIDO_API_URL=nowhere).returncode == 0, "strongest"
    assert cli.run("-A", "list", "bridge").returncode == 2
    assert cli.run("--help").returncode == 0


def test_a_password_is_asked_for(cli: Cli) -> None:
    asking = Terminal([CLI, "--midonet-url", cli.url, "-u", "admin", "-i", "admin", "-p", "-e", "create", "bridge", "name", "b"],
                      cli.environment, first="Password: ")
    try:
        asking.type("secret\n")
        assert asking.process.wait(20) == 0
        printed = ""
        while not UUID.search(printed):  # the line that the password ended may come first
            printed = asking.read_until("\n")
    finally:
        asking.close()
    assert "No password given" in cli.run("--midonet-url", cli.url, "-u", "admin", "-i", "admin", "-p", "-e", "list", "bridge").stderr


def test_tenants(cli: Cli) -> None:
    arguments = ("-A", "--midonet-url", cli.url, "--tenant", "t", "-e")
    mine = cli.run(*arguments, "create", "bridge", "name", "mine").stdout.strip()
    cli("create bridge name other")
    assert cli.run(*arguments, "bridge", "list").stdout == f"bridge {mine} name mine state up\n"
    assert cli("bridge", mine, "show tenant") == "t\n"


def test_watch_repeats_until_interrupted(cli: Cli) -> None:
    cli("create bridge name red")
    arguments = [CLI, "-A", "--midonet-url", cli.url, "--watch", "1", "-e", "list", "bridge"]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, env=cli.environment) as watching:
        assert watching.stdout is not None
        lines = [watching.stdout.readline() for _ in range(2)]
        watching.send_signal(signal.SIGINT)
        assert watching.wait(20) == 0
    assert lines[0] == lines[1] and "name red" in lines[0]


@contextmanager
def watching_bridges(cli: Cli) -> Iterator[TextIO]:
    """What `list bridge --watch` prints, until it is interrupted."""
    arguments = [CLI, "-A", "--midonet-url", cli.url, "-e", "list", "bridge", "--watch"]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, env=cli.environment) as watching:
        assert watching.stdout is not None
        try:
            yield watching.stdout
        finally:
            watching.send_signal(signal.SIGINT)
        assert watching.wait(20) == 0
        assert watching.stdout.read() == ""


def test_watch_prints_again_what_the_server_tells_of(cli: Cli) -> None:
    red = cli.create("create bridge name red")
    with watching_bridges(cli) as printed:
        assert printed.readline() == f"bridge {red} name red state up\n"
        cli("create router name r")
        cli("set bridge", red, "name blue")
        assert printed.readline() == f"bridge {red} name blue state up\n"


def test_watch_goes_on_when_the_server_starts_again(cli: Cli, server_with_hosts: Server, start: StartServer) -> None:
    red = cli.create("create bridge name red")
    with watching_bridges(cli) as printed:
        assert printed.readline() == f"bridge {red} name red state up\n"
        assert server_with_hosts.end() == 0
        start(f"api.listen={cli.url.split('/')[2]}")
        cli("set bridge", red, "name blue")
        assert printed.readline() == f"bridge {red} name blue state up\n"


def test_a_session_that_loses_its_server(terminal: Terminal, server_with_hosts: Server) -> None:
    server_with_hosts.kill()
    terminal.type("list bridge\n")
    terminal.read_until("Connection to MidoNet API server refused.\nBye.\n")
    assert terminal.process.wait(20) == 1


def test_completion_on_a_terminal(terminal: Terminal) -> None:
    terminal.run("create bridge name red")
    terminal.type("lis\tbri\t")
    terminal.read_until("list bridge ")
    terminal.type("\n")
    assert terminal.read_until(PROMPT).splitlines()[-2] == "bridge bridge0 name red state up"
    terminal.type("bridge bridge0 set sta\tdo\t\n")
    terminal.read_until(PROMPT)
    assert terminal.run("bridge bridge0 show state") == ["down"]
    assert terminal.end() == 0


def transcript(name: str) -> list[list[tuple[str, list[str]]]]:
    """The parts of a session: commands with the lines they print. "midonet> " begins a command, "# " a comment, an empty line a part."""
    parts: list[list[tuple[str, list[str]]]] = [[]]
    for line in Path(__file__).with_name(name).read_text().splitlines():
        if line.startswith(PROMPT):
            parts[-1].append((line.removeprefix(PROMPT), []))
        elif not line:
            parts.append([])
        elif not line.startswith("#"):
            parts[-1][-1][1].append(line)
    return parts


@pytest.mark.parametrize(("session", "hosts"), [("cli_session.txt", ["hyp1"]), ("cli_session_vpc.txt", ["gw1", "nc1", "nc2", "clc"]),
                                               ("cli_session_reference.txt", ["hyp1"])],
                         ids=["every object", "two VPCs", "the reference"])
def test_the_whole_session(session: str, hosts: list[str], terminal: Terminal, tmp_path: Path) -> None:
    """Builds, shows, changes and tears down what it is about. The store is sound after every part; nothing but the hosts is left."""
    for part in transcript(session):
        for command, expected in part:
            # The server lists in the order of ids, which are random; rules have their position.
            assert sorted(terminal.run(command)) == sorted(expected), command
        assert "nothing found" in nsdb(tmp_path / "nsdb", "verify"), part
    assert terminal.end() == 0
    left = [json.loads(line) for line in nsdb(tmp_path / "nsdb", "dump").splitlines()]
    assert [(line["class"], line["object"].get("name")) for line in left if "class" in line] == [("Host", name) for name in hosts]
    assert not [line for line in left if "table" in line]
