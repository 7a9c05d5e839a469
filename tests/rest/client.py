"""A client with the habits of python-midonetclient: a body on every request, exact vendor types, links followed
as found in objects, whole objects put back."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
from typing import Any
from urllib.parse import urlsplit

Object = dict[str, Any]


class HttpError(Exception):
    """A status above 300."""

    def __init__(self, status: int, body: str, headers: dict[str, str]) -> None:
        super().__init__(f"{status}: {body}")
        self.status = status
        self.body = body
        self.headers = headers


def item(name: str) -> str:
    return f"application/vnd.org.midonet.{name}+json"


def collection(name: str) -> str:
    return f"application/vnd.org.midonet.collection.{name}+json"


def connect(scheme: str, netloc: str, trust: ssl.SSLContext | None = None) -> http.client.HTTPConnection:
    if scheme == "https":
        return http.client.HTTPSConnection(netloc, timeout=30, context=trust)
    return http.client.HTTPConnection(netloc, timeout=30)


class Client:
    def __init__(self, url: str, trust: ssl.SSLContext | None = None) -> None:
        self.url = url
        self.trust = trust
        self.token: str | None = None

    def request(self, method: str, uri: str, body: Any = None, headers: dict[str, str] | None = None) -> tuple[http.client.HTTPResponse, str]:
        """One connection for each request."""
        parts = urlsplit(uri)
        connection = connect(parts.scheme, parts.netloc, self.trust)
        sent = dict(headers or {})
        if self.token:
            sent["X-Auth-Token"] = self.token
        try:
            connection.request(method, parts.path + (f"?{parts.query}" if parts.query else ""), body=json.dumps(body if body is not None else {}), headers=sent)
            response = connection.getresponse()
            text = response.read().decode()
        finally:
            connection.close()
        if response.status > 300:
            raise HttpError(response.status, text, dict(response.getheaders()))
        return response, text

    def login(self, user: str, password: str, project: str) -> None:
        credentials = base64.b64encode(f"{user}:{password}".encode()).decode()
        response, _ = self.request("POST", f"{self.url}/login", headers={"Authorization": f"Basic {credentials}", "X-Auth-Project": project})
        cookie = response.getheader("Set-Cookie") or ""
        self.token = cookie.split("=", 1)[1].split(";", 1)[0]

    def get(self, uri: str, media_type: str) -> Any:
        response, text = self.request("GET", uri, headers={"Accept": media_type, "Content-Type": media_type})
        assert response.getheader("Content-Type") == media_type
        return json.loads(text)

    def root(self) -> Object:
        return self.get(self.url, item("Application-v5"))

    def create(self, uri: str, media_type: str, body: Object) -> Object:
        response, text = self.request("POST", uri, body, {"Content-Type": media_type})
        assert response.status == 201 and text == ""
        location = response.getheader("Location")
        assert location is not None
        return self.get(location, media_type)

    def post(self, uri: str, media_type: str, body: Object) -> None:
        """POST of what makes no object of its own, as a link."""
        self.request("POST", uri, body, {"Content-Type": media_type})

    def update(self, body: Object, media_type: str) -> Object:
        self.request("PUT", body["uri"], body, {"Content-Type": media_type})
        return self.get(body["uri"], media_type)

    def delete(self, uri: str) -> None:
        self.request("DELETE", uri)
