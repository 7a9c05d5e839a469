"""Benchmarks of MidoNet as a whole, and the report over these and the C++ ones. Run by `tests/benchmarks/run`."""

import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(REPOSITORY / "lab"))
