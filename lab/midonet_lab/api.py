"""A small client of the MidoNet REST API, and of the agents' own HTTP pages inside their namespaces."""

from __future__ import annotations

import http.client
import ipaddress
import json
import socket
from typing import Any
from urllib.parse import urlsplit

from . import namespaces
from .errors import LabError


class ApiError(LabError):
    """The server answered, and refused; `status` is the HTTP code, `body` what it sent."""

    def __init__(self, method: str, path: str, status: int, body: bytes) -> None:
        super().__init__(f"{method} {path} -> {status}: {body.decode(errors='replace').strip()[:400]}")
        self.status = status
        self.body = body


class ApiUnreachable(LabError):
    """Nobody answered at the API's address."""


class Api:
    """One keep-alive connection to a `midonet-api`, of a namespace or of this one; not for use by several threads."""

    def __init__(self, url: str, timeout: float = 20.0, namespace: str | None = None) -> None:
        parts = urlsplit(url)
        self.url = url.rstrip("/")
        self._root = parts.path.rstrip("/")
        host, port = parts.hostname or "", parts.port or 80
        self._connection = _NamespaceConnection(namespace, host, port, timeout) if namespace else \
            http.client.HTTPConnection(host, port, timeout=timeout)

    def request(self, method: str, path: str, body: Any = None) -> tuple[int, dict[str, str], bytes]:
        """One exchange: status, headers, body. A GET is tried again once on a connection that had gone stale."""
        payload = None if body is None else json.dumps(body).encode()
        headers = {"Accept": "application/json"}
        if payload is not None:
            headers["Content-Type"] = "application/json"
        for attempt in (1, 2):
            try:
                self._connection.request(method, self._root + path, payload, headers)
                response = self._connection.getresponse()
                return response.status, dict(response.getheaders()), response.read()
            except (OSError, http.client.HTTPException) as error:
                self._connection.close()
                if method != "GET" or attempt == 2 or isinstance(error, TimeoutError):
                    raise ApiUnreachable(f"{method} {self.url}{path}: {error}") from error
        raise AssertionError("unreachable")

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """The decoded answer; ApiError for anything but 2xx."""
        status, _, data = self.request(method, path, body)
        if not 200 <= status < 300:
            raise ApiError(method, path, status, data)
        return json.loads(data) if data else None

    def get(self, path: str) -> Any:
        """GET and decode."""
        return self.call("GET", path)

    def create(self, path: str, body: dict[str, Any]) -> str:
        """POST; returns the id at the end of the Location of what was made."""
        status, headers, data = self.request("POST", path, body)
        if status != 201 or "Location" not in headers:
            raise ApiError("POST", path, status, data)
        return headers["Location"].rstrip("/").rpartition("/")[2]

    def delete(self, path: str) -> None:
        """Deletes what is at a path as "/routes/<id>"."""
        self.call("DELETE", path)

    def close(self) -> None:
        """Ends the connection."""
        self._connection.close()

    # What the lab asks for again and again.

    def hosts(self) -> dict[str, dict[str, Any]]:
        """Registered hosts by name."""
        return {host["name"]: host for host in self.get("/hosts")}

    def port(self, port_id: str) -> dict[str, Any]:
        """One port."""
        return self.get(f"/ports/{port_id}")

    def add_bridge(self, name: str) -> str:
        """Creates a bridge, returns its id."""
        return self.create("/bridges", {"name": name})

    def add_bridge_port(self, bridge_id: str) -> str:
        """Creates an exterior port of a bridge, returns its id."""
        return self.create(f"/bridges/{bridge_id}/ports", {"type": "Bridge"})

    def add_router(self, name: str, **more: Any) -> str:
        """Creates a router, returns its id."""
        return self.create("/routers", {"name": name, **more})

    def add_router_port(self, router_id: str, *subnets: str, **more: Any) -> str:
        """Creates a port of a router with addresses as "10.0.0.1/24", returns its id."""
        return self.create(f"/routers/{router_id}/ports", {"type": "Router", "portSubnet": list(subnets), **more})

    def link(self, port_id: str, peer_id: str) -> None:
        """Links two ports."""
        self.call("POST", f"/ports/{port_id}/link", {"peerId": peer_id})

    def unlink(self, port_id: str) -> None:
        """Takes the link of a port back."""
        self.delete(f"/ports/{port_id}/link")

    def add_network(self, router_id: str, subnet: str) -> str:
        """Creates a port with an address as "10.0.0.1/24" and the route to its network, returns the port."""
        port_id = self.add_router_port(router_id, subnet)
        self.add_route(router_id, str(ipaddress.ip_interface(subnet).network), port_id)
        return port_id

    def attach(self, router_id: str, subnet: str, bridge_id: str) -> str:
        """Gives a router a network that is a bridge, returns the router's port."""
        port_id = self.add_network(router_id, subnet)
        self.link(port_id, self.add_bridge_port(bridge_id))
        return port_id

    def add_route(self, router_id: str, destination: str, port_id: str | None = None, gateway: str | None = None,
                  source: str = "0.0.0.0/0", kind: str = "Normal", weight: int = 100) -> str:
        """Creates a route to a prefix as "10.1.0.0/16", returns its id."""
        (dst, dst_length), (src, src_length) = destination.split("/"), source.split("/")
        return self.create(f"/routers/{router_id}/routes", {
            "type": kind, "srcNetworkAddr": src, "srcNetworkLength": int(src_length), "dstNetworkAddr": dst,
            "dstNetworkLength": int(dst_length), "nextHopPort": port_id, "nextHopGateway": gateway, "weight": weight})

    def add_chain(self, name: str) -> str:
        """Creates a chain, returns its id."""
        return self.create("/chains", {"name": name})

    def add_rule(self, chain_id: str, kind: str, **conditions: Any) -> str:
        """Puts a rule at the end of a chain, or at `position`; returns its id."""
        position = conditions.pop("position", None) or len(self.get(f"/chains/{chain_id}/rules")) + 1
        return self.create(f"/chains/{chain_id}/rules", {"type": kind, "position": position, **conditions})

    def add_nat_rule(self, chain_id: str, kind: str, first: str, last: str | None = None, ports: tuple[int, int] = (0, 0),
                     action: str = "accept", **conditions: Any) -> str:
        """Puts a dnat or snat rule with one target at the end of a chain, returns its id."""
        target = {"addressFrom": first, "addressTo": last or first, "portFrom": ports[0], "portTo": ports[1]}
        return self.add_rule(chain_id, kind, flowAction=action, natTargets=[target], **conditions)

    def change(self, path: str, **values: Any) -> None:
        """Changes properties of the object at a path as "/routers/<id>", keeping the others."""
        self.call("PUT", path, {**self.get(path), **values})

    def add_port_group(self, name: str, *port_ids: str, stateful: bool = False) -> str:
        """Creates a port group with members, returns its id."""
        group_id = self.create("/port_groups", {"name": name, "stateful": stateful})
        for port_id in port_ids:
            self.create(f"/port_groups/{group_id}/ports", {"portId": port_id})
        return group_id

    def add_ip_group(self, name: str, *addresses: str) -> str:
        """Creates an IP address group with addresses, returns its id."""
        group_id = self.create("/ip_addr_groups", {"name": name})
        for address in addresses:
            version = 6 if ":" in address else 4
            self.create(f"/ip_addr_groups/{group_id}/ip_addrs", {"addr": address, "version": version})
        return group_id

    def add_load_balancer(self, router_id: str) -> str:
        """Creates a load balancer and gives it to a router, returns its id."""
        balancer_id = self.create("/load_balancers", {})
        self.change(f"/routers/{router_id}", loadBalancerId=balancer_id)
        return balancer_id

    def add_pool(self, balancer_id: str, **more: Any) -> str:
        """Creates a pool of a load balancer, returns its id."""
        return self.create(f"/load_balancers/{balancer_id}/pools", {"lbMethod": "ROUND_ROBIN", **more})

    def add_pool_member(self, pool_id: str, address: str, port: int, weight: int = 1) -> str:
        """Creates a member of a pool, returns its id."""
        return self.create(f"/pools/{pool_id}/pool_members", {"address": address, "protocolPort": port, "weight": weight})

    def add_vip(self, pool_id: str, address: str, port: int, **more: Any) -> str:
        """Creates a VIP of a pool, returns its id."""
        return self.create(f"/pools/{pool_id}/vips", {"address": address, "protocolPort": port, **more})

    def add_arp(self, bridge_id: str, address: str, mac: str) -> None:
        """Tells a bridge to answer ARP requests for an address."""
        self.call("POST", f"/bridges/{bridge_id}/arp_table", {"ip": address, "mac": mac})

    def add_zone(self, name: str, zone_type: str) -> str:
        """Creates a tunnel zone, returns its id."""
        return self.create("/tunnel_zones", {"name": name, "type": zone_type})

    def join_zone(self, zone_id: str, host_id: str, address: str) -> None:
        """Makes a host a member of a zone."""
        self.create(f"/tunnel_zones/{zone_id}/hosts", {"hostId": host_id, "ipAddress": address})

    def bind(self, host_id: str, port_id: str, interface: str) -> None:
        """Binds a port to an interface of a host."""
        self.create(f"/hosts/{host_id}/ports", {"portId": port_id, "interfaceName": interface})

    def unbind(self, host_id: str, port_id: str) -> None:
        """Takes a binding back."""
        self.delete(f"/hosts/{host_id}/ports/{port_id}")


class _NamespaceConnection(http.client.HTTPConnection):
    """HTTP to an address that only exists inside a namespace."""

    def __init__(self, namespace: str, host: str, port: int, timeout: float) -> None:
        super().__init__(host, port, timeout=timeout)
        self._namespace = namespace

    def connect(self) -> None:
        self.sock = namespaces.open_socket(self._namespace, socket.AF_INET, socket.SOCK_STREAM)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.settimeout(self.timeout)
        self.sock.connect((self.host, self.port))


def agent_page(namespace: str, method: str, path: str, port: int = 7300, timeout: float = 5.0) -> bytes:
    """Body of a page of the agent that runs in the namespace; LabError when it does not answer 2xx."""
    connection = _NamespaceConnection(namespace, "127.0.0.1", port, timeout)
    try:
        connection.request(method, path)
        response = connection.getresponse()
        body = response.read()
    except (OSError, http.client.HTTPException) as error:
        raise LabError(f"the agent in {namespace} does not answer {method} {path}: {error}") from error
    finally:
        connection.close()
    if not 200 <= response.status < 300:
        raise LabError(f"the agent in {namespace}: {method} {path} -> {response.status}: {body[:200]!r}")
    return body


def parse_metrics(text: str) -> dict[str, float]:
    """Prometheus text to {"name{labels}": value}."""
    values: dict[str, float] = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            name, _, value = line.rpartition(" ")
            values[name.strip()] = float(value)
    return values
