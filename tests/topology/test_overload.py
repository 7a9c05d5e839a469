"""Floods from one port starve neither the agent nor the first packet of another port; drops are counted."""

from __future__ import annotations

import time

import pytest

from midonet_lab import checks
from midonet_lab.checks import Ping
from midonet_lab.lab import Lab
from midonet_lab.waiting import wait_until
from traffic import Blast

SECONDS = 4.0
# Below the second after which ARP would ask again: the very first packets have to pass.
FIRST_PACKET_SECONDS = 0.9
UPCALL_RATE = 20_000  # first packets a second that a port may send to the agent: the default of datapath.upcall_rate


@pytest.fixture
def lab(make_lab) -> Lab:
    names = [("noisy", "h1"), ("calm", "h1"), ("near", "h1"), ("far", "h2"), ("target", "h2")]
    return make_lab([{"name": name, "host": host, "bridge": "red"} for name, host in names])


def counters(lab: Lab) -> dict[str, float]:
    """What h1's datapath did with packets that hit no flow, and how many hit one."""
    metrics = lab.metrics("h1")
    names = {"hits": ("hits_exact", "hits_masked"), "upcalls": ("upcalls",), "throttled": ("throttled",),
             "refused": ("pending_dropped", "upcalls_lost")}
    return {what: sum(metrics[f"midonet_datapath_{name}_total"] for name in parts) for what, parts in names.items()}


@pytest.mark.parametrize("mode, rate", [("fixed", 500_000), ("targets", 100_000), ("sources", 100_000)])
def test_another_ports_first_packet_passes(lab, frameblast, mode, rate):
    before = counters(lab)
    noisy, near, target = (lab.cloud.machine(name) for name in ("noisy", "near", "target"))
    blast = Blast(frameblast, lab.namespace("noisy"), noisy.mac, near.mac, mode, rate, SECONDS)
    try:
        begin = time.monotonic()
        wait_until(lambda: time.monotonic() - begin > 1.0, "the flood to be in full flow", 3)
        waited = []
        for name in ("near", "far"):
            question = Ping(lab.namespace("calm"), lab.cloud.machine(name).address)
            answered = checks.ping_all([question], 3.0)
            assert blast.running(), "the flood ended too early for the test to mean anything"
            assert question in answered, f"calm never reached {name} under the flood"
            waited.append(answered[question])
        print(f"{mode}: calm waited {waited} s")
        assert max(waited) < FIRST_PACKET_SECONDS, f"calm waited {waited} s"
        asked = time.monotonic()
        lab.status("h1")
        assert time.monotonic() - asked < 1.0, "the agent was too busy to tell its status"
        sent = blast.result()["sent"]
    finally:
        blast.stop()
    grown = {what: count - before[what] for what, count in counters(lab).items()}
    print(f"{mode}: {sent / SECONDS:.0f} packets/s sent, {grown}")
    allowed = UPCALL_RATE * (SECONDS + 1)
    if mode == "fixed":
        assert sent > 0.5 * allowed, f"the machine is too slow for this test: {sent} packets"
        # One flow: the agent sees the first packets, the flow takes the rest.
        assert grown["upcalls"] + grown["throttled"] + grown["refused"] < 0.2 * sent, grown
        assert grown["hits"] > 0.8 * sent, grown
    else:
        assert sent > 1.3 * allowed, f"the machine is too slow for this test: {sent} packets"
        # Every packet a flow of its own: the port gets what its bucket holds, the rest is dropped and counted.
        assert grown["upcalls"] < 1.1 * allowed, grown
        assert grown["throttled"] + grown["refused"] > sent - 1.1 * allowed, grown
    # And it is over when it is over.
    wait_until(lambda: checks.ping_all([Ping(lab.namespace("noisy"), target.address)], 1.0), "the noisy port to work again")
