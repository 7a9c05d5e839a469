"""The way of a client through the links of the API."""

from __future__ import annotations

import pytest

from client import Client, HttpError, collection, item


def test_login_then_links_only(api: Client) -> None:
    api.login("admin", "secret", "admin")
    assert api.token == "00000000"
    root = api.root()
    assert root["version"] == "v5.0"
    assert root["uri"] == api.url + "/"
    assert api.get(root["systemState"], item("SystemState-v2"))["state"] == "ACTIVE"

    bridge = api.create(root["bridges"], item("Bridge-v4"), {"name": "b", "tenantId": "t"})
    assert api.get(root["bridgeTemplate"].replace("{id}", bridge["id"]), item("Bridge-v4")) == bridge
    port = api.create(bridge["ports"], item("Port-v3"), {"type": "Bridge"})
    assert api.get(port["device"], item("Bridge-v4")) == bridge
    assert [p["id"] for p in api.get(bridge["ports"], collection("Port-v3"))] == [port["id"]]
    assert [b["id"] for b in api.get(root["bridges"] + "?tenant_id=t", collection("Bridge-v4"))] == [bridge["id"]]
    assert api.get(bridge["peerPorts"], collection("Port-v3")) == []
    assert api.get(bridge["macTable"], collection("MacPort-v2")) == []

    api.delete(port["uri"])
    with pytest.raises(HttpError) as gone:
        api.get(port["uri"], item("Port-v3"))
    assert gone.value.status == 404


def test_whole_objects_are_put_back(api: Client) -> None:
    root = api.root()
    bridge = api.create(root["bridges"], item("Bridge-v5"), {"name": "b"})
    bridge["name"] = "renamed"
    assert api.update(bridge, item("Bridge-v5")) == bridge
    port = api.create(bridge["ports"], item("Port-v4"), {"type": "ExteriorBridge", "vlanId": "12"})
    port["adminStateUp"] = False
    assert api.update(port, item("Port-v4")) == port
    zone = api.create(root["tunnelZones"], item("TunnelZone-v1"), {"name": "z", "type": "gre"})
    zone["type"] = "vxlan"
    assert api.update(zone, item("TunnelZone-v1")) == zone
    assert api.get(zone["hosts"], collection("GreTunnelZoneHost-v1")) == []


def test_mac_entries_by_template(api: Client) -> None:
    bridge = api.create(api.root()["bridges"], item("Bridge-v4"), {"name": "b"})
    port = api.create(bridge["ports"], item("Port-v3"), {"type": "Bridge"})
    entry = api.create(bridge["macTable"], item("MacPort-v2"), {"macAddr": "02:00:00:00:00:01", "portId": port["id"]})
    template = bridge["macPortTemplate"].replace("{macAddress}", "02-00-00-00-00-01").replace("{portId}", port["id"])
    assert entry["uri"] == template
    tagged = bridge["vlanMacTableTemplate"].replace("{vlanId}", "5")
    other = api.create(tagged, item("MacPort-v2"), {"macAddr": "02:00:00:00:00:02", "portId": port["id"]})
    assert other["vlanId"] == 5
    assert {e["uri"] for e in api.get(bridge["macTable"], collection("MacPort-v2"))} == {entry["uri"], other["uri"]}


def test_keys_that_are_indexed_without_asking(api: Client) -> None:
    """Absent keys raise KeyError in that client."""
    root = api.root()
    bridge = api.create(root["bridges"], item("Bridge-v4"), {})
    for key in ("id name tenantId adminStateUp inboundFilterId outboundFilterId inboundMirrorIds outboundMirrorIds qosPolicyId "
                "ports peerPorts dhcpSubnets uri").split():
        bridge[key]
    port = api.create(bridge["ports"], item("Port-v3"), {"type": "Bridge"})
    for key in ("id type deviceId adminStateUp active hostId interfaceName peerId vifId vlanId inboundFilterId outboundFilterId "
                "inboundMirrorIds outboundMirrorIds postInFilterMirrorIds preOutFilterMirrorIds qosPolicyId link portGroups uri").split():
        port[key]


def test_errors_have_a_message_and_a_code(api: Client) -> None:
    with pytest.raises(HttpError) as refused:
        api.create(api.root()["tunnelZones"], item("TunnelZone-v1"), {"type": "gre"})
    assert refused.value.status == 400
    assert '"property":"name"' in refused.value.body


def test_a_router_with_all_that_belongs_to_it(api: Client) -> None:
    root = api.root()
    router = api.create(root["routers"], item("Router-v3"), {"name": "r"})
    bridge = api.create(root["bridges"], item("Bridge-v4"), {"name": "b"})
    inner = api.create(bridge["ports"], item("Port-v3"), {"type": "InteriorBridge"})
    outer = api.create(router["ports"], item("Port-v3"), {
        "type": "InteriorRouter", "portAddress": "10.0.0.1", "networkAddress": "10.0.0.0", "networkLength": "24"})
    api.post(outer["link"], item("PortLink-v1"), {**outer, "peerId": inner["id"]})
    assert api.get(inner["uri"], item("Port-v3"))["peerId"] == outer["id"]
    outer = api.get(outer["uri"], item("Port-v3"))
    assert api.update(outer, item("Port-v3")) == outer, "clients put the whole port after a link"
    assert [p["id"] for p in api.get(router["peerPorts"], collection("Port-v3"))] == [inner["id"]]
    assert [r["type"] for r in api.get(router["routes"], collection("Route-v1"))] == ["Local"]

    chain = api.create(root["chains"], item("Chain-v1"), {"name": "c"})
    rule = api.create(chain["rules"], item("Rule-v2"), {"type": "drop", "nwProto": "6", "tpDst": {"start": "22", "end": "22"}})
    assert rule["tpDst"] == {"start": 22, "end": 22}
    assert api.get(chain["rules"], collection("Rule-v2")) == [rule]
    group = api.create(root["ipAddrGroups"], item("IpAddrGroup-v1"), {"name": "g"})
    address = api.create(group["addrs"], item("IpAddrGroupAddr-v1"), {"addr": "2001:db8::1", "version": "6"})
    api.delete(address["uri"])
    assert api.get(group["addrs"], collection("IpAddrGroupAddr-v1")) == []
