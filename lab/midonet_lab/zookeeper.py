"""The ZooKeeper servers of a cloud: Debian's, in the foreground, each in a namespace of its own on the underlay."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Sequence

from .errors import LabError

JAR = Path("/usr/share/java/zookeeper.jar")
_LOGGER = "/usr/share/java/slf4j-simple.jar"
# Each has a namespace of its own: all ports are free.
CLIENT_PORT, _QUORUM_PORT, _ELECTION_PORT = 2181, 2888, 3888
# Small heaps, as machines of a lab are small. By default no flush to the disk: nobody cuts the power of a lab.
_JAVA = ["java", "-Xms48m", "-Xmx96m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:+ExitOnOutOfMemoryError",
         "-Djava.net.preferIPv4Stack=true", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"]


def preflight() -> None:
    """LabError with the fix when this machine has no ZooKeeper."""
    if not JAR.exists():
        raise LabError(f"there is no {JAR}: apt-get install zookeeper default-jre-headless")


def command(folder: Path, number: int = 1, addresses: Sequence[str] = (), port: int = CLIENT_PORT, durable: bool = False) -> list[str]:
    """Writes the configuration of a server into its folder, and tells how to start it.

    `addresses`: of all servers of its ensemble; it alone when there are none. `durable`: writes wait for the disk.
    """
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    (data / "myid").write_text(f"{number}\n", encoding="ascii")
    lines = ["tickTime=500", "initLimit=20", "syncLimit=10", f"dataDir={data}", f"clientPort={port}",
             "maxClientCnxns=0", "minSessionTimeout=1000", "maxSessionTimeout=60000",
             "admin.enableServer=false", "4lw.commands.whitelist=srvr"]
    if len(addresses) > 1:
        lines += [f"server.{n}={address}:{_QUORUM_PORT}:{_ELECTION_PORT}" for n, address in enumerate(addresses, start=1)]
    file = folder / "zoo.cfg"
    file.write_text("".join(f"{line}\n" for line in lines), encoding="ascii")
    force = "yes" if durable else "no"
    return [*_JAVA, f"-Dzookeeper.forceSync={force}", "-cp", f"{JAR}:{_LOGGER}",
            "org.apache.zookeeper.server.quorum.QuorumPeerMain", os.fspath(file)]


def mode(unconnected: socket.socket, port: int = CLIENT_PORT) -> str:
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
