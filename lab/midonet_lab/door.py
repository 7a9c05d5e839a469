"""Doors: TCP ports of this machine's loopback that lead to addresses inside namespaces.

Prints `ready door 127.0.0.1:PORT,...` once all are open, in the order of the addresses; ends on SIGTERM. A connection
that the other side refuses or ends is ended here, too, so that whoever is behind the door seems to be in front of it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import socket
import sys

from . import namespaces

_CHUNK = 1 << 16


def main() -> int:
    """Command line: NAMESPACE/HOST:PORT..."""
    parser = argparse.ArgumentParser(prog="midonet_lab.door")
    parser.add_argument("address", nargs="+", help="NAMESPACE/HOST:PORT")
    asyncio.run(_serve(parser.parse_args().address))
    return 0


async def _serve(addresses: list[str]) -> None:
    doors = [await _open(*address.split("/")) for address in addresses]
    print("ready door " + ",".join(f"127.0.0.1:{door.sockets[0].getsockname()[1]}" for door in doors), flush=True)
    await asyncio.gather(*(door.serve_forever() for door in doors))


async def _open(namespace: str, address: str) -> asyncio.Server:
    host, _, port = address.rpartition(":")

    async def pass_through(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            inside = namespaces.open_socket(namespace, socket.AF_INET, socket.SOCK_STREAM)
            inside.setblocking(False)
            await asyncio.get_running_loop().sock_connect(inside, (host, int(port)))
            far_reader, far_writer = await asyncio.open_connection(sock=inside)
            await asyncio.gather(_copy(reader, far_writer), _copy(far_reader, writer))
        writer.close()

    return await asyncio.start_server(pass_through, "127.0.0.1", 0)


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await source.read(_CHUNK):
            target.write(data)
            await target.drain()
    target.close()


if __name__ == "__main__":
    sys.exit(main())
