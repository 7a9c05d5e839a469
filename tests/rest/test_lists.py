"""Long lists of real servers, on each backend: in pieces, in pages."""

from __future__ import annotations

import http.client
import json
from urllib.parse import urlsplit

from client import item
from conftest import Server, StartServer

PORTS = 400  # more than one piece


def ask(server: Server, path: str) -> tuple[http.client.HTTPResponse, list[str]]:
    """The answer, and the ids that it lists."""
    parts = urlsplit(server.url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=60)
    connection.request("GET", parts.path + path)
    response = connection.getresponse()
    assert response.status == 200
    ids = [item["id"] for item in json.loads(response.read())]
    connection.close()
    return response, ids


def test_a_long_list_is_whole_in_pieces_and_in_pages(start: StartServer, store: tuple[str, ...]) -> None:
    server = start(*store)
    client = server.client()
    bridge = client.create(f"{server.url}/bridges", item("Bridge-v4"), {"name": "long"})
    made = {client.create(bridge["ports"], item("Port-v3"), {"type": "Bridge"})["id"] for _ in range(PORTS)}
    response, ids = ask(server, f"/bridges/{bridge['id']}/ports")
    assert response.getheader("Transfer-Encoding") == "chunked"
    assert len(ids) == PORTS and set(ids) == made
    paged: list[str] = []
    path = f"/bridges/{bridge['id']}/ports?limit=150"
    while path:
        response, ids = ask(server, path)
        paged += ids
        link = response.getheader("Link")
        path = link[link.index("/bridges"):link.index(">")] if link else ""
    assert len(paged) == PORTS and set(paged) == made
