"""Figures: what a benchmark measured, as one JSON line each."""

from __future__ import annotations

import json
import statistics
from dataclasses import dataclass, field
from typing import Any, Sequence


@dataclass
class Figure:
    """One measured quantity: the median of its samples, and its ratios to the same quantity of other cases.

    A ratio is the median of the ratios of samples taken in the same repetition: drift of the machine between
    repetitions does not touch it.
    """

    benchmark: str
    name: str  # "midonet_vxlan.packet_rate"
    value: float
    unit: str
    low: float
    high: float
    runs: int
    ratios: dict[str, float] = field(default_factory=dict)  # by the name of the other case
    note: str = ""

    @staticmethod
    def of(benchmark: str, name: str, samples: Sequence[float], unit: str, note: str = "") -> "Figure":
        """The figure of one sample per repetition."""
        return Figure(benchmark, name, statistics.median(samples), unit, min(samples), max(samples), len(samples), note=note)

    def compare(self, case: str, own: Sequence[float], other: Sequence[float]) -> None:
        """Adds the ratio to another case that was measured in the same repetitions."""
        self.ratios[case] = statistics.median(a / b for a, b in zip(own, other, strict=True))

    def line(self) -> str:
        """The figure as a JSON line."""
        data: dict[str, Any] = {"benchmark": self.benchmark, "figure": self.name, "value": _short(self.value), "unit": self.unit,
                                "min": _short(self.low), "max": _short(self.high), "runs": self.runs}
        if self.ratios:
            data["ratios"] = {case: round(ratio, 3) for case, ratio in self.ratios.items()}
        if self.note:
            data["note"] = self.note
        return json.dumps(data)

    @staticmethod
    def parse(line: str) -> "Figure | None":
        """Reads a line back; None when it is no figure.

        Only benchmark, figure, value and unit are needed: programs in other languages print no more.
        """
        try:
            data = json.loads(line)
            value = float(data["value"])
            return Figure(str(data["benchmark"]), str(data["figure"]), value, str(data["unit"]), float(data.get("min", value)),
                          float(data.get("max", value)), int(data.get("runs", 1)), dict(data.get("ratios", {})),
                          str(data.get("note", "")))
        except (ValueError, TypeError, KeyError):
            return None


def _short(value: float) -> float:
    """Four significant digits: more are noise."""
    return float(f"{value:.4g}") if abs(value) < 1000 else round(value)
