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


@pytest.fixture
def lab(make_lab) -> Lab:
    names = [("noisy", "h1"), ("calm", "h1"), ("near", "h1"), ("far", "h2"), ("target", "h2")]
    return make_lab([{"name": name, "host": host, "bridge": "red"} for name, host in names])


def drops(lab: Lab) -> dict[str, float]:
    """Counters of dropped packets of h1's agent, by reason."""
    return {name: value for name, value in lab.metrics("h1").items() if "drop" in name and "reason=" in name}


@pytest.mark.parametrize("mode, rate, expect_drops", [("fixed", 500_000, False), ("targets", 100_000, True), ("sources", 100_000, True)])
def test_another_ports_first_packet_passes(lab, frameblast, mode, rate, expect_drops):
    before = drops(lab)
    noisy, target = lab.cloud.machine("noisy"), lab.cloud.machine("target")
    blast = Blast(frameblast, lab.namespace("noisy"), noisy.mac, target.mac, mode, rate, SECONDS)
    try:
        begin = time.monotonic()
        wait_until(lambda: time.monotonic() - begin > 1.0, "the flood to be in full flow", 3)
        for name in ("near", "far"):
            question = Ping(lab.namespace("calm"), lab.cloud.machine(name).address)
            answered = checks.ping_all([question], 3.0)
            assert blast.running(), "the flood ended too early for the test to mean anything"
            assert question in answered, f"calm never reached {name} under the flood"
            assert answered[question] < FIRST_PACKET_SECONDS, f"calm waited {answered[question]:.2f} s for {name}"
        asked = time.monotonic()
        lab.status("h1")
        assert time.monotonic() - asked < 1.0, "the agent was too busy to tell its status"
        sent = blast.result()
    finally:
        blast.stop()
    assert sent["pps"] > 0.2 * rate, f"the machine is too slow for this test: {sent}"
    dropped = sum(drops(lab).values()) - sum(before.values())
    if expect_drops:
        assert dropped > 0, f"{sent['sent']} packets of new flows, and no drop was counted: {drops(lab)}"
    assert dropped <= sent["sent"]
    # And it is over when it is over.
    wait_until(lambda: checks.ping_all([Ping(lab.namespace("noisy"), target.address)], 1.0), "the noisy port to work again")
