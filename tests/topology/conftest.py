"""System tests on real clouds: the programs of $MIDONET_BIN in network namespaces, built with midonet_lab.

    MIDONET_BIN=build/release/bin /usr/bin/python3 -m pytest tests/topology [-m 'not slow']

MIDONET_TEST_NSDB="zookeeper(1)" runs them on a ZooKeeper server in place of the embedded NSDB.
Needs root. A failing test shows the end of every log of its cloud.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "lab"))

from midonet_lab import cleanup, cloud, state  # noqa: E402
from midonet_lab.errors import LabError  # noqa: E402
from midonet_lab.lab import Lab, preflight  # noqa: E402

PREFIX = "tt"
_running: list[Lab] = []


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: takes more than half a minute; left out of a quick run with -m 'not slow'")


@pytest.fixture(scope="session", autouse=True)
def sound_machine() -> None:
    """Fails at once when this machine cannot carry a lab, and removes what killed test runs left."""
    preflight()
    for name in state.recorded_clouds():
        known = state.State.load(name)
        if name.startswith(PREFIX) and (known is None or not known.owned_by_living()):
            try:
                with state.locked(name):
                    cleanup.remove(name)
            except LabError:
                continue  # another test run is building it right now


MakeLab = Callable[..., Lab]


def _lab_maker() -> Iterator[MakeLab]:
    made: list[Lab] = []

    def make(machines: list[dict[str, Any]], zone: str = "vxlan", hosts: int = 2, bridges: tuple[str, ...] = ("red",),
             agent: dict[str, Any] | None = None, api: dict[str, Any] | None = None, **more: Any) -> Lab:
        number = sum(1 for name in state.recorded_clouds() if name.startswith(f"{PREFIX}{os.getpid()}x"))
        lab = Lab(cloud.parse({
            "name": f"{PREFIX}{os.getpid()}x{number}", "zone": {"type": zone}, "bridges": list(bridges), "agent": agent or {},
            "api": api or {}, "hosts": [f"h{i}" for i in range(1, hosts + 1)], "machine": machines,
            "nsdb": os.environ.get("MIDONET_TEST_NSDB", "embedded"), **more}))
        made.append(lab)
        _running.append(lab)
        lab.up(owned=True)
        return lab

    yield make
    for lab in made:
        _running.remove(lab)
        lab.down()


@pytest.fixture
def make_lab() -> Iterator[MakeLab]:
    """Makes clouds that live as long as the test."""
    yield from _lab_maker()


@pytest.fixture(scope="module")
def make_module_lab() -> Iterator[MakeLab]:
    """Makes clouds that the tests of one file share."""
    yield from _lab_maker()


@pytest.fixture(scope="session")
def frameblast(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The compiled traffic generator of tools/frameblast.c."""
    program = tmp_path_factory.mktemp("tools") / "frameblast"
    subprocess.run(["cc", "-O2", "-Wall", "-Wextra", "-pthread", "-o", program, HERE / "tools/frameblast.c"], check=True, timeout=60)
    return program


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    outcome = yield
    report = outcome.get_result()
    if not report.failed:
        return
    for lab in _running:
        for log in sorted((lab.folder / "logs").glob("*.log")):
            lines = log.read_text(errors="replace").splitlines()
            report.sections.append((f"{lab.cloud.name} {log.name} (last 30 of {len(lines)} lines)", "\n".join(lines[-30:])))
