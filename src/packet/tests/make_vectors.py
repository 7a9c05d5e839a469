#!/usr/bin/env python3
"""Writes vectors.h: frames made by Scapy, the second opinion on our builder.

Run `python3 make_vectors.py > vectors.h` (Debian package python3-scapy) after a change here.
"""
from scapy.all import (ARP, Dot1AD, Dot1Q, Ether, GRE, ICMP, ICMPv6EchoRequest, ICMPv6ND_NA, ICMPv6ND_NS,
                       ICMPv6NDOptDstLLAddr, ICMPv6NDOptSrcLLAddr, IP, IPOption, IPv6, IPv6ExtHdrDestOpt,
                       IPv6ExtHdrFragment, PadN, Raw, TCP, UDP, VXLAN, raw)

A, B = "02:00:00:00:00:0a", "02:00:00:00:00:0b"
eth = Ether(src=A, dst=B)
ip4 = IP(src="10.0.1.2", dst="10.0.2.2", id=0, ttl=64)
ip6 = IPv6(src="2001:db8::1", dst="2001:db8::2", hlim=64)
inner = Ether(src=B, dst=A) / IP(src="192.168.0.1", dst="192.168.0.2", id=0) / UDP(sport=5, dport=6) / Raw(b"inner")

VECTORS = {
    "Udp": eth / IP(src="10.0.1.2", dst="10.0.2.2", id=7, ttl=63, tos=0x10, flags="DF") / UDP(sport=1000, dport=53) / Raw(b"hi!"),
    "UdpChecksumZero": eth / IP(src="0.0.0.0", dst="0.0.0.0", id=0) / UDP(sport=0, dport=0) / Raw(b"\xff\xda"),
    "TcpOptions": eth / ip4 / TCP(sport=1, dport=65535, flags="SA", seq=0x01020304, ack=0x05060708, window=512,
                                  options=[("MSS", 1460), ("NOP", None), ("WScale", 7)]) / Raw(b"abc"),
    "IpOptions": eth / IP(src="10.0.1.2", dst="10.0.2.2", id=0, options=[IPOption(b"\x94\x04\x00\x00")]) / UDP(sport=1, dport=2),
    "IcmpEcho": eth / ip4 / ICMP(type=8, id=0x1234, seq=9) / Raw(b"ping"),
    "LaterFragment": eth / IP(src="10.0.1.2", dst="10.0.2.2", id=99, frag=185, flags="MF", proto=17) / Raw(b"tail"),
    "ArpRequest": Ether(src=A, dst="ff:ff:ff:ff:ff:ff") / ARP(op=1, hwsrc=A, psrc="10.0.0.1", hwdst="00:00:00:00:00:00", pdst="10.0.0.2"),
    "VlanVlanArpReply": eth / Dot1AD(vlan=100, prio=3, type=0x8100) / Dot1Q(vlan=10) / ARP(op=2, hwsrc=A, psrc="10.0.0.1", hwdst=B, pdst="10.0.0.2"),
    "Tcp6": eth / IPv6(src="2001:db8::1", dst="2001:db8::2", tc=0xb8, fl=0x12345, hlim=3) / TCP(sport=10, dport=20, flags="S", seq=1, ack=0, window=65535),
    "Udp6DestinationOptions": eth / ip6 / IPv6ExtHdrDestOpt(options=[PadN(optdata=b"\0\0\0\0")]) / UDP(sport=7, dport=8) / Raw(b"x"),
    "Fragment6": eth / ip6 / IPv6ExtHdrFragment(nh=17, offset=0, m=1, id=5) / UDP(sport=7, dport=8, len=100, chksum=0xabcd) / Raw(b"12345678"),
    "Icmp6Echo": eth / ip6 / ICMPv6EchoRequest(id=3, seq=4, data=b"ping6"),
    "NeighbourSolicitation": Ether(src=A, dst="33:33:ff:00:00:02") / IPv6(src="fe80::a", dst="ff02::1:ff00:2", hlim=255) /
        ICMPv6ND_NS(tgt="2001:db8::2") / ICMPv6NDOptSrcLLAddr(lladdr=A),
    "NeighbourAdvertisement": eth / IPv6(src="fe80::b", dst="fe80::a", hlim=255) /
        ICMPv6ND_NA(tgt="2001:db8::2", R=0, S=1, O=1) / ICMPv6NDOptDstLLAddr(lladdr=B),
    "Vxlan": eth / ip4 / UDP(sport=50000, dport=4789, chksum=0) / VXLAN(vni=0x123456, flags=8) / inner,
    "GreKey": eth / ip4 / GRE(proto=0x6558, key_present=1, key=0x100005) / inner,
    "GreAll": eth / ip4 / GRE(proto=0x6558, chksum_present=1, key_present=1, key=1, seqnum_present=1, sequence_number=2) / inner,
}

print("// Made by make_vectors.py; do not edit.\n#pragma once\n\n#include <string_view>\n\nnamespace midonet::packet::vectors {\n")
for name, packet in VECTORS.items():
    text = raw(packet).hex()
    pieces = [text[i:i + 88] for i in range(0, len(text), 88)]
    print(f"inline constexpr std::string_view k{name} =")
    print("\n".join(f'    "{p}"' for p in pieces) + ";")
print("\n}  // namespace midonet::packet::vectors")
