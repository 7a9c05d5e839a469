#!/usr/bin/env python3
"""tools/check_layers.py against small trees, each with one thing wrong."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

CHECK = pathlib.Path(__file__).resolve().parents[2] / "tools/check_layers.py"


class Tree:
    """Three modules that keep to the map: base < net < simulation."""

    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.module("base", "", {"error.h": ""})
        self.module("net", "DEPENDS base", {"mac.h": '#include "base/error.h"\n'})
        self.module("simulation", "DEPENDS base net", {"bridge.cpp": '#include "net/mac.h"\n#include <vector>\n'})

    def module(self, name, rest, files):
        folder = self.root / "src" / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "CMakeLists.txt").write_text(f"midonet_module({name}\n    SOURCES a.cpp\n    {rest}) # DEPENDS x\n")
        (folder / "README.md").write_text("what it is\n")
        for file, text in files.items():
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).write_text(text)

    def findings(self):
        done = subprocess.run([sys.executable, CHECK, "--root", self.root], capture_output=True, text=True)
        lines = done.stderr.splitlines()
        assert done.returncode == (1 if lines else 0), done
        return lines


class CheckLayersTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.tree = Tree(folder.name)

    def assert_one(self, *words):
        lines = self.tree.findings()
        self.assertEqual(len(lines), 1, lines)
        for word in words:
            self.assertIn(word, lines[0])

    def test_a_tree_that_keeps_to_the_map(self):
        self.assertEqual(self.tree.findings(), [])

    def test_an_include_that_is_not_declared(self):
        self.tree.module("net", "DEPENDS base", {"up.h": '#include "simulation/bridge.h"\n'})
        (self.tree.root / "src/simulation/bridge.h").write_text("")
        self.assert_one("src/net/up.h", "net does not DEPEND on simulation")

    def test_an_include_of_nothing(self):
        self.tree.module("net", "DEPENDS base", {"x.cpp": '#include "base/gone.h"\n'})
        self.assert_one("base/gone.h, which does not exist")

    def test_generated_headers_are_in_the_build_folder(self):
        self.tree.module("net", "DEPENDS base", {"x.cpp": '#include "base/topology.pb.h"\n'})
        self.assertEqual(self.tree.findings(), [])

    def test_a_dependency_that_is_no_module(self):
        self.tree.module("net", "DEPENDS base util", {})
        self.assert_one("DEPENDS on util, which is no module")

    def test_a_circle(self):
        self.tree.module("base", "DEPENDS net", {})
        self.assert_one("circle: base -> net -> base")

    def test_internal_headers_are_private(self):
        self.tree.module("base", "", {"internal/x.h": "", "x.cpp": '#include "base/internal/x.h"\n'})
        self.assertEqual(self.tree.findings(), [])
        self.tree.module("net", "DEPENDS base", {"x.cpp": '#include "base/internal/x.h"\n'})
        self.assert_one("internal to base")

    def test_simulation_sees_no_store_even_through_others(self):
        self.tree.module("nsdb", "DEPENDS base", {"store.h": ""})
        self.tree.module("net", "DEPENDS base nsdb", {"mac.h": '#include "nsdb/store.h"\n'})
        self.assert_one("simulation must not see net/mac.h -> nsdb/store.h")

    def test_tests_of_a_module_may_include_what_they_like(self):
        self.tree.module("net", "DEPENDS base", {"tests/x.cpp": '#include "simulation/bridge.h"\n'})
        self.assertEqual(self.tree.findings(), [])

    def test_nested_modules_are_their_own(self):
        self.tree.module("net/fake", "DEPENDS net", {"fake.h": '#include "net/mac.h"\n'})
        self.assertEqual(self.tree.findings(), [])
        self.tree.module("net/fake", "DEPENDS base", {"fake.h": '#include "net/mac.h"\n'})
        self.assert_one("net/fake does not DEPEND on net")

    def test_a_module_without_readme(self):
        (self.tree.root / "src/net/README.md").unlink()
        self.assert_one("src/net", "README.md is missing")

    def test_a_file_that_is_too_long(self):
        self.tree.module("net", "DEPENDS base", {"long.cpp": "\n" * 701})
        self.assert_one("src/net/long.cpp", "701 lines")


if __name__ == "__main__":
    unittest.main()
