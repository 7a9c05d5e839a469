"""What the benchmark of connections makes of failures; needs no root."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from midonet_bench import connections  # noqa: E402
from midonet_lab.errors import LabError  # noqa: E402

NONE = Counter({"refused": 0, "timed_out": 0, "broken": 0})


def test_no_failure_is_fine():
    connections._require_none_failed({"kernel_nat": NONE, "midonet": NONE})


def test_one_failure_is_an_error_that_names_case_and_kind():
    with pytest.raises(LabError, match="failed; midonet: 1 timed_out, 2 broken$"):
        connections._require_none_failed({"kernel_nat": NONE, "midonet": NONE + Counter({"timed_out": 1, "broken": 2})})
