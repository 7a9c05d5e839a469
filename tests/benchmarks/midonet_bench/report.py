"""Results of all benchmarks: kept in one file of JSON lines, and shown as one table of budgets."""

from __future__ import annotations

from pathlib import Path
from typing import Iterable

from midonet_lab import table

from . import REPOSITORY
from .budgets import budgets_of
from .figures import Figure

RESULTS = REPOSITORY / "build/bench/results.jsonl"


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
            value = f"{figure.value:,.0f}" if figure.value >= 1000 else f"{figure.value:.3g}"
            ratio = f", {measured:.2f} x {budget.ratio_to}" if budget.ratio_to else ""
            rows.append([budget.what, f"{value} {figure.unit}{ratio}", budget.limit_text(figure), f"{budget.distance(measured):.2f}",
                         "met" if met else "MISSED"])
    return table.render(["figure", "measured", "budget", "against the budget", "result"], rows) if rows else "", missed
