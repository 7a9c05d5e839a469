"""The lab's own tests: `/usr/bin/python3 -m pytest lab/tests`. Those that make namespaces need root."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="makes network namespaces: needs root")


@pytest.fixture
def run_root(tmp_path, monkeypatch):
    """A run folder of this test's own."""
    monkeypatch.setenv("MIDONET_LAB_RUN", str(tmp_path / "run"))
    return tmp_path / "run"


@pytest.fixture
def kernel_programs(monkeypatch):
    """Stand-ins of the programs that forward with Linux bridges, so the lab is tested without the product."""
    monkeypatch.setenv("MIDONET_BIN", str(HERE / "kernel_cloud"))
