"""Results of all benchmarks: kept in one file of JSON lines, and shown as one table of budgets."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Iterable

from midonet_lab import table
from midonet_lab.errors import LabError

from . import REPOSITORY
from .budgets import budgets_of
from .figures import Figure

RESULTS = REPOSITORY / "build/bench/results.jsonl"
PAGE = REPOSITORY / "docs/performance.md"
_BEGIN, _END = "<!-- begin: written by tests/benchmarks/run --write-page -->", "<!-- end -->"


def keep(benchmark: str, figures: Iterable[Figure], path: Path = RESULTS) -> None:
    """Puts the figures of a benchmark in the place of those of its last run."""
    path.parent.mkdir(parents=True, exist_ok=True)
    others = [figure for figure in load(path) if figure.benchmark != benchmark]
    temporary = path.with_suffix(".new")
    temporary.write_text("".join(f"{figure.line()}\n" for figure in (*others, *figures)), encoding="utf-8")
    temporary.replace(path)


def load(path: Path = RESULTS) -> list[Figure]:
    """All figures that are kept."""
    if not path.exists():
        return []
    found = [Figure.parse(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [figure for figure in found if figure is not None]


def write_page(figures: Iterable[Figure], path: Path = PAGE, results: Path = RESULTS) -> None:
    """Puts the figures into the page between its marks, with the day and the machine of the run in general words."""
    text = path.read_text(encoding="utf-8")
    begin, end = text.find(_BEGIN), text.find(_END)
    if not 0 <= begin < end:
        raise LabError(f"{path} lacks its marks '{_BEGIN}' and '{_END}': put them back where the figures belong")
    day = time.strftime("%Y-%m-%d", time.gmtime(results.stat().st_mtime))
    kernel = ".".join(os.uname().release.split("-")[0].split(".")[:2])
    head = f"`tests/benchmarks/run`, {day}; virtual machine, {os.cpu_count()} cores, Linux {kernel}."
    path.write_text(f"{text[:begin]}{_BEGIN}\n{head}\n\n{markdown(figures)}\n{text[end:]}", encoding="utf-8")


def markdown(figures: Iterable[Figure]) -> str:
    """All figures as the tables of docs/performance.md, one for each benchmark."""
    figures = list(figures)
    parts = []
    for benchmark in dict.fromkeys(figure.benchmark for figure in figures):
        rows = [f"### {benchmark}", "", "| figure | median | min to max | ratios | budget | |", "|---|---|---|---|---|---|"]
        for figure in figures:
            if figure.benchmark == benchmark:
                rows.append(_markdown_row(figure))
        parts.append("\n".join(rows))
    return "\n\n".join(parts)


def _markdown_row(figure: Figure) -> str:
    budget = next(iter(budgets_of(figure)), None)
    measured = budget.measured(figure) if budget else None
    limit = budget.limit_text(figure) if budget else ""
    verdict = "" if budget is None or measured is None else "met" if budget.met(measured) else "**missed**"
    ratios = ", ".join(f"{ratio:.2f} x {case}" for case, ratio in figure.ratios.items())
    span = f"{_number(figure.low)} to {_number(figure.high)}" if figure.runs > 1 else ""
    note = f" ({figure.note})" if figure.note else ""
    return f"| `{figure.name}`{note} | {_number(figure.value)} {figure.unit} | {span} | {ratios} | {limit} | {verdict} |"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def budget_table(figures: Iterable[Figure]) -> tuple[str, int]:
    """The table, and how many budgets are missed. "Against the budget" above 1 is better than asked."""
    rows, missed = [], 0
    for figure in figures:
        for budget in budgets_of(figure):
            measured = budget.measured(figure)
            if measured is None:
                continue
            met = budget.met(measured)
            missed += not met
            ratio = f", {measured:.2f} x {budget.ratio_to}" if budget.ratio_to else ""
            rows.append([budget.what, f"{_number(figure.value)} {figure.unit}{ratio}", budget.limit_text(figure), f"{budget.distance(measured):.2f}",
                         "met" if met else "MISSED"])
    return table.render(["figure", "measured", "budget", "against the budget", "result"], rows) if rows else "", missed
