"""An agent's cost grows with what its host uses, not with the cloud."""

from __future__ import annotations

import http.client
import json
import threading
import time
from urllib.parse import urlsplit

import pytest

from midonet_lab import checks
from midonet_lab.checks import Ping
from midonet_lab.lab import Lab
from midonet_lab.waiting import wait_until

BRIDGES, PORTS_EACH = 5000, 2


def create_many(lab: Lab, threads: int = 4) -> None:
    """Thousands of bridges with their ports through REST, over a few connections."""
    parts = urlsplit(lab.state.api_url)
    failures: list[str] = []

    def work(first: int) -> None:
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)

        def post(path: str, body: dict[str, str]) -> str:
            connection.request("POST", f"{parts.path}{path}", json.dumps(body), {"Content-Type": "application/json"})
            response = connection.getresponse()
            said = response.read()
            if response.status != 201:
                raise AssertionError(f"POST {path} -> {response.status} {said[:200]!r}")
            return response.headers["Location"].rpartition("/")[2]

        try:
            for number in range(first, BRIDGES, threads):
                bridge = post("/bridges", {"name": f"bulk{number}"})
                for _ in range(PORTS_EACH):
                    post(f"/bridges/{bridge}/ports", {"type": "Bridge"})
        except Exception as error:  # noqa: BLE001 - carried to the test's own thread
            failures.append(repr(error))
        finally:
            connection.close()

    workers = [threading.Thread(target=work, args=(first,)) for first in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not failures


def loaded(lab: Lab, host: str) -> float:
    """How many devices the agent holds."""
    return sum(value for name, value in lab.metrics(host).items() if name.startswith("midonet_topology_devices"))


def test_agents_load_only_what_their_host_uses(make_lab):
    lab = make_lab([{"name": "a", "host": "h1", "bridge": "red"}, {"name": "b", "host": "h2", "bridge": "red"}])
    before = {host: loaded(lab, host) for host in lab.cloud.hosts}
    assert min(before.values()) > 0, "the metric does not count what is in use"
    create_many(lab)

    begin = time.monotonic()
    assert len(lab.api.get("/ports")) == BRIDGES * PORTS_EACH + 2
    assert time.monotonic() - begin < 3.0, "listing 10,000 ports takes too long"
    begin = time.monotonic()
    for _ in range(50):
        lab.api.port(lab.port_id("a"))
    assert time.monotonic() - begin < 1.0, "getting one port takes too long"

    for host in lab.cloud.hosts:
        assert loaded(lab, host) == before[host]
    # A restarted agent finds its way among all these as quickly, and loads no more.
    lab.process("agent:h1").stop()
    begin = time.monotonic()
    lab.start_agent("h1")
    lab.wait_active(["a"])
    assert time.monotonic() - begin < 5.0
    assert loaded(lab, "h1") == before["h1"]
    assert checks.ping_all([Ping(lab.namespace("a"), lab.cloud.machine("b").address)], 5.0)
    # What is unbound is let go.
    lab.unbind(lab.cloud.machine("a"))
    lab.wait_active(["a"], active=False)
    wait_until(lambda: loaded(lab, "h1") < before["h1"], "the agent to let go of what it no longer uses", 30)
