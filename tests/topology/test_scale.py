"""`midonet-lab scale` at a small size: it runs, its figures are sound, and a change wakes those whom it concerns."""

from __future__ import annotations

import os

import pytest

from midonet_lab import scale, state, zookeeper

pytestmark = pytest.mark.skipif(not zookeeper.JAR.exists(), reason="starts the servers of the package zookeeper")
NAME = f"tt{os.getpid()}scale"


def test_figures_of_a_small_cloud():
    figures = scale.run(scale.Size(agents=6, ports=500, heap=256, changes=4, unused=50, name=NAME), print)
    assert figures["first_ready_seconds"] <= figures["median_ready_seconds"] <= figures["last_ready_seconds"] < 30
    assert 0 < figures["alone_ready_seconds"] < 30
    assert figures["znodes"] > 5 * 500 and figures["agent_watches"] > 100 and 1 < figures["agent_pss_mb"] < 60
    assert figures["wide_rule"]["woken"] == figures["wide_binding"]["woken"] == 6
    assert figures["lone_rule"]["woken"] == 1 and figures["lone_rule"]["watches"] == 1
    assert "6: first" in scale.report(figures)
    assert NAME not in state.recorded_clouds()
