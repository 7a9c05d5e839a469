"""The cable of a machine that sits on a tap: joins the tap in the host's namespace to one in the machine's.

Both taps carry the virtio-net header, so checksum and GSO metadata cross as they do between a hypervisor and a
guest: a frame may be 64 KB with a partial checksum. The taps live as long as this process, like those of a real
virtual machine. Prints `ready` once both exist; ends on SIGTERM.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import selectors
import struct
import sys

from . import namespaces

# linux/if_tun.h
_TUNSETIFF = 0x400454CA
_TUNSETOFFLOAD = 0x400454D0
_TUNSETVNETHDRSZ = 0x400454D8
_SIOCSIFHWADDR = 0x8924
_IFF_TAP, _IFF_NO_PI, _IFF_VNET_HDR = 0x0002, 0x1000, 0x4000
_TUN_F_CSUM, _TUN_F_TSO4, _TUN_F_TSO6, _TUN_F_TSO_ECN = 1, 2, 4, 8
_VNET_HEADER = 12
_ARPHRD_ETHER = 1
_LARGEST_FRAME = 65536 + 256
_BATCH = 64


def open_tap(namespace: str, name: str, mac: str | None = None, offload: bool = True) -> int:
    """Makes a tap in the namespace; it vanishes when the returned descriptor is closed.

    With `offload` the kernel may hand over unsegmented frames and partial checksums.
    """
    with namespaces.entered(namespace):
        descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        flags = _IFF_TAP | _IFF_NO_PI | _IFF_VNET_HDR
        fcntl.ioctl(descriptor, _TUNSETIFF, struct.pack("16sH22x", name.encode(), flags))
        fcntl.ioctl(descriptor, _TUNSETVNETHDRSZ, struct.pack("=i", _VNET_HEADER))
        fcntl.ioctl(descriptor, _TUNSETOFFLOAD,
                    _TUN_F_CSUM | _TUN_F_TSO4 | _TUN_F_TSO6 | _TUN_F_TSO_ECN if offload else 0)
        if mac is not None:
            address = bytes.fromhex(mac.replace(":", ""))
            fcntl.ioctl(descriptor, _SIOCSIFHWADDR, struct.pack("16sH6s16x", name.encode(), _ARPHRD_ETHER, address))
    return descriptor


def pump(source: int, target: int) -> None:
    """Copies the frames that are waiting, at most a batch; a frame the other end cannot take is lost, as on a wire."""
    for _ in range(_BATCH):
        try:
            frame = os.read(source, _LARGEST_FRAME)
        except BlockingIOError:
            return
        try:
            os.write(target, frame)
        except OSError:
            # Interface down (EIO), queue full (EAGAIN) or a header the kernel refuses (EINVAL).
            continue


def main() -> int:
    """Command line: HOST_NAMESPACE HOST_INTERFACE MACHINE_NAMESPACE MACHINE_INTERFACE MACHINE_MAC OFFLOAD."""
    parser = argparse.ArgumentParser(prog="midonet_lab.relay")
    for name in ("host_namespace", "host_interface", "machine_namespace", "machine_interface", "mac"):
        parser.add_argument(name)
    parser.add_argument("offload", choices=("on", "off"))
    arguments = parser.parse_args()
    offload = arguments.offload == "on"
    # What the host sends towards the machine may be unsegmented only when the machine's driver takes it, and
    # the other way round: the machine sends such frames only when the host side takes them.
    host = open_tap(arguments.host_namespace, arguments.host_interface, offload=offload)
    machine = open_tap(arguments.machine_namespace, arguments.machine_interface, arguments.mac, offload)
    with selectors.DefaultSelector() as selector:
        selector.register(host, selectors.EVENT_READ, machine)
        selector.register(machine, selectors.EVENT_READ, host)
        print("ready relay", flush=True)
        while True:
            for key, _ in selector.select():
                pump(key.fd, key.data)


if __name__ == "__main__":
    sys.exit(main())
