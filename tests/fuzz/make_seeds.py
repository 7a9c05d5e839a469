#!/usr/bin/env python3
"""Writes the seeds: packet targets from src/packet/tests/vectors.h, netlink from a kernel, text from this file.

Run it in an empty network namespace, so that no interface of the machine gets into the tree:
    unshare -n tests/fuzz/make_seeds.py
"""
import pathlib
import re
import socket
import struct
import subprocess

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
    write("frame_rewrite", name, b"\1\x0f" + frame)
    write("upcall_record", name, b"\0\xff\x10\x05\0\x22\0\0" + frame)
    if name == "Udp":
        write("frame_rewrite", "TooFewHops", b"\xff\x0f" + frame)
        write("upcall_record", "TooBig", b"\2\xff\0\0\0\0\0\0" + frame)
    if name.startswith("Gre"):
        write("tunnel_headers", name, b"\0" + frame[34:])
    if name == "Vxlan":
        write("tunnel_headers", name, b"\1" + frame[42:])

for index, text in enumerate([
        "0123abcd-4567-89ef-fedc-ba9876543210", "02:00:00:00:00:ff", "2-0-0-0-0-f", "10.0.0.255",
        "2001:db8::1:0:0:1", "::ffff:10.0.0.1", "10.1.0.0/16", "2001:db8::/32"]):
    write("address_text", f"text{index}", text.encode())

for name, content in {
        "file.toml": b'\0[agent]\nworkers = 2 # two\ndatapath = "ebpf"\n[a.b]\nc = [1, true, 1979-05-27T07:32:00Z]\n',
        "inline.toml": b'\0x = { y = "\\u00e9", z = 0x1f }\nlong = """\na\nb"""\n',
        "duration": b"\x01250ms", "days": b"\x014d", "size": b"\x028MiB", "bytes": b"\x024096"}.items():
    write("config_text", name, content)

for index, text in enumerate([
        "*/*", "application/vnd.org.midonet.Bridge-v4+json", "application/json;q=0.5, application/vnd.org.midonet.Bridge-v3+json; q=0.9",
        "application/json; charset=utf-8", "text/html, application/xhtml+xml;q=0.9,*/*;q=0.8"]):
    write("media_type", f"accept{index}", text.encode())

for index, text in enumerate([
        "Bridge/0123abcd-4567-89ef-fedc-ba9876543210/mac_table/0", "02:00:00:00:00:01", "a%2Fb/c d", ".", ".."]):
    write("nsdb_names", f"name{index}", text.encode())

for name, content in {
        "persistent": bytes(8) + b"\0\x07value", "leased": b"\1" + bytes(7) + b"\x09" + bytes(range(16)) + b"value",
        "changes": b"\0\x0bo/Bridge\0id\0\x04c\0no", "lease": bytes(range(16))}.items():
    write("nsdb_records", name, content)



def state_entry(kind, v6, binding):
    """As src/flowstate/entry_codec.h says."""
    address = bytes(range(16 if v6 else 4))
    out = struct.pack(">BBBI", kind, 6, (3 | binding * 4 if v6 else 0) | binding * 8, 60) + bytes(range(16))
    return out + struct.pack(">HH", 1024, 80) + address + address + (address + b"\x9c\x40" if binding else b"")


def state_record(kind, entry):
    """As src/flowstate/state_log.h says, without the right checksum: the fuzzer reaches the marker at least."""
    body = struct.pack(">BQ", kind, 1_800_000_000_500) + entry
    return struct.pack(">BBI", 0xa5, len(body), 0) + body


ENTRIES = {f"{'v6' if v6 else 'v4'}-{kind}": state_entry(kind, v6, int(kind != 1)) for v6 in (0, 1) for kind in range(1, 8)}
for name, entry in ENTRIES.items():
    write("state_message", name, b"\0MnSt\1\1" + struct.pack(">H", 1) + bytes(range(16)) + bytes(12) + entry)
write("state_message", "all", b"\0MnSt\1\1" + struct.pack(">H", len(ENTRIES)) + bytes(range(16)) + bytes(12) + b"".join(ENTRIES.values()))
write("state_message", "ack", b"\0MnSt\1\2" + struct.pack(">H", 2) + bytes(range(16)) + bytes(range(16)))
for name in ("v4-2", "v6-2"):
    write("state_log", name, b"\0" + state_record(1, ENTRIES[name]) + state_record(2, ENTRIES[name]))
write("state_log", "foreign", b"\1[agent]\n")

for index, text in enumerate([
        "/", "/bridges?a=b%20c+d", "/bridges/0123abcd-4567-89ef-fedc-ba9876543210",
        "/bridges/1/vlans/2/mac_table/02-00-00-00-00-01_3", "//bridges//%41/", "GET", "/bridges/special"]):
    write("http_target", f"target{index}", text.encode())

BODIES = {
    "Host": '{"id": "0123abcd-4567-89ef-fedc-ba9876543210", "name": "h", "floodingProxyWeight": "1"}',
    "Bridge": '{"name": "b", "tenantId": "t", "adminStateUp": "true", "inboundFilterId": null}',
    "Port": '{"type": "Bridge", "vlanId": 0, "adminStateUp": true, "hostId": "0123abcd-4567-89ef-fedc-ba9876543210",'
            ' "interfaceName": "veth0", "deviceId": "0123abcd-4567-89ef-fedc-ba9876543210"}',
    "TunnelZone": '{"name": "z", "type": "gre", "unknown": {"a": [1, 2.5e3, "\\u00e9"]}}',
}
for index, (name, text) in enumerate(BODIES.items()):
    for update in (0, 1):
        for number in range(4):
            write("json_body", f"{name}-{number}-{update}", bytes([number * 2 + update]) + text.encode())


def dump(request_type, body):
    """One dump of the kernel, as it comes."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as kernel:
        kernel.send(struct.pack("=IHHII", 16 + len(body), request_type, 0x301, 1, 0) + body)
        return kernel.recv(65536)


if [name for _, name in socket.if_nameindex()] != ["lo"]:
    raise SystemExit("make_seeds.py: netlink seeds are left as they are; they need an empty namespace: unshare -n " + __file__)
for command in (
        "link set lo up", "link add veth0 type veth peer name veth1", "link set veth0 up", "link set veth1 up",
        "link add vx0 type vxlan external dstport 4789", "addr add 10.0.0.1/24 dev veth0",
        "addr add 2001:db8::1/64 dev veth0 nodad", "route add default via 10.0.0.2",
        "route add 10.9.0.0/16 nexthop via 10.0.0.3 nexthop via 10.0.0.4",
        "neigh add 10.0.0.2 lladdr 02:00:00:00:00:02 dev veth0 nud permanent"):
    subprocess.run(["ip"] + command.split(), check=True)
for name, request_type, body in (("links", 18, bytes(16)), ("addresses", 22, bytes(8)), ("neighbours", 30, bytes(12)),
                                 ("routes", 26, bytes(12))):
    write("netlink_messages", name, dump(request_type, body))
# An error answers a request of a type that does not exist.
write("netlink_messages", "error", dump(0x3fff, b""))
