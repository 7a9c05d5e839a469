"""midonet-nsdb beside a running midonet-api, on one store."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from client import Client, collection, item
from conftest import BIN, StartServer
from midonet_lab import zookeeper


def nsdb(store: Path | tuple[str, ...], *words: str, expect: int = 0, given: str = "") -> str:
    """Runs the tool on the store in a folder, or the one that settings name; its output."""
    settings = (f"nsdb.path={store}",) if isinstance(store, Path) else store
    done = subprocess.run([str(BIN / "midonet-nsdb"), *words, *(word for setting in settings for word in ("--set", setting))],
                          input=given, capture_output=True, text=True, timeout=60)
    assert done.returncode == expect, done.stdout + done.stderr
    return done.stdout if done.returncode != 2 else done.stderr


def fill(api: Client) -> str:
    """A bridge with ports, a router linked to it, a chain with rules, a static MAC; the bridge's id."""
    bridge = api.create(api.url + "/bridges", item("Bridge-v4"), {"name": "red"})
    ports = [api.create(bridge["ports"], item("Port-v3"), {"type": "Bridge"}) for _ in range(3)]
    router = api.create(api.url + "/routers", item("Router-v3"), {"name": "edge"})
    gate = api.create(router["ports"], item("Port-v3"),
                      {"type": "Router", "networkAddress": "10.0.0.0", "networkLength": 24, "portAddress": "10.0.0.1"})
    api.post(ports[0]["link"], item("PortLink-v1"), {"peerId": gate["id"]})
    chain = api.create(api.url + "/chains", item("Chain-v1"), {"name": "filter"})
    api.create(chain["rules"], item("Rule-v2"), {"type": "drop", "nwProto": 6})
    api.create(bridge["macTable"], item("MacPort-v2"), {"macAddr": "02:00:00:00:00:01", "portId": ports[1]["id"]})
    return bridge["id"]


def test_a_cloud_moves_to_another_store(start: StartServer, tmp_path: Path) -> None:
    """Dumped while the API server runs, loaded into a new store, served from there as it was; the same dump again."""
    server = start()
    bridge = fill(server.client())
    old, new = tmp_path / "nsdb", tmp_path / "new"
    dump = nsdb(old, "dump")
    assert [line for line in dump.splitlines() if '"table"' in line], "the static MAC"
    assert nsdb(old, "diff", "-", given=dump) == ""
    assert "nothing found" in nsdb(old, "verify")
    server.end()

    assert "loaded" in nsdb(new, "load", "-", given=dump)
    assert "nothing found" in nsdb(new, "verify")
    assert nsdb(new, "dump").splitlines()[1:] == dump.splitlines()[1:]
    moved = start(f"nsdb.path={new}").client()
    assert moved.get(f"{moved.url}/bridges/{bridge}", item("Bridge-v4"))["name"] == "red"
    made = moved.create(f"{moved.url}/bridges/{bridge}/ports", item("Port-v3"), {"type": "Bridge"})
    keys = [json.loads(line)["object"].get("tunnel_key") for line in dump.splitlines() if '"class":"Port"' in line]
    assert made["tunnelKey"] not in keys, "counters came along"


def test_static_macs_go_with_their_port(start: StartServer, store: tuple[str, ...], tmp_path: Path) -> None:
    """Those of the port, of every VLAN, and of no other; nothing is left for the tool to find."""
    api = start(*store).client()
    bridge = api.create(api.url + "/bridges", item("Bridge-v4"), {"name": "red"})
    gone, stays = (api.create(bridge["ports"], item("Port-v3"), {"type": "Bridge"}) for _ in range(2))
    for mac, vlan, port in (("02:00:00:00:00:01", 0, gone), ("02:00:00:00:00:01", 7, gone), ("02:00:00:00:00:02", 0, stays)):
        api.create(bridge["macTable"], item("MacPort-v2"), {"macAddr": mac, "vlanId": vlan, "portId": port["id"]})
    api.delete(gone["uri"])
    assert [entry["portId"] for entry in api.get(bridge["macTable"], collection("MacPort-v2"))] == [stays["id"]]
    assert "nothing found" in nsdb(store or tmp_path / "nsdb", "verify")


@pytest.mark.skipif(not zookeeper.JAR.exists(), reason="starts a server of the package zookeeper")
def test_a_cloud_moves_to_an_ensemble_and_back(start: StartServer, tmp_path: Path, ensemble: tuple[str, ...]) -> None:
    """From files to ZooKeeper, changed there through REST, and back into files."""
    server = start()
    bridge = fill(server.client())
    server.end()
    old, back = tmp_path / "nsdb", tmp_path / "back"
    assert "there is no store" in nsdb(ensemble, "status", expect=2)
    dump = nsdb(old, "dump")
    assert "loaded" in nsdb(ensemble, "load", "-", given=dump)
    assert "nothing found" in nsdb(ensemble, "verify")
    assert nsdb(ensemble, "diff", "-", given=dump) == ""
    assert nsdb(ensemble, "dump").splitlines()[1:] == dump.splitlines()[1:]

    moved = start(*ensemble).client()
    assert moved.get(f"{moved.url}/bridges/{bridge}", item("Bridge-v4"))["name"] == "red"
    assert "not empty" in nsdb(ensemble, "load", "-", given=dump, expect=2)
    moved.create(f"{moved.url}/bridges/{bridge}/ports", item("Port-v3"), {"type": "Bridge"})
    moved.delete(f"{moved.url}/bridges/{bridge}")
    assert "nothing found" in nsdb(ensemble, "verify")
    assert "backend            zookeeper" in nsdb(ensemble, "status")
    changed = nsdb(ensemble, "dump")
    assert "loaded" in nsdb(back, "load", "-", given=changed)
    assert "nothing found" in nsdb(back, "verify")
    assert nsdb(back, "diff", "-", given=changed) == ""


def test_a_backup_is_restored(start: StartServer, tmp_path: Path) -> None:
    """What was changed and deleted since the backup is as it was; a store that holds something is safe without --replace."""
    server = start()
    api = server.client()
    bridge = fill(api)
    store, backup = tmp_path / "nsdb", tmp_path / "backup.jsonl"
    nsdb(store, "dump", str(backup))
    api.delete(f"{api.url}/bridges/{bridge}")
    api.create(api.url + "/bridges", item("Bridge-v4"), {"name": "blue"})
    changes = nsdb(store, "diff", str(backup), expect=1)
    assert f"- Bridge {bridge}" in changes and "+ Bridge " in changes
    server.end()
    assert "not empty" in nsdb(store, "load", str(backup), expect=2)
    nsdb(store, "load", str(backup), "--replace", "--yes")
    assert nsdb(store, "diff", str(backup)) == ""
    api = start().client()
    assert api.get(f"{api.url}/bridges/{bridge}", item("Bridge-v4"))["name"] == "red"


def test_status_and_a_store_that_is_not_there(start: StartServer, tmp_path: Path) -> None:
    fill(start().client())
    status = nsdb(tmp_path / "nsdb", "status")
    for expected in ("backend            embedded", "Bridge             1", "Port               4", "sessions           0"):
        assert expected in status, status
    for command in ("status", "dump", "verify", "gc"):
        assert "there is no store" in nsdb(tmp_path / "absent", command, expect=2)
    assert not (tmp_path / "absent").exists()
