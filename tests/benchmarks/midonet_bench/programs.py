"""Benchmarks that are programs of their own: run, and their JSON lines collected."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from midonet_lab.errors import LabError

from . import REPOSITORY
from .figures import Figure

# Where a benchmark of this name may be: a script of this folder, or built from C++.
_FOLDERS = (REPOSITORY / "build/release/benchmarks", REPOSITORY / "build/release/bin", REPOSITORY / "tests/benchmarks")
_LIMIT_SECONDS = 900


def find(name: str) -> Path | None:
    """The program, None when it is not there (not built)."""
    for folder in _FOLDERS:
        for candidate in (folder / name, folder / name / "run"):
            if candidate.is_file() and candidate.stat().st_mode & 0o111:
                return candidate
    return None


def run(name: str, repetitions: int, seconds: float) -> list[Figure]:
    """Runs it to its end, with $REPS and $SECS set; what it prints beside JSON lines is passed on."""
    program = find(name)
    if program is None:
        raise LabError(f"the benchmark '{name}' is not built: cmake --preset release -DMIDONET_BENCHMARKS=ON && "
                       "cmake --build build/release")
    figures = []
    try:
        done = subprocess.run([str(program)], stdout=subprocess.PIPE, text=True, check=False, timeout=_LIMIT_SECONDS,
                              env={**os.environ, "REPS": str(repetitions), "SECS": f"{seconds:g}"})
    except subprocess.TimeoutExpired as error:
        raise LabError(f"{program} did not end within {error.timeout:g} s") from error
    for line in done.stdout.splitlines():
        figure = Figure.parse(line)
        if figure is None:
            print(line)
        else:
            figure.benchmark = name
            figures.append(figure)
    if done.returncode:
        raise LabError(f"{program} failed with exit code {done.returncode}; its messages are above")
    if not figures:
        raise LabError(f"{program} printed no figures")
    return figures
