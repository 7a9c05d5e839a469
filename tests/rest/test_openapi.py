"""docs/openapi.yaml against the server: a client that knows nothing but the page makes an object at every path, and every answer
is as the page says."""

from __future__ import annotations

import http.client
import json
import re
import subprocess
from pathlib import Path
from typing import Any, Iterator
from urllib.parse import urlsplit

import pytest
import yaml
from jsonschema import Draft202012Validator

from conftest import BIN, Server, StartServer

PAGE = Path(__file__).resolve().parents[2] / "docs/openapi.yaml"
HOST = "11111111-2222-3333-4444-555555555555"
VERBS = ("get", "post", "put", "delete")
Json = dict[str, Any]

# What the page does not say: the order in which things can be made, and what goes together. "@Class": the id of one.
MADE: tuple[tuple[str, Json], ...] = (
    ("/tunnel_zones", {"type": "vtep"}),
    ("/tunnel_zones/{id}/hosts", {"hostId": HOST}),
    ("/chains", {}),
    ("/chains/{id}/rules", {"type": "accept"}),
    ("/load_balancers", {}),
    ("/health_monitors", {}),
    ("/pools", {}),
    ("/pools/{id}/pool_members", {}),
    ("/pools/{id}/vips", {}),
    ("/qos_policies", {}),
    ("/qos_policies/{id}/qos_bw_limit_rules", {}),
    ("/qos_policies/{id}/qos_dscp_rules", {}),
    ("/bridges", {}),
    ("/bridges/{id}/ports", {"type": "Bridge"}),
    ("/bridges/{id}/dhcp", {"subnetPrefix": "10.0.0.0", "subnetLength": 24}),
    ("/bridges/{id}/dhcp/{subnet}/hosts", {"name": "h"}),
    ("/bridges/{id}/dhcpV6", {"prefix": "2001:db8::", "prefixLength": 64}),
    ("/bridges/{id}/dhcpV6/{subnet}/hostsV6", {"name": "h"}),
    ("/bridges/{id}/mac_table", {}),
    ("/bridges/{id}/vlans/{vlan}/mac_table", {"macAddr": "02:00:00:00:00:02", "vlanId": 7}),
    ("/bridges/{id}/arp_table", {}),
    ("/routers", {}),
    ("/routers/{id}/ports", {"type": "Router"}),
    ("/routers/{id}/ports/{port}/peering_table", {}),
    ("/routers/{id}/routes", {"type": "BlackHole", "srcNetworkAddr": "0.0.0.0", "dstNetworkAddr": "0.0.0.0"}),
    ("/routers/{id}/bgp_peers", {}),
    ("/routers/{id}/bgp_networks", {}),
    ("/port_groups", {}),
    ("/port_groups/{id}/ports", {}),
    ("/ip_addr_groups", {}),
    ("/ip_addr_groups/{id}/ip_addrs", {"addr": "10.0.0.1", "version": 4}),
    ("/hosts/{id}/ports", {}),
    ("/mirrors", {}),
    ("/traces", {"deviceType": "PORT"}),
    ("/service_container_groups", {}),
    ("/service_containers", {}),
    ("/l2insertions", {}),
    ("/vteps", {"tunnelZoneId": "@TunnelZone"}),
    ("/vteps/{id}/bindings", {}),
)


@pytest.fixture(scope="module")
def page() -> Json:
    return yaml.load(PAGE.read_text(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def operations(page: Json) -> Iterator[tuple[str, str, Json]]:
    for path, item in page["paths"].items():
        for verb in VERBS:
            if verb in item:
                yield path, verb, item[verb]


def resolve(page: Json, node: Json) -> Json:
    while "$ref" in node:
        found: Any = page
        for key in node["$ref"].removeprefix("#/").split("/"):
            found = found[key]
        node = found
    return node


def test_the_page_is_what_the_program_prints() -> None:
    done = subprocess.run([str(BIN / "midonet-api"), "--print-openapi"], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == PAGE.read_text()


def test_the_page_is_whole(page: Json) -> None:
    """References lead somewhere, schemas are JSON Schema, ids are unique, the parameters of a path are those in its braces."""
    assert page["openapi"] == "3.1.0"

    def references(node: Any) -> Iterator[str]:
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                yield node["$ref"]
            for inner in node.values():
                yield from references(inner)
        elif isinstance(node, list):
            for inner in node:
                yield from references(inner)

    for reference in set(references(page)):
        resolve(page, {"$ref": reference})
    for name, schema in page["components"]["schemas"].items():
        Draft202012Validator.check_schema(schema)
        assert schema["properties"], name
    ids = [operation["operationId"] for _, _, operation in operations(page)]
    assert len(set(ids)) == len(ids)
    for path, verb, operation in operations(page):
        parameters = [resolve(page, parameter) for parameter in operation.get("parameters", [])]
        assert [p["name"] for p in parameters if p["in"] == "path"] == re.findall(r"{(\w+)}", path), (path, verb)
        assert any(status.startswith("2") for status in operation["responses"]), (path, verb)


class Walker:
    """Asks, and holds each answer against the page."""

    def __init__(self, page: Json, server: Server) -> None:
        self.page = page
        self.base = urlsplit(server.url)
        self.connection = http.client.HTTPConnection(self.base.netloc, timeout=20)
        self.locations: list[str] = [f"/hosts/{HOST}"]
        self.statuses: dict[tuple[str, str], set[int]] = {}

    def ask(self, template: str, verb: str, path: str, body: Any = None, headers: Json | None = None) -> tuple[http.client.HTTPResponse, Any]:
        operation = self.page["paths"][template][verb]
        sent = dict(headers or {})
        if body is not None and "application/json" in operation.get("requestBody", {}).get("content", {}):
            sent["Content-Type"] = "application/json"
        text = None if body is None else body if isinstance(body, str) else json.dumps(body)
        whole = "/changes?wait=false" if path == "/changes" else path  # else the answer would not end
        self.connection.request(verb.upper(), self.base.path + whole, text, sent)
        response = self.connection.getresponse()
        answer = response.read()
        what = f"{verb} {path} {text} -> {response.status} {answer[:300]!r}"
        documented = operation["responses"].get(str(response.status))
        assert documented is not None, what
        self.statuses.setdefault((template, verb), set()).add(response.status)
        documented = resolve(self.page, documented)
        assert not answer or response.status != 304, what
        for name in documented.get("headers", {}):
            assert response.getheader(name), what
        content = documented.get("content")
        assert (content is None) == (not answer), what
        if not content:
            return response, None
        media_type = response.getheader("Content-Type")
        assert media_type in content, what
        if media_type in ("text/plain", "application/x-ndjson"):
            return response, answer.decode()
        shown = json.loads(answer)
        self.validate(content[media_type]["schema"], shown, what)
        return response, shown

    def validate(self, schema: Json, value: Any, what: str) -> None:
        whole = {**schema, "components": self.page["components"]}
        error = next(Draft202012Validator(whole).iter_errors(value), None)
        assert error is None, f"{what}: {error.message if error else ''}"
        self.refuse_undocumented(schema, value, what)

    def refuse_undocumented(self, schema: Json, value: Any, what: str) -> None:
        """No property that the page does not have."""
        schema = resolve(self.page, schema)
        if isinstance(value, list):
            for element in value:
                self.refuse_undocumented(schema.get("items", {}), element, what)
        elif isinstance(value, dict) and "properties" in schema:
            extra = set(value) - set(schema["properties"])
            assert not extra, f"{what}: {extra}"
            for key, inner in value.items():
                self.refuse_undocumented(schema["properties"][key], inner, what)

    # Bodies and paths, made from the page.

    def body(self, schema: Json, of: Json) -> Json:
        schema = resolve(self.page, schema)
        of = {name: self.named(value[1:]) if str(value).startswith("@") else value for name, value in of.items()}
        return {**{name: self.value(schema["properties"][name]) for name in schema.get("required", [])}, **of}

    def value(self, schema: Json) -> Any:
        schema = resolve(self.page, schema)
        if "enum" in schema:
            return schema["enum"][0]
        kind = schema.get("type", "object")
        kind = kind[0] if isinstance(kind, list) else kind
        if kind == "array":
            return [self.value(schema["items"])]
        if kind == "object":
            return self.body(schema, {})
        if kind in ("integer", "number"):
            return max(schema.get("minimum", 1), 1)
        if kind == "boolean":
            return True
        named = re.match(r"Names a (\w+)\.", schema.get("description", ""))
        if named:
            return self.named(named[1])
        if schema.get("format") == "uuid":
            return self.named("Port")
        if "pattern" in schema:
            return "02:00:00:00:00:01" if "5" in schema["pattern"] else "10.0.0.1/24"
        return "10.0.0.1" if schema.get("format") == "ipv4" or "anyOf" in schema else "name"

    def named(self, type_name: str) -> str:
        """The newest object of the class, but of ports each in turn: two ports of one body differ."""
        segment = re.sub(r"(?<!^)([A-Z])", r"_\1", type_name).lower() + "s"
        found = [location for location in self.locations if re.fullmatch(rf"/{segment}/[^/]+", location)]
        assert found, type_name
        if segment == "ports":
            self.locations.remove(found[0])
            self.locations.append(found[0])
        return found[0].rsplit("/", 1)[1]

    def path(self, template: str) -> str | None:
        """The template with its parameters as in an object that was made; None when there is none."""
        if "{" not in template:
            return template
        known = template[: template.rindex("}") + 1]
        for location in self.locations:
            pattern = re.sub(r"{\w+}", "[^/]+", known)
            if re.fullmatch(pattern, location):
                return location + template[len(known):]
        for other in ("/tenants/{id}", "/conf/nodes/{host}", "/conf/templates/{name}", "/conf/runtime/{host}", "/conf/template-mappings/{host}"):
            if template == other:
                return template.replace("{id}", "admin").replace("{host}", HOST).replace("{name}", "default")
        if template == "/bridges/{id}/vlans/{vlan}/mac_table":
            return f"/bridges/{self.named('Bridge')}/vlans/7/mac_table"
        if template.startswith("/hosts/{id}/interfaces/"):
            return f"/hosts/{HOST}/interfaces/none"
        if template == "/vteps/{id}/ports/{name}":
            return f"/vteps/{self.named('Vtep')}/ports/none"
        if template.startswith("/routers/{id}/ports/{port}"):
            return None if not (port := self.router_port()) else template.replace("{id}", port[0]).replace("{port}", port[1])
        if template.startswith("/bridges/{id}/ports/{vxlanPort}/vtep_bindings"):
            _, ports = self.ask("/bridges/{id}/vxlan_ports", "get", f"/bridges/{self.named('Bridge')}/vxlan_ports")
            path = template.replace("{id}", self.named("Bridge")).replace("{vxlanPort}", ports[0]["id"] if ports else HOST)
            return path.replace("{port}", "name").replace("{vlan}", "0")
        return None

    def router_port(self) -> tuple[str, str] | None:
        _, ports = self.ask("/routers/{id}/ports", "get", f"/routers/{self.named('Router')}/ports")
        return (ports[0]["deviceId"], ports[0]["id"]) if ports else None

    def make(self, template: str, of: Json) -> None:
        operation = self.page["paths"][template]["post"]
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        path = self.path(template)
        assert path, template
        response, _ = self.ask(template, "post", path, self.body(schema, of))
        assert response.status == 201, f"{path}: {response.status}"
        location = response.getheader("Location") or ""
        self.locations.append(urlsplit(location).path.removeprefix(self.base.path))


@pytest.fixture
def walker(page: Json, start: StartServer, store: tuple[str, ...], tmp_path: Path) -> Walker:
    header = {"dump": "midonet-nsdb", "format": 1, "schema": 1, "revision": 1, "time": "2026-01-01T00:00:00Z"}
    host = {"class": "Host", "object": {"id": HOST, "name": "h"}}
    lines = "".join(json.dumps(line) + "\n" for line in (header, host, {"end": 1}))
    settings = [word for setting in (f"nsdb.path={tmp_path}/nsdb", *store) for word in ("--set", setting)]
    subprocess.run([str(BIN / "midonet-nsdb"), *settings, "load", "-"], input=lines, text=True, check=True, timeout=60)
    return Walker(page, start(*store))


def test_every_path_answers_as_the_page_says(walker: Walker) -> None:
    page = walker.page
    for _ in range(2):
        walker.make("/bridges", {})
        walker.make("/bridges/{id}/ports", {"type": "Bridge"})
    for template, of in MADE:
        walker.make(template, of)
    for template, verb, _ in operations(page):
        if verb != "get":
            continue
        path = walker.path(template)
        assert path, f"nothing was made for {template}"
        response, shown = walker.ask(template, "get", path)
        tag = response.getheader("ETag")
        if response.status == 200 and tag:
            assert walker.ask(template, "get", path, headers={"If-None-Match": tag})[0].status == 304
        if response.status == 200 and "put" in page["paths"][template]:
            walker.ask(template, "put", path, shown)
            walker.ask(template, "put", path, {"name": [1], "type": {}, "adminStateUp": "x"})
            assert walker.ask(template, "put", path, shown, {"If-Match": '"other"'})[0].status in (204, 412)
        walker.ask(template, "get", re.sub(r"{\w+}", "no-such", template))
    for template, verb, operation in operations(page):
        if verb != "post":
            continue
        path = walker.path(template) or template
        for body in ("{", "{}", '{"id": 7}', "[]"):
            walker.ask(template, "post", path, body)
    for location in reversed(walker.locations[1:]):
        template = next(t for t in page["paths"] if re.fullmatch(re.sub(r"{\w+}", "[^/]+", t), location))
        walker.ask(template, "delete", location)
    for template, verb, _ in operations(page):
        if verb == "delete":
            walker.ask(template, "delete", re.sub(r"{\w+}", "no-such", template))
    missing = [f"{verb} {template}" for template, verb, _ in operations(page) if (template, verb) not in walker.statuses]
    assert missing == []
    assert 200 in walker.statuses["/ports/{id}", "get"] and 204 in walker.statuses["/bridges/{id}", "delete"]


def test_pages_of_lists_are_as_the_page_says(walker: Walker) -> None:
    for _ in range(5):
        walker.make("/bridges", {"name": "b"})
    response, shown = walker.ask("/bridges", "get", "/bridges?limit=2&name=b")
    assert len(shown) == 2
    assert re.fullmatch(r'<http://.*/midonet-api/bridges\?limit=2&name=b&after=[-0-9a-f]{36}>; rel="next"', response.getheader("Link") or "")
