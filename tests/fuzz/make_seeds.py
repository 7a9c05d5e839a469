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


def ip_bytes(text):
    return socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)


def eth(source, destination, kind, payload, vlans=()):
    tags = b"".join(struct.pack(">HH", 0x8100, tag) for tag in vlans)
    return mac(destination) + mac(source) + tags + struct.pack(">H", kind) + payload


def mac(text):
    return bytes.fromhex(text)


def ipv4(source, destination, protocol, payload, ttl=64, fragment=0):
    return struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), 7, fragment, ttl, protocol, 0) + ip_bytes(source) + ip_bytes(destination) + payload


def ipv6(source, destination, header, payload):
    return struct.pack(">IHBB", 6 << 28, len(payload), header, 64) + ip_bytes(source) + ip_bytes(destination) + payload


def tcp(source, destination, flags=2):
    return struct.pack(">HHIIBBHHH", source, destination, 1, 0, 0x50, flags, 1024, 0, 0)


def udp(source, destination, payload=b"hello"):
    return struct.pack(">HHHH", source, destination, 8 + len(payload), 0) + payload


def icmp(kind, code, rest):
    return struct.pack(">BBH", kind, code, 0) + rest


def arp(operation, sender_mac, sender, target_mac, target):
    return struct.pack(">HHBBH", 1, 0x800, 6, 4, operation) + mac(sender_mac) + ip_bytes(sender) + mac(target_mac) + ip_bytes(target)


# Of tests/fuzz/agent/host.h: machines, the router's ports, and the world outside.
VM = {n: f"0200000000{n:02x}" for n in range(1, 10)}
LEFT, RIGHT, UP, GATEWAY, ALL = "02aa0000000b", "02aa0000000c", "02aa0000000d", "020000000063", "ffffffffffff"
PORT1, PORT2, PORT3, PORT4, PORT6, UPLINK, STATE, TIME = range(8)
TUNNELLED, CHECKSUMS = 8, 16
OUTSIDE = "198.51.100.7"


def step(port, frame, flags=CHECKSUMS):
    return struct.pack("<BH", port | flags, len(frame)) + frame


def wait(tenths):
    return bytes([TIME, tenths])


def out(n, source, l4, protocol, destination=OUTSIDE, port=None, **more):
    gateway = RIGHT if n == 6 else LEFT
    return step(n - 1 if port is None else port, eth(VM[n], gateway, 0x800, ipv4(source, destination, protocol, l4, **more)))


def into(destination, l4, protocol, **more):
    return step(UPLINK, eth(GATEWAY, UP, 0x800, ipv4(OUTSIDE, destination, protocol, l4, **more)))


def between(a, b, kind, payload, **more):
    return step(a - 1, eth(VM[a], VM[b], kind, payload, **more))


QUOTED = ipv4("192.0.2.2", OUTSIDE, 6, tcp(20032, 80)[:8])
PING = icmp(8, 0, struct.pack(">HH", 7, 1) + b"data")
AGENT_PACKETS = {
    "arp": step(PORT1, eth(VM[1], ALL, 0x806, arp(1, VM[1], "10.0.1.1", "000000000000", "10.0.1.254"))) +
           step(PORT2, eth(VM[2], ALL, 0x806, arp(1, VM[2], "10.0.1.2", "000000000000", "10.0.1.1"))) +
           step(PORT1, eth(VM[1], ALL, 0x806, arp(2, VM[1], "10.0.1.1", ALL, "10.0.1.1"))) +
           step(UPLINK, eth(GATEWAY, ALL, 0x806, arp(1, GATEWAY, "192.0.2.1", "000000000000", "192.0.2.2"))),
    "bridged": between(2, 3, 0x88b5, b"x" * 50) + between(3, 2, 0x800, ipv4("10.0.1.3", "10.0.1.2", 17, udp(1000, 53))) +
               between(2, 3, 0x800, ipv4("10.0.1.2", "10.0.1.3", 17, udp(53, 1000))) + wait(30) + between(3, 2, 0x800, ipv4("10.0.1.3", "10.0.1.2", 6, tcp(1, 14))),
    "vlan": step(PORT3, eth(VM[3], VM[4], 0x800, ipv4("10.0.1.3", "10.0.1.4", 17, udp(1, 2)), vlans=(10,))) +
            step(PORT4, eth(VM[4], VM[3], 0x800, ipv4("10.0.1.4", "10.0.1.3", 17, udp(2, 1)))) +
            step(PORT3, eth(VM[3], ALL, 0x88b5, b"tag", vlans=(77, 5))) + step(PORT1, eth(VM[1], LEFT, 0x800, ipv4("10.0.1.1", "10.0.2.6", 17, udp(1, 2)), vlans=(0,))),
    "waits": out(1, "10.0.1.1", udp(1000, 53), 17, "10.0.2.6") + step(PORT6, eth(VM[6], RIGHT, 0x806, arp(2, VM[6], "10.0.2.6", RIGHT, "10.0.2.254"))) +
             out(6, "10.0.2.6", udp(53, 1000), 17, "10.0.1.1", PORT6) + step(PORT1, eth(VM[1], LEFT, 0x806, arp(2, VM[1], "10.0.1.1", LEFT, "10.0.1.254"))) + wait(60),
    "snat": out(2, "10.0.1.2", tcp(1000, 80), 6) + out(2, "10.0.1.2", udp(1000, 53), 17) + into("192.0.2.2", tcp(80, 20032, 18), 6) +
            step(PORT2, eth(VM[2], LEFT, 0x806, arp(2, VM[2], "10.0.1.2", LEFT, "10.0.1.254"))) + into("192.0.2.2", udp(53, 20033), 17) + out(2, "10.0.1.2", PING, 1),
    "errors": out(2, "10.0.1.2", tcp(1000, 80), 6) + step(PORT2, eth(VM[2], LEFT, 0x806, arp(2, VM[2], "10.0.1.2", LEFT, "10.0.1.254"))) +
              into("192.0.2.2", icmp(3, 1, bytes(4) + QUOTED), 1) + into("192.0.2.3", icmp(11, 0, bytes(4) + QUOTED), 1),
    "floating": step(PORT1, eth(VM[1], LEFT, 0x806, arp(2, VM[1], "10.0.1.1", LEFT, "10.0.1.254"))) + into("192.0.2.3", tcp(5000, 22), 6) +
                out(1, "10.0.1.1", tcp(22, 5000, 18), 6) + into("192.0.2.3", PING, 1) + into("192.0.2.3", udp(33434, 33435), 17, ttl=1),
    "forwarded": step(PORT6, eth(VM[6], RIGHT, 0x806, arp(2, VM[6], "10.0.2.6", RIGHT, "10.0.2.254"))) + into("192.0.2.2", tcp(5000, 8080), 6) +
                 out(6, "10.0.2.6", tcp(80, 5000, 18), 6, port=PORT6),
    "balanced": b"".join(step(p, eth(VM[n], g, 0x806, arp(2, VM[n], f"10.0.{s}.{n}", g, f"10.0.{s}.254"))) for n, p, g, s in ((2, PORT2, LEFT, 1), (6, PORT6, RIGHT, 2))) +
                b"".join(into(vip, tcp(5000 + n, 80), 6) for n in range(3) for vip in ("192.0.2.50", "192.0.2.51")) + out(2, "10.0.1.2", tcp(8080, 5000, 18), 6) +
                into("192.0.2.50", udp(5000, 80), 17),
    "fragments": out(2, "10.0.1.2", udp(1000, 53), 17, fragment=0x2000) + out(2, "10.0.1.2", b"rest" * 8, 17, fragment=185) +
                 into("192.0.2.3", udp(1000, 53), 17, fragment=0x2000) + into("192.0.2.3", b"rest" * 8, 17, fragment=185) +
                 between(3, 2, 0x800, ipv4("10.0.1.3", "10.0.1.2", 17, b"rest", fragment=100)),
    "ipv6": between(3, 2, 0x86dd, ipv6("fd00::3", "fd00::2", 17, udp(1, 2))) +
            between(3, 2, 0x86dd, ipv6("fd00::3", "fd00::2", 0, struct.pack(">BBBBI", 43, 0, 1, 4, 0) + struct.pack(">BBBBI", 6, 0, 0, 0, 0) + tcp(1, 2))) +
            between(3, 1, 0x86dd, ipv6("fd00::3", "2001:db8:dead::1", 44, struct.pack(">BBHI", 17, 0, 1, 9) + udp(1, 2))) +
            between(2, 3, 0x86dd, ipv6("fd00::2", "fd00::3", 58, struct.pack(">BBHHH", 128, 0, 0, 3, 1))) + step(PORT2, eth(VM[2], LEFT, 0x86dd, ipv6("fd00::2", "fd01::1", 17, udp(1, 2)))),
    "router": out(2, "10.0.1.2", PING, 1, "10.0.1.254") + out(2, "10.0.1.2", PING, 1, "10.0.2.254") + out(2, "10.0.1.2", udp(1, 2), 17, "10.9.0.1") +
              out(2, "10.0.1.2", udp(1, 2), 17, ttl=1) + into("192.0.2.2", PING, 1) + out(2, "10.0.1.2", udp(1, 2), 17, "224.0.0.5") + wait(20) + into("192.0.2.200", udp(1, 2), 17),
    "tunnelled": step(PORT1, eth(VM[5], VM[1], 0x800, ipv4("10.0.1.5", "10.0.1.1", 6, tcp(1, 22))), CHECKSUMS | TUNNELLED) +
                 step(STATE, b"MnSt\1\2" + struct.pack(">H", 1) + bytes(16) + bytes(8), 0) + between(2, 5, 0x800, ipv4("10.0.1.2", "10.0.1.5", 6, tcp(1, 22))) + wait(210),
    "moves": between(2, 3, 0x88b5, b"a" * 46) + step(PORT6, eth(VM[2], ALL, 0x88b5, b"b" * 46)) + step(PORT3, eth(VM[2], ALL, 0x88b5, b"c" * 46)) + between(1, 2, 0x88b5, b"d" * 46),
}
for name, content in AGENT_PACKETS.items():
    write("agent_packets", name, content)


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
