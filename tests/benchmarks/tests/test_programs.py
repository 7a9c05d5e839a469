"""Running benchmarks that are programs of their own, on stand-ins."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from midonet_bench import programs  # noqa: E402
from midonet_bench.figures import Figure  # noqa: E402
from midonet_lab.errors import LabError  # noqa: E402


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(programs, "_FOLDERS", (tmp_path,))
    return tmp_path


def make(path: Path, script: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)


LINE = """echo '{"benchmark": "other name", "figure": "f", "value": 7, "unit": "ns"}'"""


@pytest.mark.parametrize("place", ["speed", "speed/run"])
def test_figures_are_collected_and_the_rest_is_passed_on(folder, capsys, place):
    make(folder / place, f"echo hello; {LINE}")
    assert programs.run("speed", 1, 1.0) == [Figure("speed", "f", 7.0, "ns", 7.0, 7.0, 1)]
    assert capsys.readouterr().out == "hello\n"


def test_repetitions_and_seconds_are_handed_on(folder):
    make(folder / "speed", """echo "{\\"benchmark\\": \\"b\\", \\"figure\\": \\"$REPS\\", \\"value\\": $SECS, \\"unit\\": \\"s\\"}" """)
    figure, = programs.run("speed", 3, 0.5)
    assert (figure.name, figure.value) == ("3", 0.5)


@pytest.mark.parametrize("script, message", [(f"{LINE}; exit 3", "exit code 3"), ("echo hi", "no figures")])
def test_failures_are_told(folder, script, message):
    make(folder / "speed", script)
    with pytest.raises(LabError, match=message):
        programs.run("speed", 1, 1.0)


def test_what_is_not_built_is_told_with_the_fix(folder):
    (folder / "speed").write_text("no program", encoding="utf-8")
    with pytest.raises(LabError, match="MIDONET_BENCHMARKS=ON"):
        programs.run("speed", 1, 1.0)
