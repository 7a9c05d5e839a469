"""The ZooKeeper servers of a cloud: Debian's, in the foreground, in one namespace of their own on the underlay."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from .errors import LabError

JAR = Path("/usr/share/java/zookeeper.jar")
_LOGGER = "/usr/share/java/slf4j-simple.jar"
# Their namespace is theirs alone: all ports are free. Server 1 has the first of each.
_CLIENT_PORT, _QUORUM_PORT, _ELECTION_PORT = 2181, 2888, 3888
# Nobody cuts the power of a lab: no flush to the disk, and small heaps, as machines of a lab are small.
_JAVA = ["java", "-Xms48m", "-Xmx96m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:+ExitOnOutOfMemoryError",
         "-Djava.net.preferIPv4Stack=true", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-Dzookeeper.forceSync=no",
         "-cp", f"{JAR}:{_LOGGER}", "org.apache.zookeeper.server.quorum.QuorumPeerMain"]


def preflight() -> None:
    """LabError with the fix when this machine has no ZooKeeper."""
    if not JAR.exists():
        raise LabError(f"there is no {JAR}: apt-get install zookeeper default-jre-headless")


def client_port(number: int) -> int:
    """Where clients reach server `number`, 1 being the first."""
    return _CLIENT_PORT + number - 1


def command(folder: Path, number: int = 1, count: int = 1, port: int | None = None) -> list[str]:
    """Writes the configuration of one of `count` servers into its folder, and tells how to start it. `port`: other than client_port()."""
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    (data / "myid").write_text(f"{number}\n", encoding="ascii")
    lines = ["tickTime=500", "initLimit=20", "syncLimit=10", f"dataDir={data}",
             f"clientPort={port or client_port(number)}", "maxClientCnxns=0", "minSessionTimeout=1000", "maxSessionTimeout=60000",
             "admin.enableServer=false", "4lw.commands.whitelist=srvr"]
    if count > 1:
        lines += [f"server.{n}=127.0.0.1:{_QUORUM_PORT + n - 1}:{_ELECTION_PORT + n - 1}" for n in range(1, count + 1)]
    file = folder / "zoo.cfg"
    file.write_text("".join(f"{line}\n" for line in lines), encoding="ascii")
    return [*_JAVA, os.fspath(file)]


def mode(unconnected: socket.socket, port: int) -> str:
    """What the server at a port of the socket's loopback is: "leader", "follower", "standalone"; "" while it serves nobody."""
    with unconnected as asking:
        asking.settimeout(2.0)
        answer = b""
        try:
            asking.connect(("127.0.0.1", port))
            asking.sendall(b"srvr")
            while data := asking.recv(4096):
                answer += data
        except OSError:
            return ""
    words = [line.partition(": ")[2] for line in answer.decode(errors="replace").splitlines() if line.startswith("Mode: ")]
    return words[0] if words else ""
