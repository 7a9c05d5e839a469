"""Cases measured in turns, and their figures with the ratios of one to the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Sequence

from midonet_lab import table

from .figures import Figure
from .kernel_cases import Case

# The machine changes its speed from one second to the next: many short turns compare better than few long ones.
TURNS = 5


@dataclass(frozen=True)
class Measurement:
    """What is measured of each case: one value for each of `units`, whose keys are the names of the quantities."""

    units: dict[str, str]
    take: Callable[[Case, float], Sequence[float]]  # case, seconds
    turns: int = 1  # of each repetition, which share its seconds


def measure(benchmark: str, cases: list[Case], measurements: Sequence[Measurement], repetitions: int, seconds: float) -> list[Figure]:
    """All quantities of all cases; in every repetition one measurement after the other, and the cases in turns:
    what is compared is measured within seconds."""
    samples: dict[tuple[str, str], list[float]] = {}
    for number in range(repetitions):
        print(f"{benchmark}: repetition {number + 1} of {repetitions}", flush=True)
        for measurement in measurements:
            for _ in range(measurement.turns):
                for case in cases:
                    values = measurement.take(case, seconds / measurement.turns)
                    for quantity, value in zip(measurement.units, values, strict=True):
                        samples.setdefault((case.name, quantity), []).append(value)
    return [_figure(benchmark, case, quantity, unit, samples)
            for case in cases for measurement in measurements for quantity, unit in measurement.units.items()]


def _figure(benchmark: str, case: Case, quantity: str, unit: str, samples: dict[tuple[str, str], list[float]]) -> Figure:
    own = samples[case.name, quantity]
    figure = Figure.of(benchmark, f"{case.name}.{quantity}", own, unit)
    for yardstick in case.yardsticks:
        figure.compare(yardstick, own, samples[yardstick, quantity])
    return figure


def print_table(cases: list[Case], figures: list[Figure], headings: dict[str, str]) -> None:
    """The quantities of `headings`, a row for each case."""
    by_name = {figure.name: figure for figure in figures}

    def cell(case: Case, quantity: str) -> str:
        figure = by_name[f"{case.name}.{quantity}"]
        value = f"{figure.value / 1000:.0f}k" if figure.value >= 10_000 else f"{figure.value:.1f}"
        marks = [f"{figure.ratios[other]:.2f}" for other in case.yardsticks]
        return f"{value} ({', '.join(marks)})" if marks else value

    print("\nIn brackets: the ratios to the yardsticks of the case.\n")
    print(table.render(["case", "yardsticks", *headings.values()],
                       [[case.name, ", ".join(case.yardsticks) or "-", *(cell(case, quantity) for quantity in headings)] for case in cases]))
