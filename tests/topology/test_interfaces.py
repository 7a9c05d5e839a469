"""Bindings that cannot work yet, or no more: a clear status in REST, one clear log line, and recovery by themselves."""

from __future__ import annotations

import pytest

from midonet_lab import checks, namespaces, network, processes
from midonet_lab.api import ApiError
from midonet_lab.checks import Ping
from midonet_lab.errors import LabError
from midonet_lab.lab import Lab
from midonet_lab.waiting import wait_until


@pytest.fixture
def lab(make_lab) -> Lab:
    return make_lab([{"name": "a", "host": "h1", "bridge": "red"}, {"name": "b", "host": "h1", "bridge": "red"},
                     {"name": "c", "host": "h2", "bridge": "red"}])


def reaches(lab: Lab, source: str, target: str, seconds: float = 5.0) -> bool:
    return bool(checks.ping_all([Ping(lab.namespace(source), lab.cloud.machine(target).address)], seconds))


def log_lines(lab: Lab, host: str, *words: str) -> list[str]:
    """Lines of the host's agent log that hold all the words, at warning level or above."""
    text = lab.logs(f"agent:{host}").err.read_text(errors="replace")
    return [line for line in text.splitlines() if all(word in line for word in words)
            and any(level in line.lower() for level in ("warn", "error"))]


def wait_log_line(lab: Lab, host: str, *words: str, before: int = 0) -> None:
    """Waits for one more warning than the `before` that were there, and wants it said only once."""
    lines = wait_until(lambda: log_lines(lab, host, *words)[before:], f"a warning of {host}'s agent with {words}", 10)
    assert len(lines) == 1, "said more than once:\n" + "\n".join(lines)


def wait_status(lab: Lab, machine: str, word: str) -> None:
    """Waits until REST says the port is not active and why."""
    def told() -> bool:
        port = lab.api.port(lab.port_id(machine))
        return not port["active"] and word in (port["status"] or "")
    wait_until(told, f"the status of {machine}'s port to mention '{word}': {lab.api.port(lab.port_id(machine))}", 10)


def test_an_interface_that_does_not_exist_yet(lab):
    late = lab.cloud.machine("b")
    lab.unbind(late)
    lab.wait_active(["b"], active=False)
    # REST knows at once; the agent shall not see the interface go while it still has the port.
    wait_until(lambda: "port unbound" in lab.logs("agent:h1").err.read_text(), "the agent to give the port up", 10)
    network.unplug_veth(lab.cloud, late)
    lab.bind(late)
    wait_status(lab, "b", late.interface)
    wait_log_line(lab, "h1", late.interface)
    network.plug_veth(lab.cloud, late)
    lab.wait_active(["b"])
    assert lab.api.port(lab.port_id("b"))["status"] is None
    assert reaches(lab, "a", "b") and reaches(lab, "c", "b")


def test_an_interface_that_disappears_and_returns(lab):
    for _ in range(3):
        network.unplug_veth(lab.cloud, lab.cloud.machine("b"))
        lab.wait_active(["b"], active=False)
        wait_status(lab, "b", lab.cloud.machine("b").interface)
        assert reaches(lab, "a", "c")
        network.plug_veth(lab.cloud, lab.cloud.machine("b"))
        lab.wait_active(["b"])
        assert reaches(lab, "a", "b") and reaches(lab, "c", "b")


def test_an_interface_that_loses_its_carrier(lab):
    namespaces.batch(["link set eth0 down"], lab.namespace("b"))
    wait_status(lab, "b", "carrier")
    wait_log_line(lab, "h1", lab.cloud.machine("b").interface, "carrier")
    assert reaches(lab, "a", "c")
    namespaces.batch(["link set eth0 up"], lab.namespace("b"))
    lab.wait_active(["b"])
    assert reaches(lab, "a", "b") and reaches(lab, "c", "b")


def test_two_ports_on_one_interface(lab):
    machine = lab.cloud.machine("b")
    second = lab.api.add_bridge_port(lab.state.ids["bridge:red"])
    with pytest.raises(ApiError) as refused:
        lab.api.bind(lab.state.ids["host:h1"], second, machine.interface)
    assert refused.value.status == 409
    assert machine.interface.encode() in refused.value.body
    assert lab.api.port(second)["hostId"] is None, "a refused binding must leave nothing"
    assert reaches(lab, "a", "b")
    # Mended: the first gives way.
    lab.unbind(machine)
    lab.api.bind(lab.state.ids["host:h1"], second, machine.interface)
    wait_until(lambda: lab.api.port(second)["active"], "the second port to take over")
    assert reaches(lab, "a", "b")


def zone_path(lab: Lab, host: str = "") -> str:
    path = f"/tunnel_zones/{lab.state.ids['zone']}/hosts"
    return f"{path}/{lab.state.ids[f'host:{host}']}" if host else path


def test_a_host_that_loses_its_address_in_the_zone(lab):
    """Hosts that have to reach it say that they cannot: traffic within them goes on."""
    assert reaches(lab, "a", "c")
    said = {host: len(log_lines(lab, host, "zone")) for host in lab.cloud.hosts}
    lab.api.delete(zone_path(lab, "h2"))
    wait_until(lambda: not reaches(lab, "a", "c", 0.5), "the tunnel to be gone")
    assert reaches(lab, "a", "b")
    for host in lab.cloud.hosts:
        wait_log_line(lab, host, "zone", before=said[host])
    host_path = f"/hosts/{lab.state.ids['host:h1']}"
    wait_until(lambda: "no tunnel zone in which both" in (lab.api.get(host_path)["status"] or ""), "h1 to say whom it cannot reach")
    with pytest.raises(ApiError) as refused:
        lab.api.bind(lab.state.ids["host:h2"], lab.api.add_bridge_port(lab.state.ids["bridge:red"]), "eth9")
    assert refused.value.status == 409
    lab.api.join_zone(lab.state.ids["zone"], lab.state.ids["host:h2"], lab.cloud.host_address("h2"))
    wait_until(lambda: reaches(lab, "a", "c", 1.0), "the tunnel to return", 10)
    wait_until(lambda: lab.api.get(host_path)["status"] is None, "the status of h1 to be cleared")


def test_a_host_whose_address_in_the_zone_changes(lab):
    """The underlay address is replaced on the host and in the zone; the others follow."""
    namespaces.batch(["addr del 192.0.2.2/24 dev eth0", "addr add 192.0.2.99/24 dev eth0"], lab.namespace("h2"))
    wait_until(lambda: "192.0.2.2" in (lab.api.get(zone_path(lab, "h2"))["status"] or ""), "the status to name the lost address")
    wait_log_line(lab, "h2", "192.0.2.2 is on no interface")
    lab.api.delete(zone_path(lab, "h2"))
    lab.api.join_zone(lab.state.ids["zone"], lab.state.ids["host:h2"], "192.0.2.99")
    wait_until(lambda: reaches(lab, "a", "c", 1.0), "the tunnel to the new address", 10)


def test_two_hosts_with_one_id(lab):
    """The second waits, says so once, and takes over when the first is gone; the first is not disturbed."""
    first, second = (lab.folder / "hosts" / host / "host_id" for host in ("h1", "h2"))
    lab.process("agent:h2").stop()
    own = second.read_text()
    second.write_text(first.read_text())
    process = lab.start_agent("h2", wait=False)
    wait_log_line(lab, "h2", lab.state.ids["host:h1"], "another agent")
    assert reaches(lab, "a", "b")
    assert lab.api.hosts()["h1"]["alive"]
    with pytest.raises(LabError, match="gave up waiting|ended before"):
        processes.ready_line(lab.process("agent:h2"), lab.logs("agent:h2"), lab.ready_offset("agent:h2"), "h2", 2.0)
    # Mended.
    if process.alive():
        process.stop()
    second.write_text(own)
    lab.start_agent("h2")
    lab.wait_active(["c"])
    assert reaches(lab, "a", "c")
