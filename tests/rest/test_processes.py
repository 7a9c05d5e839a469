"""Several servers, sudden and orderly ends, restarts."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from client import collection, item
from conftest import BIN, Server, StartServer
from midonet_lab import zookeeper

PORT = json.dumps({"type": "Bridge"})


def test_what_is_answered_survives_kill(start: StartServer) -> None:
    """Ports are created as fast as can be while the server is killed: every port it confirmed is there, and whole."""
    server = start()
    bridge = server.client().create(server.url + "/bridges", item("Bridge-v4"), {"name": "b"})
    made: list[str] = []

    def create() -> None:
        connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=10)
        try:
            while True:
                connection.request("POST", urlsplit(bridge["ports"]).path, PORT)
                response = connection.getresponse()
                response.read()
                made.append((response.getheader("Location") or "").rsplit("/", 1)[1])
        except (OSError, http.client.HTTPException):
            pass  # killed

    threads = [threading.Thread(target=create) for _ in range(3)]
    for thread in threads:
        thread.start()
    while len(made) < 100:
        time.sleep(0.001)
    server.kill()
    for thread in threads:
        thread.join()

    after = start().client()
    ports = after.get(f"{after.url}/bridges/{bridge['id']}/ports", collection("Port-v3"))
    assert set(made) <= {port["id"] for port in ports}
    assert len(ports) - len(made) <= len(threads), "at most what was under way"
    keys = [port["tunnelKey"] for port in ports]
    assert len(set(keys)) == len(keys) and 0 not in keys
    new = after.create(f"{after.url}/bridges/{bridge['id']}/ports", item("Port-v3"), {"type": "Bridge"})
    assert new["tunnelKey"] not in keys


def test_two_servers_serve_one_store(start: StartServer) -> None:
    """What one confirmed, the other shows at once; names are unique over both; removal is seen."""
    one, two = start().client(), start().client()
    for number in range(20):
        writer, reader = (one, two) if number % 2 else (two, one)
        zone = writer.create(writer.url + "/tunnel_zones", item("TunnelZone-v1"), {"name": f"z{number}", "type": "gre"})
        assert reader.get(f"{reader.url}/tunnel_zones/{zone['id']}", item("TunnelZone-v1"))["name"] == zone["name"]
        connection = http.client.HTTPConnection(urlsplit(reader.url).netloc, timeout=10)
        connection.request("POST", "/midonet-api/tunnel_zones", json.dumps({"name": f"z{number}", "type": "vxlan"}))
        assert connection.getresponse().status == 409
        connection.close()
    one.delete(f"{one.url}/tunnel_zones/{zone['id']}")
    assert len(two.get(two.url + "/tunnel_zones", collection("TunnelZone-v1"))) == 19


def test_sigterm_drops_no_request(start: StartServer) -> None:
    """Clients that keep asking: each request is answered, or the connection is refused before it is sent."""
    server = start("api.threads=2")
    bridge = server.client().create(server.url + "/bridges", item("Bridge-v4"), {"name": "b"})
    answered: list[str] = []
    dropped: list[str] = []

    def create() -> None:
        while True:
            connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=10)
            try:
                connection.connect()
            except OSError:
                return
            closing = False
            while not closing:
                try:
                    connection.request("POST", urlsplit(bridge["ports"]).path, PORT)
                    response = connection.getresponse()
                    response.read()
                except (OSError, http.client.HTTPException) as error:
                    dropped.append(repr(error))
                    return
                assert response.status == 201
                answered.append((response.getheader("Location") or "").rsplit("/", 1)[1])
                closing = response.getheader("Connection") == "close"
            connection.close()

    threads = [threading.Thread(target=create) for _ in range(4)]
    for thread in threads:
        thread.start()
    while len(answered) < 200:
        time.sleep(0.001)
    assert server.end() == 0
    for thread in threads:
        thread.join(10)
    assert dropped == []
    after = start().client()
    ports = after.get(f"{after.url}/bridges/{bridge['id']}/ports", collection("Port-v3"))
    assert {port["id"] for port in ports} == set(answered)


def test_metrics(server: Server) -> None:
    server.client().root()
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=10)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    assert 'midonet_rest_requests_total{status="2xx"}' in text
    assert "midonet_process_" in text


def test_ten_thousand_ports(server: Server) -> None:
    """Created in one run; lists and single reads stay fast (the bounds are far above what is measured)."""
    api = server.client()
    bridge = api.create(server.url + "/bridges", item("Bridge-v4"), {"name": "big"})
    path = urlsplit(bridge["ports"]).path
    wrong: list[int] = []

    def create(count: int) -> None:
        connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=30)
        for _ in range(count):
            connection.request("POST", path, PORT)
            response = connection.getresponse()
            response.read()
            if response.status != 201:
                wrong.append(response.status)
        connection.close()

    threads = [threading.Thread(target=create, args=(1250,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    begin = time.monotonic()
    ports = api.get(bridge["ports"], collection("Port-v3"))
    assert time.monotonic() - begin < 5
    assert len({port["tunnelKey"] for port in ports}) == 10_000
    begin = time.monotonic()
    for port in ports[::100]:
        api.get(port["uri"], item("Port-v3"))
    assert time.monotonic() - begin < 5


@pytest.mark.skipif(not zookeeper.JAR.exists(), reason="starts a server of the package zookeeper")
def test_programs_refuse_an_ensemble_that_is_not_theirs(start: StartServer, tmp_path: Path, ensemble: tuple[str, ...]) -> None:
    """Exit code 1, and what to mend; what is there stays as it is."""
    owner = start(*ensemble, "zookeeper.root=/owned", "zookeeper.user=owner", "zookeeper.password=right").client()
    bridge = owner.create(owner.url + "/bridges", item("Bridge-v4"), {"name": "red"})
    mistakes = {
        "mend zookeeper.user and zookeeper.password": ("zookeeper.root=/owned", "zookeeper.user=owner", "zookeeper.password=wrong"),
        "made with other credentials": ("zookeeper.root=/owned",),
        "belongs to ZooKeeper itself": ("zookeeper.root=/zookeeper",),
        "zookeeper.root": ("zookeeper.root=not-a-path",),
    }
    for message, settings in mistakes.items():
        for program in ("midonet-api", "midolman"):
            arguments = [f"agent.host_id_file={tmp_path}/host_id", "agent.datapath=fake"] if program == "midolman" else []
            words = [word for setting in (*ensemble, *settings, *arguments) for word in ("--set", setting)]
            done = subprocess.run([str(BIN / program), *words], capture_output=True, text=True, timeout=60)
            assert (done.returncode, done.stdout) == (1, ""), (program, settings, done)
            assert message in done.stderr, (program, settings, done.stderr)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        words = ["--set", "nsdb.backend=zookeeper", "--set", f"zookeeper.hosts=127.0.0.1:{silent.getsockname()[1]}", "status"]
        done = subprocess.run([str(BIN / "midonet-nsdb"), *words], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and "no ZooKeeper server answers" in done.stderr, done
    assert owner.get(f"{owner.url}/bridges/{bridge['id']}", item("Bridge-v4"))["name"] == "red"
