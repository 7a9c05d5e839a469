"""The arithmetic of figures and budgets; needs no root and no programs."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from midonet_bench import report  # noqa: E402
from midonet_bench.budgets import BUDGETS, Budget, budgets_of  # noqa: E402
from midonet_bench.figures import Figure  # noqa: E402
from midonet_lab.errors import LabError  # noqa: E402


def test_a_figure_is_the_median_and_its_ratio_the_median_of_pairs():
    own, other = [10.0, 40.0, 30.0], [10.0, 20.0, 10.0]
    figure = Figure.of("forwarding", "x.y", own, "packets/s")
    figure.compare("raw", own, other)
    assert (figure.value, figure.low, figure.high, figure.runs) == (30.0, 10.0, 40.0, 3)
    assert figure.ratios == {"raw": 2.0}  # of 1, 2, 3; the ratio of the medians would be 3


def test_ratios_need_samples_of_the_same_repetitions():
    with pytest.raises(ValueError):
        Figure.of("b", "f", [1.0, 2.0], "s").compare("other", [1.0, 2.0], [1.0])


def test_lines_are_read_back():
    figure = Figure.of("b", "f", [0.123456, 2.0, 1.0], "ms", "a note")
    figure.ratios["raw"] = 0.5
    assert Figure.parse(figure.line()) == Figure("b", "f", 1.0, "ms", 0.1235, 2.0, 3, {"raw": 0.5}, "a note")


def test_a_line_of_another_program_may_be_shorter():
    line = json.dumps({"benchmark": "b", "figure": "f", "value": 7, "unit": "ns", "and": "more"})
    assert Figure.parse(line) == Figure("b", "f", 7.0, "ns", 7.0, 7.0, 1)


@pytest.mark.parametrize("line", ["", "ready", "[1]", "7", '{"benchmark": "b"}', '{"benchmark": "b", "figure": "f", "value": null, "unit": "s"}'])
def test_what_is_no_figure_is_told_apart(line):
    assert Figure.parse(line) is None


@pytest.mark.parametrize("at_most, measured, met, distance", [(False, 2.0, True, 2.0), (False, 1.0, True, 1.0), (False, 0.5, False, 0.5),
                                                              (True, 2.0, False, 0.5), (True, 1.0, True, 1.0), (True, 0.5, True, 2.0)])
def test_a_budget_goes_one_way(at_most, measured, met, distance):
    budget = Budget("b", "f", "what", 1.0, at_most)
    assert budget.met(measured) is met
    assert budget.distance(measured) == distance


def test_the_table_counts_what_is_missed():
    good = Figure.of("forwarding", "midonet_vxlan.packet_rate", [400_000.0], "packets/s")
    good.ratios = {"raw_veth": 0.5, "kernel_vxlan": 1.4}
    bad = Figure.of("resident_memory", "idle_agent", [50.0], "MB")
    unbudgeted = Figure.of("forwarding", "raw_veth.packet_rate", [1.0], "packets/s")
    text, missed = report.budget_table([good, bad, unbudgeted])
    assert missed == 1
    assert "1.40 x kernel_vxlan" in text and "<= 25 MB" in text and "raw_veth" not in text
    assert [line.endswith("MISSED") for line in text.splitlines()[2:]] == [False, True]


def test_a_ratio_that_was_not_measured_is_not_judged():
    assert report.budget_table([Figure.of("forwarding", "midonet_vxlan.packet_rate", [1.0], "packets/s")]) == ("", 0)


def test_a_new_run_replaces_the_figures_of_its_benchmark_only(tmp_path):
    path = tmp_path / "deep/results.jsonl"
    old, other, new = (Figure.of(*names, [1.0], "s") for names in (("a", "old"), ("b", "other"), ("a", "new")))
    report.keep("a", [old], path)
    report.keep("b", [other], path)
    report.keep("a", [new], path)
    assert [figure.name for figure in report.load(path)] == ["other", "new"]


def test_figures_become_a_page():
    good = Figure.of("forwarding", "midonet_vxlan.packet_rate", [400_000.0, 500_000.0], "packets/s")
    good.ratios = {"kernel_vxlan": 1.4}
    page = report.markdown([good, Figure.of("resident_memory", "idle_agent", [50.0], "MB", "a note")]).splitlines()
    assert page[4] == ("| `midonet_vxlan.packet_rate` | 450,000 packets/s | 400,000 to 500,000 | 1.40 x kernel_vxlan "
                       "| >= 1.3 x kernel_vxlan | met |")
    assert page[-1] == "| `idle_agent` (a note) | 50 MB |  |  | <= 25 MB | **missed** |"


def test_the_page_keeps_what_is_around_its_marks(tmp_path):
    page, results = tmp_path / "page.md", tmp_path / "results.jsonl"
    page.write_text(f"before\n{report._BEGIN}\nold figures\n{report._END}\nafter\n", encoding="utf-8")
    report.keep("a", [Figure.of("a", "f", [1.0], "s")], results)
    for _ in range(2):
        report.write_page(report.load(results), page, results)
        text = page.read_text(encoding="utf-8")
        assert text.startswith("before\n") and text.endswith("after\n")
        assert text.count("| `f` | 1 s |") == 1 and "old figures" not in text
    page.write_text("no marks", encoding="utf-8")
    with pytest.raises(LabError):
        report.write_page([], page, results)


def test_no_budget_is_written_twice():
    keys = [(budget.benchmark, budget.figure) for budget in BUDGETS]
    assert len(keys) == len(set(keys))
    assert all(budgets_of(Figure.of(*key, [1.0], "s")) for key in keys)
