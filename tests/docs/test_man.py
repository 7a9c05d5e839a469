"""Every program has a manual page that names each option of its --help, and no other; groff finds nothing wrong in it."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

SOURCES = Path(__file__).resolve().parents[2]
PAGES = SOURCES / "docs/man"
PROGRAMS = ["midolman", "midonet-api", "midonet-cli", "midonet-nsdb", "mm-conf", "mm-ctl", "mm-dpctl", "mm-meter", "mm-trace", "midonet-lab"]
LAB_COMMANDS = [[], *([name] for name in ("up", "down", "status", "exec", "logs", "demo", "scale"))]
OPTION = re.compile(r"(?<![\w-])--?[A-Za-z][\w-]*")


def page_of(program: str) -> str:
    found = list(PAGES.glob(f"{program}.[18]"))
    assert len(found) == 1, f"{program} has {len(found)} pages in docs/man"
    return found[0].read_text()


def help_of(program: str) -> str:
    """Without the settings at its end: those have values, and words, of their own."""
    if program == "midonet-lab":
        calls = [[str(SOURCES / "lab/midonet-lab"), *command, "--help"] for command in LAB_COMMANDS]
    else:
        calls = [[str(Path(os.environ["MIDONET_BIN"]) / program), "--help"]]
    texts = [subprocess.run(call, capture_output=True, text=True, timeout=20, check=True).stdout for call in calls]
    return "".join(text.split("\nSettings")[0] for text in texts)


def options_of_page(text: str) -> set[str]:
    """Those of the macros: `.It Fl h , Fl -help` and `.Op Fl n`."""
    lines = (line for line in text.splitlines() if line.startswith("."))
    return {f"-{name}" for line in lines for name in re.findall(r"\bFl ([\w-]+)", line)}


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_page_has_the_options_of_its_program(program):
    told = set(OPTION.findall(help_of(program)))
    assert told, "no options in --help"
    assert options_of_page(page_of(program)) == told


@pytest.mark.parametrize("page", sorted(PAGES.glob("*")), ids=lambda path: path.name)
def test_a_page_is_sound(page):
    text = page.read_text()
    if text.startswith(".so "):
        assert (PAGES / Path(text.split()[1]).name).exists()
        return
    for section in ("NAME", "SYNOPSIS", "DESCRIPTION", "EXIT STATUS", "SEE ALSO"):
        assert f"\n.Sh {section}\n" in text, section
    for name, number in re.findall(r"\.Xr ([\w-]+) (\d)", text):
        assert (PAGES / f"{name}.{number}").exists(), f"{name}({number})"
    done = subprocess.run(["groff", "-mdoc", "-ww", "-Tutf8", str(page)], capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 0 and done.stderr == "", done.stderr


def test_every_program_that_is_installed_has_a_page():
    text = (SOURCES / "cmake/MidonetInstall.cmake").read_text()
    programs = re.search(r"install\(TARGETS ([^)]*) RUNTIME", text)
    assert programs and set(programs[1].split()) | {"midonet-lab"} == set(PROGRAMS)
