"""Network namespaces: making and removing them, entering one, opening sockets inside one.

A socket belongs for life to the namespace it was made in, so checks open sockets in many namespaces from
one process and need no helper program in each.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import socket
import struct
import subprocess
from pathlib import Path
from typing import Iterable, Iterator

from .errors import LabError

NETNS_FOLDER = Path("/run/netns")
CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def batch(lines: Iterable[str], namespace: str | None = None, tolerant: bool = False) -> None:
    """Runs many `ip` commands in one process; raises LabError with ip's own words unless `tolerant`."""
    text = "".join(f"{line}\n" for line in lines)
    if not text:
        return
    command = ["ip"] + (["-n", namespace] if namespace else []) + (["-force"] if tolerant else []) + ["-batch", "-"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode and not tolerant:
        raise LabError(f"{' '.join(command)} failed: {done.stderr.strip()}\n{text.rstrip()}")


def existing(prefix: str) -> list[str]:
    """Names of the namespaces that begin with `prefix`."""
    if not NETNS_FOLDER.is_dir():
        return []
    return sorted(entry.name for entry in NETNS_FOLDER.iterdir() if entry.name.startswith(prefix))


def create(names: Iterable[str]) -> None:
    """Makes the namespaces, each with its loopback up."""
    names = list(names)
    batch(f"netns add {name}" for name in names)
    for name in names:
        batch(["link set lo up"], name)


def delete(names: Iterable[str]) -> None:
    """Removes the namespaces that exist; the others are passed over."""
    present = set(existing(""))
    batch((f"netns del {name}" for name in names if name in present), tolerant=True)


def processes_in(name: str) -> list[int]:
    """Process ids whose main thread runs in the namespace."""
    try:
        wanted = (NETNS_FOLDER / name).stat()
    except FileNotFoundError:
        return []
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            own = (entry / "ns/net").stat()
            if (own.st_dev, own.st_ino) == (wanted.st_dev, wanted.st_ino):
                found.append(int(entry.name))
    return found


@contextlib.contextmanager
def entered(name: str) -> Iterator[None]:
    """The calling thread (only it) is inside the namespace within the `with` block."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        try:
            target = os.open(NETNS_FOLDER / name, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError as error:
            raise LabError(f"there is no namespace {name}: is the cloud up? (midonet-lab status)") from error
        try:
            _setns(target)
        finally:
            os.close(target)
        try:
            yield
        finally:
            _setns(home)
    finally:
        os.close(home)


def open_socket(namespace: str, family: int, kind: int, protocol: int = 0) -> socket.socket:
    """A socket that lives in the namespace, usable from anywhere."""
    with entered(namespace):
        return socket.socket(family, kind, protocol)


def set_sysctls(namespace: str, values: dict[str, str]) -> None:
    """Writes settings below /proc/sys/net, as seen by the namespace."""
    with entered(namespace):
        for key, value in values.items():
            Path("/proc/sys/net", key).write_text(value, encoding="ascii")


def exec_command(namespace: str, command: list[str]) -> list[str]:
    """The command line that runs `command` in the namespace, with a /sys that shows it."""
    return ["ip", "netns", "exec", namespace, *command]


# ETHTOOL_STXCSUM, SSG, STSO, SGSO, SGRO of linux/ethtool.h: each takes one number, 0 or 1.
_OFFLOAD_COMMANDS = (0x17, 0x19, 0x1F, 0x24, 0x2C)
_SIOCETHTOOL = 0x8946


def set_offloads(namespace: str, interface: str, on: bool) -> None:
    """Switches checksum, scatter-gather, TSO, GSO and GRO of an interface, as `ethtool -K` does."""
    commands = _OFFLOAD_COMMANDS if on else tuple(reversed(_OFFLOAD_COMMANDS))
    with open_socket(namespace, socket.AF_INET, socket.SOCK_DGRAM) as control:
        for command in commands:
            value = ctypes.create_string_buffer(struct.pack("=II", command, int(on)))
            request = struct.pack("16sP", interface.encode(), ctypes.addressof(value))
            fcntl.ioctl(control, _SIOCETHTOOL, request.ljust(40, b"\0"))


def _setns(descriptor: int) -> None:
    if _libc.setns(descriptor, CLONE_NEWNET):
        number = ctypes.get_errno()
        raise LabError(f"cannot enter a network namespace: {os.strerror(number)} (the lab needs root)")
