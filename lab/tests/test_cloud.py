"""The cloud file: defaults, and a clear word for everything that is wrong."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest

from midonet_lab import cloud
from midonet_lab.errors import LabError

SMALL = {"name": "c", "hosts": ["h1", "h2"], "bridges": ["red"],
         "machine": [{"name": "a", "host": "h1", "bridge": "red"}, {"name": "b", "host": "h2", "bridge": "red"}]}


def changed(**changes):
    data = copy.deepcopy(SMALL)
    for key, value in changes.items():
        data["machine"][0 if key != "second" else 1].update(value) if key in ("first", "second") else data.update({key: value})
    return data


def test_defaults_are_filled_in():
    parsed = cloud.parse(SMALL)
    first, second = parsed.machines
    assert (parsed.zone_type, parsed.mtu) == ("vxlan", 1600)
    assert (first.kind, first.offload, first.mtu, first.interface) == ("veth", True, 1550, "p-a")
    assert first.ip != second.ip and first.ip6 != second.ip6 and first.mac != second.mac


def test_gre_leaves_room_for_key_and_vlan_tag():
    assert cloud.parse(changed(zone={"type": "gre"})).machines[0].mtu == 1554


def test_a_machine_on_a_router():
    parsed = cloud.parse(changed(routers=["edge"], machine=[
        {"name": "a", "host": "h1", "router": "edge", "ip": "198.51.100.2/24", "gateway": "198.51.100.1"}]))
    machine, = parsed.machines
    assert (machine.bridge, machine.router, machine.device, machine.gateway) == ("", "edge", "router:edge", "198.51.100.1")
    assert cloud.Cloud.from_dict(parsed.to_dict()) == parsed


def test_survives_the_state_file():
    parsed = cloud.parse(changed(agent={"agent.workers": 2, "x.y": True}))
    assert cloud.Cloud.from_dict(parsed.to_dict()) == parsed
    assert parsed.agent_settings == {"agent.workers": "2", "x.y": "true"}


@pytest.mark.parametrize("nsdb, servers", [("embedded", 0), ("zookeeper", 3), ("zookeeper(1)", 1), ("zookeeper(5)", 5)])
def test_servers_of_the_nsdb(nsdb, servers):
    parsed = cloud.parse(changed(nsdb=nsdb))
    assert parsed.zookeepers == servers
    assert cloud.Cloud.from_dict(parsed.to_dict()) == parsed


@pytest.mark.parametrize("data, word", [
    (changed(name="Demo"), "name"),
    (changed(name="a-b"), "name"),
    (changed(hosts=[]), "hosts"),
    (changed(hosts=["h1", "h1"]), "differ"),
    (changed(hosts="h1"), "list"),
    (changed(zone={"type": "vtep"}), "vtep"),
    (changed(zone={"kind": "gre"}), "kind"),
    (changed(machines=[]), "machines"),
    (changed(mtu=576), "mtu"),
    (changed(nsdb="zookeeper(0)"), "zookeeper\\(0\\)"),
    (changed(nsdb="etcd"), "etcd"),
    (changed(nsdb=3), "nsdb"),
    (changed(nsdb="zookeeper", first={"name": "nsdb1"}), "twice"),
    (changed(mtu=True), "mtu"),
    (changed(agent={"agent": {"workers": 1}}), "section.key"),
    (changed(first={"host": "h9"}), "h9"),
    (changed(first={"bridge": "green"}), "green"),
    (changed(routers=["r"], first={"router": "r"}), "one of them"),
    (changed(machine=[{"name": "a", "host": "h1"}]), "one of them"),
    (changed(machine=[{"name": "a", "host": "h1", "router": "r"}]), "router 'r'"),
    (changed(routers="r"), "routers"),
    (changed(routers=["r"], machine=[{"name": "a", "host": "h1", "router": "r"}]), "gateway"),
    (changed(first={"gateway": "nobody"}), "gateway: .*nobody"),
    (changed(first={"ip": "10.0.0.1/24", "gateway": "10.0.1.1"}), "no neighbour"),
    (changed(first={"ip": "10.0.0.1/24", "gateway": "10.0.0.1"}), "no neighbour"),
    (changed(first={"ip": "10.0.0.1/24", "gateway": "fd00::1"}), "no neighbour"),
    (changed(first={"kind": "vhost"}), "vhost"),
    (changed(first={"mac": "01:00:00:00:00:01"}), "unicast"),
    (changed(first={"ip": "10.0.0.1"}), "prefix length"),
    (changed(first={"ip": "10.0.0.300/24"}), "10.0.0.300"),
    (changed(first={"ip": "fd00::1/64"}), "IPv4"),
    (changed(first={"offload": "no"}), "offload"),
    (changed(first={"name": "h2"}), "twice"),
    (changed(first={"name": "fabric"}), "fabric"),
    (changed(first={"name": "much-too-long-name"}), "13"),
    (changed(first={"ip": "10.0.0.2/24"}, second={"ip": "10.0.0.2/16"}), "10.0.0.2"),
])
def test_mistakes_are_named(data, word):
    with pytest.raises(LabError, match=word):
        cloud.parse(data)


def test_files_that_cannot_be_read_are_named(tmp_path):
    with pytest.raises(LabError, match="nowhere.toml"):
        cloud.load(tmp_path / "nowhere.toml")
    (tmp_path / "broken.toml").write_text("name = ")
    with pytest.raises(LabError, match="broken.toml is not valid TOML"):
        cloud.load(tmp_path / "broken.toml")


@pytest.mark.parametrize("path", sorted((Path(cloud.__file__).parent.parent / "clouds").glob("*.toml")), ids=lambda p: p.name)
def test_example_clouds_are_valid(path):
    assert cloud.load(path).machines
