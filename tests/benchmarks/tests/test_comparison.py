"""Cases measured in turns, on measurements that are made up."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from midonet_bench import comparison  # noqa: E402
from midonet_bench.comparison import Measurement  # noqa: E402
from midonet_bench.kernel_cases import Case  # noqa: E402

KERNEL = Case("kernel", "s", "t", "a")
OURS = Case("ours", "s", "t", "a", ("kernel",))


def test_cases_take_turns_and_share_the_seconds():
    taken = []

    def take(case, seconds):
        taken.append((case.name, seconds))
        return [1.0]

    comparison.measure("b", [KERNEL, OURS], [Measurement({"rate": "1/s"}, take, turns=2)], repetitions=2, seconds=3.0)
    assert taken == [("kernel", 1.5), ("ours", 1.5)] * 4


def test_each_quantity_has_a_figure_with_the_ratios_of_its_case():
    values = {"kernel": iter([(10.0, 4.0), (20.0, 4.0), (10.0, 4.0)]), "ours": iter([(20.0, 1.0), (20.0, 2.0), (30.0, 3.0)])}
    measurement = Measurement({"rate": "1/s", "time": "us"}, lambda case, _: next(values[case.name]))
    kernel_rate, kernel_time, rate, time = comparison.measure("b", [KERNEL, OURS], [measurement], 3, 1.0)
    assert [figure.name for figure in (kernel_rate, kernel_time, rate, time)] == ["kernel.rate", "kernel.time", "ours.rate", "ours.time"]
    assert (rate.benchmark, rate.value, rate.unit, rate.runs) == ("b", 20.0, "1/s", 3)
    assert rate.ratios == {"kernel": 2.0}  # of 2, 1, 3
    assert time.ratios == {"kernel": 0.5} and kernel_rate.ratios == {}


def test_a_measurement_that_does_not_give_all_its_values_is_refused():
    with pytest.raises(ValueError):
        comparison.measure("b", [KERNEL], [Measurement({"rate": "1/s", "time": "us"}, lambda *_: [1.0])], 1, 1.0)
