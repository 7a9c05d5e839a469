"""Frames that no sane machine sends: sound ones of many kinds, each changed at a few places. The seed decides which."""

from __future__ import annotations

import ipaddress
import random
import struct
from dataclasses import dataclass
from typing import Callable, Iterator

_IPV4, _ARP, _IPV6 = 0x0800, 0x0806, 0x86DD
_VLAN_TYPES = (0x8100, 0x88A8, 0x9100)
_TCP, _UDP, _ICMP, _ICMP6, _NOTHING = 6, 17, 1, 58, 59
# Hop-by-hop, routing, fragment, ESP, authentication, destination options, mobility.
_EXTENSIONS = (0, 43, 44, 50, 51, 60, 135)
_ETHERNET = 14


@dataclass(frozen=True)
class Neighbourhood:
    """Whose addresses the frames carry."""

    macs: list[str]       # of the sender, of those it may reach, and of the router
    addresses: list[str]  # IPv4, of the same


def broken_frames(count: int, seed: int, around: Neighbourhood) -> Iterator[bytes]:
    """So many frames of 0 to some 200 bytes."""
    chance = random.Random(seed)
    for _ in range(count):
        frame = chance.choice(_SOUND)(chance, around)
        for _ in range(chance.randint(1, 3)):
            frame = chance.choice(_CHANGES)(chance, frame, around)
        yield bytes(frame)


def _ethernet(chance: random.Random, around: Neighbourhood, kind: int, payload: bytes) -> bytearray:
    target = chance.choice([*around.macs, "ff:ff:ff:ff:ff:ff"])
    return bytearray(_mac(target) + _mac(around.macs[0]) + struct.pack("!H", kind) + payload)


def _ipv4(chance: random.Random, around: Neighbourhood) -> bytearray:
    protocol = chance.choice((_TCP, _UDP, _ICMP, 47, 132))
    return _ethernet(chance, around, _IPV4, _ipv4_packet(chance, around, protocol, _transport(chance, protocol)))


def _icmp_error(chance: random.Random, around: Neighbourhood) -> bytearray:
    quoted = _ipv4_packet(chance, around, chance.choice((_TCP, _UDP, _ICMP)), _transport(chance, _UDP))
    message = struct.pack("!BBHI", chance.choice((3, 4, 5, 11, 12)), chance.randrange(16), 0, 0) + quoted[:chance.randint(0, 28)]
    return _ethernet(chance, around, _IPV4, _ipv4_packet(chance, around, _ICMP, message))


def _arp(chance: random.Random, around: Neighbourhood) -> bytearray:
    addresses = (_mac(chance.choice(around.macs)), _address(chance, around), _mac(chance.choice(around.macs)), _address(chance, around))
    return _ethernet(chance, around, _ARP, struct.pack("!HHBBH", 1, _IPV4, 6, 4, chance.randint(0, 5)) + b"".join(addresses))


def _ipv6(chance: random.Random, around: Neighbourhood) -> bytearray:
    """With a chain of extension headers, whose lengths may say anything."""
    chain = [chance.choice(_EXTENSIONS) for _ in range(chance.randint(0, 12))]
    kinds = [*chain, chance.choice((_TCP, _UDP, _ICMP6, _NOTHING))]
    headers = b"".join(struct.pack("!BB6x", after, chance.choice((0, 0, 0, 1, 255))) for after in kinds[1:])
    payload = headers + _transport(chance, kinds[-1])
    head = struct.pack("!IHBB", 6 << 28, len(payload), kinds[0], 64)
    return _ethernet(chance, around, _IPV6, head + chance.randbytes(32) + payload)


def _ipv4_packet(chance: random.Random, around: Neighbourhood, protocol: int, payload: bytes) -> bytes:
    fragment = chance.choice((0, 0, 0, 0x2000, 0x2001, 0x00FF))
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), chance.randrange(1 << 16), fragment, chance.choice((0, 1, 64)), protocol, 0)
    head += _address(chance, around) + _address(chance, around)
    return head[:10] + struct.pack("!H", _checksum(head)) + head[12:] + payload


def _transport(chance: random.Random, protocol: int) -> bytes:
    ports = struct.pack("!HH", chance.randrange(1 << 16), chance.randrange(1 << 16))
    if protocol == _TCP:
        return ports + struct.pack("!IIBBHHH", 0, 0, chance.randrange(16) << 4, chance.randrange(256), 1000, 0, 0)
    return ports + struct.pack("!HH", chance.choice((8, 0, 65535)), 0)


_SOUND: tuple[Callable[[random.Random, Neighbourhood], bytearray], ...] = (_ipv4, _ipv4, _icmp_error, _arp, _ipv6)


def _cut(chance: random.Random, frame: bytearray, _: Neighbourhood) -> bytearray:
    return frame[:chance.randint(_ETHERNET, max(_ETHERNET, len(frame)))]


def _flip(chance: random.Random, frame: bytearray, _: Neighbourhood) -> bytearray:
    """Some bytes behind the addresses become others."""
    for _ in range(chance.randint(1, 4)):
        frame[chance.randrange(12, len(frame))] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))
    return frame


def _header_length(chance: random.Random, frame: bytearray, _: Neighbourhood) -> bytearray:
    if len(frame) > _ETHERNET:
        frame[_ETHERNET] = chance.choice((0x40, 0x41, 0x44, 0x46, 0x4F, 0x05, 0x55, 0x65, 0xFF))
    return frame


def _total_length(chance: random.Random, frame: bytearray, _: Neighbourhood) -> bytearray:
    if len(frame) > _ETHERNET + 6:
        place = _ETHERNET + (4 if frame[12:14] == b"\x86\xdd" else 2)
        frame[place:place + 2] = struct.pack("!H", chance.choice((0, 1, 19, 20, 21, 27, 28, 1500, 65535)))
    return frame


def _source_mac(chance: random.Random, frame: bytearray, around: Neighbourhood) -> bytearray:
    """A group's, none, the router's, another machine's."""
    frame[6:12] = _mac(chance.choice(["ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:01", "00:00:00:00:00:00", *around.macs]))
    return frame


def _vlans(chance: random.Random, frame: bytearray, _: Neighbourhood) -> bytearray:
    """A stack of tags, the last of which may be cut off by another change."""
    tags = b"".join(struct.pack("!HH", chance.choice(_VLAN_TYPES), chance.randrange(1 << 16)) for _ in range(chance.randint(1, 5)))
    return frame[:12] + tags + frame[12:]


def _as_it_is(_: random.Random, frame: bytearray, __: Neighbourhood) -> bytearray:
    return frame


_CHANGES: tuple[Callable[[random.Random, bytearray, Neighbourhood], bytearray], ...] = (
    _cut, _flip, _header_length, _total_length, _source_mac, _vlans, _as_it_is)


def _mac(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", ""))


def _address(chance: random.Random, around: Neighbourhood) -> bytes:
    return ipaddress.IPv4Address(chance.choice([*around.addresses, "0.0.0.0", "127.0.0.1", "224.0.0.1", "255.255.255.255"])).packed


def _checksum(header: bytes) -> int:
    total = sum(struct.unpack(f"!{len(header) // 2}H", header))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF
