#!/usr/bin/env python3
"""Writes the seeds of the packet targets from src/packet/tests/vectors.h, and those of the text targets."""
import pathlib
import re

here = pathlib.Path(__file__).resolve().parent
vectors = (here / "../../src/packet/tests/vectors.h").read_text()


def write(target, name, content):
    folder = here / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)


def frames():
    for name, pieces in re.findall(r"string_view k(\w+) =\n((?:\s+\"[0-9a-f]+\"\n?)+);", vectors):
        yield name, bytes.fromhex("".join(re.findall(r'"([0-9a-f]+)"', pieces)))


for name, frame in frames():
    write("packet_parse", name, b"\0" + frame)
    if name.startswith("Gre"):
        write("tunnel_headers", name, b"\0" + frame[34:])
    if name == "Vxlan":
        write("tunnel_headers", name, b"\1" + frame[42:])

for index, text in enumerate([
        "0123abcd-4567-89ef-fedc-ba9876543210", "02:00:00:00:00:ff", "2-0-0-0-0-f", "10.0.0.255",
        "2001:db8::1:0:0:1", "::ffff:10.0.0.1", "10.1.0.0/16", "2001:db8::/32"]):
    write("address_text", f"text{index}", text.encode())
