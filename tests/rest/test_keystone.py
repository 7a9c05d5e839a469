"""midonet-api with a real Keystone (Debian's package, SQLite, in the foreground), and with what only claims to be one."""

from __future__ import annotations

import contextlib
import getpass
import grp
import http.client
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import threading
from pathlib import Path
from typing import Any, Iterator
from urllib.parse import urlsplit

import pytest

from client import Client, HttpError, collection, item
from conftest import Server, StartServer
from midonet_lab.waiting import wait_until

WSGI = "/usr/bin/keystone-wsgi-public"
needs_keystone = pytest.mark.skipif(
    not (os.path.exists(WSGI) and shutil.which("keystone-manage") and shutil.which("uwsgi_python3")),
    reason="needs the packages keystone and uwsgi-plugin-python3 (make dependencies)")
PASSWORD = "correct-horse-battery"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


class Keystone:
    """One Keystone; more processes may serve its database and its keys."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.processes: list[subprocess.Popen[bytes]] = []
        user = ("--keystone-user", getpass.getuser(), "--keystone-group", grp.getgrgid(os.getgid()).gr_name)
        self.configure("keystone.conf", 3600)
        self.manage("db_sync")
        with contextlib.closing(sqlite3.connect(folder / "keystone.db")) as database:
            database.execute("PRAGMA journal_mode=WAL")  # or a thread that has read keeps the others from writing
        self.manage("fernet_setup", *user)
        self.manage("credential_setup", *user)
        urls = [word for kind in ("admin", "internal", "public") for word in (f"--bootstrap-{kind}-url", f"http://127.0.0.1:{self.port}/v3/")]
        self.manage("bootstrap", "--bootstrap-password", PASSWORD, "--bootstrap-region-id", "RegionOne", *urls)

    def configure(self, name: str, seconds: int) -> None:
        (self.folder / name).write_text(
            f"[DEFAULT]\nuse_stderr=true\n[database]\nconnection=sqlite:///{self.folder}/keystone.db\n"
            f"[token]\nprovider=fernet\nexpiration={seconds}\n[fernet_tokens]\nkey_repository={self.folder}/fernet\n"
            f"[credential]\nkey_repository={self.folder}/cred\n[cache]\nenabled=false\n[identity]\npassword_hash_rounds=4\n")

    def manage(self, *words: str) -> None:
        done = subprocess.run(["keystone-manage", "--config-file", str(self.folder / "keystone.conf"), *words], capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done

    def serve(self, port: int, config: str = "keystone.conf") -> subprocess.Popen[bytes]:
        environment = {**os.environ, "OS_KEYSTONE_CONFIG_DIR": str(self.folder), "OS_KEYSTONE_CONFIG_FILES": config}
        with (self.folder / f"uwsgi-{port}.log").open("w") as log:
            process = subprocess.Popen(
                ["uwsgi_python3", "--http-socket", f"127.0.0.1:{port}", "--wsgi-file", WSGI, "--processes", "1", "--threads", "4", "--enable-threads",
                 "--die-on-term", "--need-app", "--pyargv", f"--config-file {self.folder / config}"],
                stdout=log, stderr=log, env=environment, cwd=self.folder)
        self.processes.append(process)
        wait_until(lambda: self.serves(process, port), f"the Keystone of {self.folder} to serve", 90)
        return process

    @staticmethod
    def serves(process: subprocess.Popen[bytes], port: int) -> bool:
        assert process.poll() is None, "uwsgi ended"
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            connection.request("GET", "/v3/")
            return connection.getresponse().status == 200
        except OSError:
            return False

    def ask(self, method: str, path: str, body: Any, token: str = "", port: int = 0) -> tuple[Any, str]:
        connection = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=60)
        connection.request(method, "/v3" + path, json.dumps(body) if body else None, {"Content-Type": "application/json", **({"X-Auth-Token": token} if token else {})})
        response = connection.getresponse()
        text = response.read().decode()
        connection.close()
        assert response.status < 300, (method, path, response.status, text)
        return json.loads(text) if text else None, response.getheader("X-Subject-Token") or ""

    def token(self, user: str, project: str, port: int = 0) -> str:
        default = {"id": "default"}
        identity = {"methods": ["password"], "password": {"user": {"name": user, "domain": default, "password": PASSWORD}}}
        return self.ask("POST", "/auth/tokens", {"auth": {"identity": identity, "scope": {"project": {"name": project, "domain": default}}}}, port=port)[1]

    def add_people(self) -> None:
        """Ann is administrator of project red, Bob a member."""
        token = self.token("admin", "admin")
        project = self.ask("POST", "/projects", {"project": {"name": "red", "description": "the red one"}}, token)[0]["project"]["id"]
        roles = {role["name"]: role["id"] for role in self.ask("GET", "/roles", None, token)[0]["roles"]}
        for name, role in (("ann", "admin"), ("bob", "member")):
            user = self.ask("POST", "/users", {"user": {"name": name, "password": PASSWORD}}, token)[0]["user"]["id"]
            self.ask("PUT", f"/projects/{project}/users/{user}/roles/{roles[role]}", None, token)

    def end(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait(10)


@pytest.fixture(scope="module")
def keystone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keystone]:
    keystone = Keystone(tmp_path_factory.mktemp("keystone"))
    try:
        keystone.serve(keystone.port)
        keystone.add_people()
        yield keystone
    finally:
        keystone.end()


def settings(port: int, *more: str) -> tuple[str, ...]:
    """Of an API server; Keystone may be slow on a busy machine."""
    return ("api.auth=keystone", f"keystone.url=http://127.0.0.1:{port}", "keystone.user_name=admin", f"keystone.user_password={PASSWORD}",
            "keystone.tenant_name=admin", "keystone.timeout=30s", "api.request_timeout=2m", *more)


def logged_in(server: Server, user: str, project: str = "red") -> Client:
    api = server.client()
    api.login(user, PASSWORD, project)
    return api


def refused(api: Client, path: str = "/bridges", media_type: str = collection("Bridge-v4")) -> HttpError:
    with pytest.raises(HttpError) as error:
        api.get(api.url + path, media_type)
    return error.value


@needs_keystone
def test_administrators_and_nobody_else(start: StartServer, keystone: Keystone) -> None:
    server = start(*settings(keystone.port))
    ann = logged_in(server, "ann")
    bridge = ann.create(server.url + "/bridges", item("Bridge-v4"), {"name": "b"})
    tenants = ann.get(server.url + "/tenants", collection("Tenant-v2"))
    assert {tenant["name"] for tenant in tenants} == {"admin", "red"}
    red = next(tenant for tenant in tenants if tenant["name"] == "red")
    assert ann.get(red["uri"], item("Tenant-v2")) == red and red["description"] == "the red one"
    assert refused(ann, "/tenants/none", item("Tenant-v2")).status == 404

    bob = logged_in(server, "bob")
    for path, media_type in (("/bridges", collection("Bridge-v4")), (f"/bridges/{bridge['id']}", item("Bridge-v4")), ("/tenants", collection("Tenant-v2"))):
        assert refused(bob, path, media_type).status == 401
    with pytest.raises(HttpError) as written:
        bob.post(server.url + "/bridges", item("Bridge-v4"), {"name": "b"})
    assert written.value.status == 401

    stranger = server.client()
    assert refused(stranger).status == 401
    for user, password, project in (("ann", "wrong", "red"), ("nobody", PASSWORD, "red"), ("ann", PASSWORD, "admin"), ("ann", PASSWORD, "none")):
        with pytest.raises(HttpError) as login:
            stranger.login(user, password, project)
        assert login.value.status == 401 and login.value.headers["WWW-Authenticate"].startswith("Basic ")
    log = server.log.read_text()
    assert PASSWORD not in log and str(ann.token) not in log and str(bob.token) not in log
    assert "user=ann@" in log


@needs_keystone
def test_tenants_use_what_is_theirs(start: StartServer, keystone: Keystone) -> None:
    server = start(*settings(keystone.port, "api.tenant_access=true", "api.tenant_admin_role=Member", "api.tenant_user_role=reader"))
    ann, bob = logged_in(server, "ann"), logged_in(server, "bob")
    others = ann.create(server.url + "/bridges", item("Bridge-v4"), {"name": "of nobody"})
    own = bob.create(server.url + "/bridges", item("Bridge-v4"), {"name": "red's"})
    tenants = bob.get(server.url + "/tenants", collection("Tenant-v2"))
    assert [tenant["name"] for tenant in tenants] == ["red"] and own["tenantId"] == tenants[0]["id"]
    assert bob.get(server.url + "/bridges", collection("Bridge-v4")) == [own]
    assert refused(bob, f"/bridges/{others['id']}", item("Bridge-v4")).status == 404
    assert refused(bob, "/hosts", collection("Host-v3")).status == 403
    assert len(ann.get(server.url + "/bridges", collection("Bridge-v4"))) == 2


@needs_keystone
def test_tokens_of_others_and_of_the_past(start: StartServer, keystone: Keystone) -> None:
    from cryptography.fernet import Fernet

    server = start(*settings(keystone.port, "keystone.cache_time=1h"))
    api = server.client()
    genuine = keystone.token("ann", "red")
    foreign = Fernet(Fernet.generate_key()).encrypt(b"ann is an administrator").decode().rstrip("=")
    for token in (foreign, genuine[:-1], genuine + "x", genuine[::-1], "a" * 5000):
        api.token = token
        assert refused(api).status in (401, 503), token[:20]
    api.token = genuine
    assert api.get(server.url + "/bridges", collection("Bridge-v4")) == []

    keystone.configure("brief.conf", 15)
    port = free_port()
    keystone.serve(port, "brief.conf")
    api.token = keystone.token("ann", "red", port)
    assert api.get(server.url + "/bridges", collection("Bridge-v4")) == []
    wait_until(lambda: is_refused(api), "the token to end, though the cache would remember it", 60)


def is_refused(api: Client) -> bool:
    try:
        api.get(api.url + "/bridges", collection("Bridge-v4"))
    except HttpError as error:
        assert error.status == 401
        return True
    return False


@needs_keystone
def test_keystone_frozen_and_killed(start: StartServer, keystone: Keystone) -> None:
    """Who is known stays in; others are told to try again, in bounded time; all goes on when Keystone is back."""
    port = free_port()
    process = keystone.serve(port)
    server = start(*settings(port, "keystone.timeout=5s", "api.threads=1"))
    known = logged_in_when_fast(server, "ann")
    fresh = server.client()
    fresh.token = keystone.token("ann", "red")

    process.send_signal(signal.SIGSTOP)
    try:
        statuses: list[int] = []
        threads = [threading.Thread(target=lambda: statuses.append(refused(fresh).status)) for _ in range(20)]
        for thread in threads:
            thread.start()
        for _ in range(20):
            assert known.get(server.url + "/bridges", collection("Bridge-v4")) == []
        for thread in threads:
            thread.join()
        assert statuses == [503] * 20
        assert refused(fresh).headers["Retry-After"] == "3"
    finally:
        process.send_signal(signal.SIGCONT)
    wait_until(lambda: is_admitted(fresh), "Keystone to answer again", 60)

    process.kill()
    process.wait(10)
    assert known.get(server.url + "/bridges", collection("Bridge-v4")) == []
    stranger = server.client()
    stranger.token = keystone.token("ann", "red")
    assert refused(stranger).status == 503
    with pytest.raises(HttpError) as login:
        stranger.login("ann", PASSWORD, "red")
    assert login.value.status == 503
    assert "cannot ask Keystone" in server.log.read_text()
    keystone.serve(port)
    wait_until(lambda: is_admitted(stranger), "Keystone to answer again", 60)


def is_admitted(api: Client) -> bool:
    try:
        api.get(api.url + "/bridges", collection("Bridge-v4"))
    except HttpError as error:
        assert error.status == 503
        return False
    return True


def logged_in_when_fast(server: Server, user: str) -> Client:
    """With a timeout that Keystone does not always keep on a busy machine."""
    api = server.client()

    def login() -> bool:
        try:
            api.login(user, PASSWORD, "red")
        except HttpError as error:
            assert error.status == 503
            return False
        return is_admitted(api)

    wait_until(login, "a login", 120)
    return api


GARBAGE = {
    "nothing": b"",
    "no HTTP": b"SSH-2.0-OpenSSH_9.2\r\n",
    "half a header": b"HTTP/1.1 200 OK\r\nContent-",
    "less than promised": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
    "no JSON": b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnull",
    "a redirection": b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
    "no content": b"HTTP/1.1 204 No Content\r\n\r\n",
    "an error": b"HTTP/1.1 500 Oops\r\nContent-Length: 2\r\n\r\n{}",
    "a token of nobody": b'HTTP/1.1 200 OK\r\nX-Subject-Token: t\r\nContent-Length: 13\r\n\r\n{"token": {}}',
}


@pytest.mark.parametrize("answer", GARBAGE.values(), ids=GARBAGE.keys())
def test_what_is_no_keystone_lets_nobody_in(start: StartServer, answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        stop = threading.Event()

        def serve() -> None:
            listener.settimeout(0.1)
            while not stop.is_set():
                try:
                    connection = listener.accept()[0]
                except TimeoutError:
                    continue
                with connection:
                    connection.settimeout(5)
                    try:
                        connection.recv(65536)
                        connection.sendall(answer)
                    except OSError:
                        pass

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            server = start(*settings(listener.getsockname()[1], "keystone.timeout=2s"))
            api = server.client()
            api.token = "some token"
            assert refused(api).status == 503
            with pytest.raises(HttpError) as login:
                api.login("ann", PASSWORD, "red")
            assert login.value.status == 503
        finally:
            stop.set()
            thread.join()
    log = server.log.read_text()
    assert PASSWORD not in log and "some token" not in log
