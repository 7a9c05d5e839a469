"""The ZooKeeper servers of a cloud: Debian's, in the foreground, each in a namespace of its own on the underlay."""

from __future__ import annotations

import contextlib
import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Sequence

from .errors import LabError

JAR = Path("/usr/share/java/zookeeper.jar")
_LOGGER = "/usr/share/java/slf4j-simple.jar"
# Each has a namespace of its own: all ports are free.
CLIENT_PORT, _QUORUM_PORT, _ELECTION_PORT = 2181, 2888, 3888
# Servers that start at once miss each other's votes; by default they wait twice as long each time until they ask again, up to a minute.
# The compiler that optimises takes more processor in a server's first minutes than serving does.
_JAVA = ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError", "-Djava.net.preferIPv4Stack=true",
         "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-Dzookeeper.fastleader.maxNotificationInterval=1000"]
_MAIN = ["-cp", f"{JAR}:{_LOGGER}", "org.apache.zookeeper.server.quorum.QuorumPeerMain"]


@dataclass(frozen=True)
class Tuning:
    """How servers are run. By default as a lab needs them: nobody cuts its power, and its machine is small."""

    heap: int = 96  # megabytes
    tick: int = 500  # milliseconds
    flush: bool = False  # what is acknowledged is on the disk
    java: tuple[str, ...] = ()

    @property
    def words(self) -> list[str]:
        """Of the command line of a server."""
        return [f"-Xms{self.heap // 2}m", f"-Xmx{self.heap}m", f"-Dzookeeper.forceSync={'yes' if self.flush else 'no'}", *self.java]


def large(heap: int) -> Tuning:
    """As an operator of hundreds of hosts runs them: watches in bit sets, few threads for a request to pass through (a third of the
    processor time on two cores), time for a server to read all from another, and most of the heap for what stays."""
    return Tuning(heap, tick=2000, flush=True,
                  java=(f"-Xmn{min(256, heap // 4)}m", "-Dzookeeper.watchManagerName=org.apache.zookeeper.server.watch.WatchManagerOptimized",
                        "-Dzookeeper.nio.numSelectorThreads=1", "-Dzookeeper.nio.numWorkerThreads=0",
                        "-Dzookeeper.commitProcessor.numWorkerThreads=0"))


def preflight() -> None:
    """LabError with the fix when this machine has no ZooKeeper."""
    if not JAR.exists():
        raise LabError(f"there is no {JAR}: apt-get install zookeeper default-jre-headless")


def command(folder: Path, number: int = 1, addresses: Sequence[str] = (), port: int = CLIENT_PORT,
            tuning: Tuning = Tuning()) -> list[str]:
    """Writes the configuration of a server into its folder, and tells how to start it.

    `addresses`: of all servers of its ensemble; it alone when there are none.
    """
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    (data / "myid").write_text(f"{number}\n", encoding="ascii")
    lines = [f"tickTime={tuning.tick}", "initLimit=20", "syncLimit=10", f"dataDir={data}", f"clientPort={port}",
             "maxClientCnxns=0", "minSessionTimeout=1000", "maxSessionTimeout=60000",
             "admin.enableServer=false", "4lw.commands.whitelist=srvr,mntr"]
    if len(addresses) > 1:
        lines += [f"server.{n}={address}:{_QUORUM_PORT}:{_ELECTION_PORT}" for n, address in enumerate(addresses, start=1)]
    file = folder / "zoo.cfg"
    file.write_text("".join(f"{line}\n" for line in lines), encoding="ascii")
    return [*_JAVA, *tuning.words, *_MAIN, os.fspath(file)]


def mode(unconnected: socket.socket, port: int = CLIENT_PORT) -> str:
    """What the server at a port of the socket's loopback is: "leader", "follower", "standalone"; "" while it serves nobody."""
    words = [line.partition(": ")[2] for line in _ask(unconnected, port, b"srvr") if line.startswith("Mode: ")]
    return words[0] if words else ""


def counters(unconnected: socket.socket, port: int = CLIENT_PORT) -> dict[str, float]:
    """The numbers that a server tells of itself: "zk_watch_count" and many more; none while it does not answer."""
    out = {}
    for line in _ask(unconnected, port, b"mntr"):
        name, _, value = line.partition("\t")
        with contextlib.suppress(ValueError):
            out[name] = float(value)
    return out


def _ask(unconnected: socket.socket, port: int, question: bytes) -> list[str]:
    with unconnected as asking:
        asking.settimeout(2.0)
        answer = b""
        try:
            asking.connect(("127.0.0.1", port))
            asking.sendall(question)
            while data := asking.recv(1 << 16):
                answer += data
        except OSError:
            return []
    return answer.decode(errors="replace").splitlines()
