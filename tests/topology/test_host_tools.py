"""What an operator and a hypervisor use on a host: mm-ctl plugs machines in, mm-dpctl, mm-meter and mm-trace show what passes."""

from __future__ import annotations

import json
import re
import uuid

import pytest

from midonet_lab import checks
from midonet_lab.api import agent_page, parse_metrics
from midonet_lab.checks import Ping
from midonet_lab.lab import Lab
from midonet_lab.waiting import wait_until

NOBODY = 65534


@pytest.fixture(scope="module")
def lab(make_module_lab) -> Lab:
    return make_module_lab([{"name": "a", "host": "h1", "bridge": "red"}, {"name": "b", "host": "h1", "bridge": "red"},
                            {"name": "c", "host": "h2", "bridge": "red"}])


def reaches(lab: Lab, source: str, target: str, seconds: float = 5.0) -> bool:
    return bool(checks.ping_all([Ping(lab.namespace(source), lab.cloud.machine(target).address)], seconds))


def tool(lab: Lab, host: str, program: str, *words: str) -> str:
    """What it prints when it succeeds."""
    done = lab.run_tool(host, program, *words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def meter(lab: Lab, host: str, name: str) -> int:
    """Packets that a meter has counted."""
    return json.loads(tool(lab, host, "mm-meter", "list", "--json")).get(name, {"packets": 0})["packets"]


def test_mm_ctl_unbinds_and_binds(lab):
    assert reaches(lab, "a", "b")
    port, interface = lab.port_id("b"), lab.cloud.machine("b").interface
    assert lab.run_tool("h2", "mm-ctl", "--unbind-port", port).returncode == 0, "not its port: nothing happens"
    assert lab.api.port(port)["interfaceName"] == interface
    assert tool(lab, "h1", "mm-ctl", "--unbind-port", port) == ""
    lab.wait_active(["b"], active=False)
    wait_until(lambda: not reaches(lab, "a", "b", 0.3), "the flows to the port to end")
    assert tool(lab, "h1", "mm-ctl", "--bind-port", port, interface) == ""
    lab.wait_active(["b"])
    assert reaches(lab, "a", "b")


def test_mm_ctl_refuses_what_cannot_be(lab):
    taken = lab.run_tool("h1", "mm-ctl", "--bind-port", lab.port_id("a"), lab.cloud.machine("b").interface)
    assert (taken.returncode, taken.stdout) == (255, "") and lab.port_id("b") in taken.stderr
    nobody = lab.run_tool("h1", "mm-ctl", "--bind-port", str(uuid.uuid4()), "tap0")
    assert nobody.returncode == 255 and "Command failed" in nobody.stderr
    wrong = lab.run_tool("h1", "mm-ctl", "--bind-port", lab.port_id("a"))
    assert wrong.returncode == 1 and "Invalid command" in wrong.stderr
    assert reaches(lab, "a", "b")


def test_mm_ctl_binds_an_interface_that_comes_later(lab):
    port, interface = lab.port_id("b"), lab.cloud.machine("b").interface
    early = lab.run_tool("h1", "mm-ctl", "--bind-port", port, "later0")
    assert early.returncode == 0 and "no interface later0" in early.stderr
    wait_until(lambda: "later0 does not exist" in (lab.api.port(port)["status"] or ""), "the port to say why it is not active")
    tool(lab, "h1", "mm-ctl", "--bind-port", port, interface)
    lab.wait_active(["b"])


def test_mm_ctl_while_the_agent_is_down(lab):
    port, interface = lab.port_id("c"), lab.cloud.machine("c").interface
    lab.process("agent:h2").stop()
    for words, bound in ((("--unbind-port", port), None), (("--bind-port", port, interface), interface)):
        done = lab.run_tool("h2", "mm-ctl", *words)
        assert (done.returncode, done.stdout) == (0, "Command succeeded\n"), done.stderr
        assert "Falling back to legacy method" in done.stderr
        assert lab.api.port(port)["interfaceName"] == bound
    lab.start_agent("h2")
    lab.wait_active(["c"])
    assert reaches(lab, "a", "c")


def test_the_tools_are_not_for_everybody(lab):
    socket = lab.folder / "hosts/h1/agent.sock"
    assert socket.stat().st_mode & 0o777 == 0o600
    refused = lab.run_tool("h1", "mm-ctl", "--unbind-port", lab.port_id("a"), user=NOBODY)
    assert refused.returncode == 13 and "root" in refused.stderr
    for program, *words in (("mm-meter", "list"), ("mm-trace", "list"), ("mm-dpctl", "datapath", "--show", "midonet")):
        assert lab.run_tool("h1", program, *words, user=NOBODY).returncode == 1
    assert lab.api.port(lab.port_id("a"))["interfaceName"] == lab.cloud.machine("a").interface


def test_mm_dpctl_shows_the_flow_of_a_ping(lab):
    source, target = lab.cloud.machine("a"), lab.cloud.machine("b")
    assert tool(lab, "h1", "mm-dpctl", "datapath", "--list") == "Found 1 datapath\n  midonet\n"
    lab.flush_flows("h1")
    # What was installed may have carried a first ping, and end then.
    before = wait_until(lambda: reaches(lab, "a", "b") and _ping_flow(lab), "the flow of a ping")
    for _ in range(5):
        assert reaches(lab, "a", "b")
    after = _ping_flow(lab)
    assert after is not None
    # A ping that is not answered soon is sent again.
    assert 5 <= after["packets"] - before["packets"] < 25
    assert after["bytes"] > before["bytes"] and after["match"]["eth_dst"] == target.mac

    shown = tool(lab, "h1", "mm-dpctl", "datapath", "--show", "midonet")
    numbers = {name: number for number, name in re.findall(r"Port #(\d+) '([^']+)' NetDev Stats\{rxPackets=[1-9]", shown)}
    assert numbers[source.interface] == after["match"]["in_port"]
    assert after["actions"][-1] == f"output({numbers[target.interface]})"
    assert "Tunnel #1 VXLan" in shown and re.search(r"^  Flows: [1-9]", shown, re.M)
    dumped = tool(lab, "h1", "mm-dpctl", "datapath", "--dump", "midonet")
    assert re.match(r"\d+ flows\n  Flow\n    Match: ", dumped) and f"eth_dst={target.mac}" in dumped


def _ping_flow(lab: Lab) -> dict | None:
    """The flow from machine a to machine b, if there is one."""
    a, b = lab.cloud.machine("a"), lab.cloud.machine("b")
    flows = json.loads(tool(lab, "h1", "mm-dpctl", "datapath", "--dump", "midonet", "--json"))["flows"]
    found = [flow for flow in flows if (flow["match"].get("eth_src"), flow["match"].get("eth_dst")) == (a.mac, b.mac)
             and flow["match"].get("eth_type", "0x0800") == "0x0800"]
    assert len(found) <= 1, flows
    return found[0] if found else None


def test_mm_meter_counts_the_packets_of_a_ping(lab):
    assert reaches(lab, "a", "c")  # neighbours are known
    names = {"in": ("h1", f"meters:port:rx:{lab.port_id('a')}"), "out": ("h2", f"meters:port:tx:{lab.port_id('c')}"),
             "bridge": ("h1", f"meters:device:{lab.state.ids['bridge:red']}")}
    before = {what: meter(lab, *name) for what, name in names.items()}
    for _ in range(10):
        assert reaches(lab, "a", "c")
    counted = {what: meter(lab, *name) - before[what] for what, name in names.items()}
    # Machines may ask for each other again meanwhile, and a ping that is not answered soon is sent again.
    assert all(10 <= count < 50 for count in counted.values()), counted
    tunnels = [name for name in tool(lab, "h1", "mm-meter", "list").split() if name.startswith("meters:tunnel:")]
    assert len(tunnels) == 1 and meter(lab, "h1", tunnels[0]) >= 20
    lines = tool(lab, "h1", "mm-meter", "get", "-n", names["in"][1], "1", "2").splitlines()
    assert lines[0] == "     packets        bytes" and len(lines) == 3
    missing = lab.run_tool("h1", "mm-meter", "get", "-n", "meters:device:nothing")
    assert missing.returncode == 1 and "[mm-meter] Failed: there is no meter" in missing.stderr


def test_rules_with_a_meter_count_what_matches(lab):
    chain = lab.api.add_chain("metered")
    lab.api.add_rule(chain, "accept", dlType=0x0800, nwProto=1, meterName='pings of "a"')
    lab.api.add_rule(chain, "accept", position=2, dlType=0x0806, meterName="questions")
    lab.api.change(f"/ports/{lab.port_id('a')}", inboundFilterId=chain)
    pings = 'meters:user:pings of "a"'
    wait_until(lambda: reaches(lab, "a", "b") and meter(lab, "h1", pings) > 0, "the chain to take effect")
    before = meter(lab, "h1", pings)
    for _ in range(10):
        assert reaches(lab, "a", "b")
    counted = meter(lab, "h1", pings)
    assert 10 <= counted - before < 50
    assert meter(lab, "h2", pings) == 0
    namespace = lab.namespace("h1")
    metrics = parse_metrics(agent_page(namespace, "GET", "/metrics").decode())
    assert metrics['midonet_packets_total{key="meters:user:pings of \\"a\\"",registry="0"}'] >= counted
    lines = dict(line.split("\t", 1) for line in agent_page(namespace, "GET", "/device_stats").decode().splitlines())
    assert int(lines[pings].split("\t")[0]) >= counted
    lab.api.change(f"/ports/{lab.port_id('a')}", inboundFilterId=None)


def test_mm_trace_tells_of_a_first_packet(lab):
    assert reaches(lab, "a", "c")  # neighbours are known
    log = lab.folder / "hosts/h1/mm-trace.log"
    target = lab.cloud.machine("c")
    match = ("--ip-protocol", "1", "--mac-dst", target.mac)
    assert tool(lab, "h1", "mm-trace", "add", "--trace", *match) == ""
    listed = f"mm-trace --trace --limit 1 --mac-dst {target.mac} --ip-protocol 1\n"
    assert tool(lab, "h1", "mm-trace", "list", "-L") == listed
    lab.flush_flows("h1")
    # Until the flush has come to the worker, the flow that is there serves the ping.
    wait_until(lambda: reaches(lab, "a", "c") and tool(lab, "h1", "mm-trace", "list", "-L") == "", "a ping to be traced")
    text = wait_until(lambda: log.exists() and log.read_text(), "the log to be written")
    assert text.count(" mm-trace ") == 1 and listed[:-1] in text
    assert f"    in by port {lab.port_id('a')}\n" in text and f"\n    bridge {lab.state.ids['bridge:red']}: " in text
    assert f"\n    forwarded\n    leaves by port {lab.port_id('c')} of host " in text
    assert tool(lab, "h1", "mm-trace", "list") == listed, "it is done, and still there"
    assert tool(lab, "h1", "mm-trace", "remove", "--trace", *match) == "Removed 1 tracer(s)\n"
    refused = lab.run_tool("h1", "mm-trace", "add", *match)
    assert refused.returncode == 1 and refused.stderr.startswith("[mm-trace] Failed: ")


def test_without_an_agent(lab):
    lab.process("agent:h2").stop()
    refused = lab.run_tool("h2", "mm-meter", "list")
    assert refused.returncode == 1 and "agent.sock" in refused.stderr
    assert "Port #" in tool(lab, "h2", "mm-dpctl", "datapath", "--show", "midonet"), "the kernel goes on"
    lab.start_agent("h2")
    lab.wait_active(["c"])
