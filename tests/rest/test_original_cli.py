"""The original midonet-cli (midonetclient 5.2.0 of PyPI) with our server, and beside ours: one builds what the other shows.

It was written for Python 2. What that needs is done here, to a copy of it, never in the server. Skipped where PyPI
cannot be reached.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Callable

import pytest

from conftest import BIN
from terminal import PROMPT
from test_cli import HOST, UUID, Cli, cli, hosts, server_with_hosts  # noqa: F401

Script = Callable[[list[str]], list[str]]

# What the automatic translation to Python 3 leaves over.
START = """
import base64, runpy, sys
encode = base64.b64encode
base64.b64encode = lambda text: encode(text.encode()).decode()
import webob.exc
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The command that runs the original."""
    folder = tmp_path_factory.mktemp("original")
    python = folder / "venv/bin/python"
    site = folder / "site"
    for command in ([sys.executable, "-m", "venv", folder / "venv"],
                    [python, "-m", "pip", "install", "-q", "--retries", "1", "httplib2", "webob", "fissix"],
                    [python, "-m", "pip", "install", "-q", "--retries", "1", "--no-deps", "--target", site, "midonetclient==5.2.0"]):
        if subprocess.run(command, capture_output=True, timeout=240).returncode != 0:
            pytest.skip(f"cannot be installed: {' '.join(map(str, command))}")
    subprocess.run([python, "-W", "ignore", "-m", "fissix", "-w", "-n", "--no-diffs", site / "midonetclient", site / "bin/midonet-cli"],
                   check=True, capture_output=True, timeout=240)
    (folder / "start.py").write_text(START)
    return ["env", f"PYTHONPATH={site}", str(python), "-W", "ignore", str(folder / "start.py"), str(site / "bin/midonet-cli")]


def outputs(command: list[str], server: Cli, lines: list[str]) -> list[str]:
    """What each line prints, run as one script, with every id written as ID."""
    done = subprocess.run([*command, "-A", "--midonet-url", server.url], input="\n".join(lines) + "\n", capture_output=True, text=True, timeout=120,
                          env={"HOME": str(server.home), "PATH": os.environ["PATH"]})
    printed = done.stdout.split(PROMPT)[1:-1]
    assert len(printed) == len(lines), done.stdout + done.stderr
    return [UUID.sub("ID", text) for text in printed]


BUILD = """
create bridge name b
bridge name b add port vlan 5
bridge name b add port vlan 6
router create name r asn 65000
router name r add route type blackhole src 10.1.0.0/24 dst 10.3.0.0/16 weight 7
chain create name c
chain name c add rule type drop src !10.0.0.0/8 proto 6 pos 1
chain name c add rule type accept flow return-flow pos 1
chain name c add rule type dnat action accept target 10.0.0.7:8080 pos 2
port-group create name pg stateful true
ip-address-group create name ipg
ip-address-group name ipg add ip address 1.2.3.4
tunnel-zone create name tz type vxlan
load-balancer create
health-monitor create type TCP delay 5 timeout 3 max-retries 2
load-balancer state up add pool lb-method ROUND_ROBIN
""".strip().splitlines()

SHOW = f"""
list bridge
bridge name b list port vlan 5
bridge name b show state
router list
router name r route list type blackhole
chain list
port-group list
ip-address-group list
ip-address-group name ipg list ip
tunnel-zone list
load-balancer list
health-monitor list
load-balancer state up list pool
host list
show host {HOST}
system-state show state
bogus cmd
bridge name b show
show host {HOST} bogus
""".strip().splitlines()


@pytest.mark.parametrize("builder", ["ours", "original"])
def test_both_build_and_show_the_same(builder: str, original: list[str], cli: Cli) -> None:  # noqa: F811
    ours = [str(BIN / "midonet-cli")]
    made = outputs(ours if builder == "ours" else original, cli, BUILD)
    assert [text for text in made if text not in ("ID\n", "address 1.2.3.4\n")] == []
    for line, theirs, mine in zip(SHOW, outputs(original, cli, SHOW), outputs(ours, cli, SHOW), strict=True):
        assert mine == theirs, line


def test_the_original_changes_and_removes(original: list[str], cli: Cli) -> None:  # noqa: F811
    outputs([str(BIN / "midonet-cli")], cli, BUILD)
    port = cli("bridge name b port vlan 5 show id").strip()
    zone = cli("tunnel-zone name tz show id").strip()
    bridge = cli("bridge name b show id").strip()
    chain = cli("chain name c show id").strip()
    printed = outputs(original, cli, [
        f"tunnel-zone {zone} add member host {HOST} address 10.0.0.1",
        f"host {HOST} add binding port {port} interface tap0",
        f"port-group name pg add member port {port}",
        f"bridge {bridge} set name renamed infilter {chain}",
        f"bridge {bridge} port {port} set state down",
        f"host {HOST} set flooding-proxy-weight 3",
    ])
    assert printed == ["zone ID host ID address 10.0.0.1\n", "host ID interface tap0 port ID\n", "port-group ID port ID\n", "", "", ""]
    assert cli("list bridge") == f"bridge {bridge} name renamed state up infilter {chain}\n"
    assert outputs(original, cli, [f"host {HOST} delete binding interface tap0", f"tunnel-zone {zone} delete member host {HOST}",
                                   f"delete bridge {bridge} port {port}", f"delete bridge {bridge}", f"delete chain {chain}"]) == [""] * 5
    assert cli("list bridge") + cli("list port") + cli("list chain") == ""
