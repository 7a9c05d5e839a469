"""A machine moves to another host under traffic: its MAC follows, the loss ends with the move, and its connections go on."""

from __future__ import annotations

import socket
import time

import pytest

from edge import FAR, OUTWARDS, WEB, build_edge
from midonet_lab import checks
from midonet_lab.checks import Ping
from midonet_lab.waiting import wait_until
from traffic import Caller, Greeters, SteadyPing, keeps_echoing

# What may be lost beyond the time the move itself takes: one round of learning the MAC anew.
GRACE = 0.3


@pytest.mark.parametrize("zone", ["gre", "vxlan"])
def test_the_mac_follows_the_machine(make_lab, zone):
    lab = make_lab([{"name": "mover", "host": "h1", "bridge": "red"}, {"name": "near", "host": "h1", "bridge": "red"},
                    {"name": "watcher", "host": "h3", "bridge": "red"}], zone=zone, hosts=3)
    mover = lab.cloud.machine("mover")
    for target in ("h2", "h1", "h3"):
        pings = [SteadyPing(Ping(lab.namespace(name), mover.address)) for name in ("watcher", "near")]
        try:
            for ping in pings:
                wait_until(lambda: len(ping.answered_at) > 20, "the ping to run")
            begin = time.monotonic()
            lab.move(mover, target)
            lab.wait_active(["mover"])
            bound = time.monotonic()
            for ping in pings:
                wait_until(lambda: ping.answered_at[-1] > bound, f"an answer after the move to {target}")
                wait_until(lambda: time.monotonic() > bound + 1, "the time after the move", 3)
        finally:
            for ping in pings:
                ping.stop()
        for ping in pings:
            gap = ping.longest_gap(begin, bound + 1)
            assert gap < bound - begin + GRACE, f"to {target}: {gap:.2f} s lost, the move took {bound - begin:.2f} s"


def test_a_machine_that_says_nothing_after_its_move_is_found(make_lab):
    """Nothing is sent by the machine itself; flooding until its MAC is learnt must find it."""
    lab = make_lab([{"name": "mover", "host": "h1", "bridge": "red"}, {"name": "watcher", "host": "h2", "bridge": "red"}])
    mover = lab.cloud.machine("mover")
    question = [Ping(lab.namespace("watcher"), mover.address)]
    assert checks.ping_all(question, 5.0)
    lab.move(mover, "h2")
    lab.wait_active(["mover"])
    assert checks.ping_all(question, 5.0)


@pytest.mark.parametrize("target", ["h1", "h3"], ids=["to-the-egress", "to-a-third-host"])
def test_a_translated_connection_moves_with_its_machine(make_lab, target):
    edge = build_edge(make_lab)
    with Greeters(edge.lab, ["internet"], WEB), Caller(edge.space("web2"), FAR, WEB, 10.0) as caller:
        assert caller.greeting.client == OUTWARDS and caller.echo()
        # The machine is to speak first: what the other end would say again before would tell the new host of the connection.
        caller.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        assert checks.ping_all([Ping(edge.space("web2"), FAR)], 5.0)
        edge.lab.move(edge.lab.cloud.machine("web2"), target)
        edge.lab.wait_active(["web2"])
        keeps_echoing(caller, "at the other host")
