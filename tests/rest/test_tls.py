"""https, several addresses, a unix socket: the server as a process."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import ssl
import stat
import subprocess
import threading
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from client import HttpError, collection, item
from conftest import BIN, Server, StartServer
from midonet_lab.waiting import wait_until


def make_certificate(folder: Path) -> None:
    """`tls.pem` and `tls.key`; each time others."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=test",
                    "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", folder / "tls.key", "-out", folder / "tls.pem"],
                   check=True, capture_output=True)


def trust(folder: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(folder / "tls.pem"))


def tls_settings(folder: Path) -> tuple[str, str]:
    return f"api.tls_certificate={folder}/tls.pem", f"api.tls_key={folder}/tls.key"


@pytest.fixture
def secure(start: StartServer, tmp_path: Path) -> Server:
    make_certificate(tmp_path)
    return start(*tls_settings(tmp_path))


def presented(server: Server) -> str:
    """The certificate a new connection sees."""
    parts = urlsplit(server.url)
    return ssl.get_server_certificate((str(parts.hostname), int(parts.port or 0)))


def test_a_session_over_https(secure: Server, tmp_path: Path) -> None:
    api = secure.client(trust(tmp_path))
    assert api.url.startswith("https://")
    api.login("admin", "secret", "admin")
    root = api.root()
    assert root["uri"] == api.url + "/", "links lead back the same way"
    bridge = api.create(root["bridges"], item("Bridge-v4"), {"name": "b"})
    for number in range(50):
        api.create(bridge["ports"], item("Port-v3"), {"type": "Bridge", "vlanId": number})
    assert len(api.get(bridge["ports"], collection("Port-v3"))) == 50
    assert secure.end() == 0


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_old_versions_and_plain_http_are_refused(secure: Server) -> None:
    parts = urlsplit(secure.url)

    def version(newest: ssl.TLSVersion) -> str | None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version, context.maximum_version = ssl.TLSVersion.MINIMUM_SUPPORTED, newest
        with socket.create_connection((str(parts.hostname), int(parts.port or 0)), 10) as plain, context.wrap_socket(plain) as secured:
            return secured.version()

    assert version(ssl.TLSVersion.TLSv1_3) == "TLSv1.3"
    assert version(ssl.TLSVersion.TLSv1_2) == "TLSv1.2"
    for old in (ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            version(old)
    connection = http.client.HTTPConnection(parts.netloc, timeout=20)
    with pytest.raises((OSError, http.client.HTTPException)):
        connection.request("GET", "/midonet-api")
        connection.getresponse()
    connection.close()


def test_sighup_takes_a_new_certificate_and_drops_nobody(secure: Server, tmp_path: Path) -> None:
    parts = urlsplit(secure.url)
    old = presented(secure)
    kept = http.client.HTTPSConnection(parts.netloc, timeout=20, context=trust(tmp_path))
    stop = threading.Event()
    answered: list[int] = []
    dropped: list[str] = []

    def ask() -> None:
        context = ssl._create_unverified_context()
        while not stop.is_set():
            connection = http.client.HTTPSConnection(parts.netloc, timeout=20, context=context)
            try:
                for _ in range(3):
                    connection.request("GET", "/midonet-api")
                    response = connection.getresponse()
                    response.read()
                    answered.append(response.status)
            except (OSError, http.client.HTTPException) as error:
                dropped.append(repr(error))
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(3):
            kept.request("GET", "/midonet-api")
            assert kept.getresponse().read()
            make_certificate(tmp_path)
            secure.process.send_signal(signal.SIGHUP)
            wait_until(lambda: presented(secure).strip() == (tmp_path / "tls.pem").read_text().strip(), "the new certificate")
        assert presented(secure) != old
        kept.request("GET", "/midonet-api")
        assert kept.getresponse().status == 200, "the connection under the first certificate"
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        kept.close()
    assert dropped == [] and answered and set(answered) == {200}


def test_sighup_with_a_broken_certificate_changes_nothing(secure: Server, tmp_path: Path) -> None:
    good = presented(secure)
    (tmp_path / "tls.pem").write_text("nonsense")
    secure.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "certificate and key stay as they are" in secure.log.read_text(), "the mistake in the log")
    assert presented(secure) == good


def test_files_that_cannot_serve_are_named_at_the_start(tmp_path: Path) -> None:
    words = [word for setting in (f"nsdb.path={tmp_path}/nsdb", "api.listen=127.0.0.1:0", *tls_settings(tmp_path)) for word in ("--set", setting)]
    done = subprocess.run([str(BIN / "midonet-api"), *words], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (1, "") and "tls.pem" in done.stderr, done


def test_the_command_line_speaks_https(secure: Server, tmp_path: Path) -> None:
    def cli(*options: str) -> subprocess.CompletedProcess[str]:
        words = [str(BIN / "midonet-cli"), "-A", "--midonet-url", secure.url, *options, "-e", "list", "bridge"]
        return subprocess.run(words, capture_output=True, text=True, timeout=60, env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)})

    secure.client(trust(tmp_path)).create(secure.url + "/bridges", item("Bridge-v4"), {"name": "red"})
    assert "name red" in cli("--ca-file", str(tmp_path / "tls.pem")).stdout
    assert "name red" in cli("--disable_ssl_certificate_validation", "true").stdout
    refused = cli("-d")
    assert refused.returncode == 1 and "not to be believed" in refused.stderr, refused


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=20)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(20)
        self.sock.connect(self.path)


def test_several_addresses_and_a_unix_socket(start: StartServer, tmp_path: Path) -> None:
    path = str(tmp_path / "api.sock")
    make_certificate(tmp_path)
    server = start(f"api.listen=127.0.0.1:0,unix:{path},[::1]:0", "api.socket_mode=0600", "api.request_log=all", *tls_settings(tmp_path))
    assert [url.split(":")[0] for url in server.urls] == ["https", "unix", "https"]
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    connection = UnixConnection(path)
    connection.request("GET", "/midonet-api", headers={"Host": "localhost"})
    response = connection.getresponse()
    assert response.status == 200 and b'"version":"v5.0"' in response.read()
    connection.request("GET", "/healthz")
    response = connection.getresponse()
    assert (response.status, response.read()) == (200, b"ok\n")
    request_id = response.getheader("X-Request-Id")
    connection.close()
    server.client(trust(tmp_path)).root()
    assert f"id={request_id} method=GET target=/healthz status=200" in server.log.read_text()
    assert f'client="unix:uid={os.getuid()}"' in server.log.read_text()
    server.kill()
    assert os.path.exists(path), "nobody could remove it"
    again = start(f"api.listen=unix:{path}")
    assert again.urls == [f"unix:{path}"]
    assert again.end() == 0
    assert not os.path.exists(path)


def test_request_log_says_nothing_of_reads_unless_asked(server: Server) -> None:
    api = server.client()
    api.create(server.url + "/bridges", item("Bridge-v4"), {"name": "b"})
    with pytest.raises(HttpError):
        api.get(server.url + "/nothing", item("Bridge-v4"))
    assert server.end() == 0
    lines = [line for line in server.log.read_text().splitlines() if " request " in line]
    assert [line.split(" method=")[1].split()[0] + line.split(" status=")[1].split()[0] for line in lines] == ["POST201", "GET404"], lines
