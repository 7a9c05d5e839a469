"""A terminal with a program in it, driven line by line."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time

PROMPT = "midonet> "
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """midonet-cli on a pseudo terminal so wide that no line breaks."""

    def __init__(self, arguments: list[str], environment: dict[str, str], first: str = PROMPT) -> None:
        """Waits for what the program prints first."""
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 20000, 0, 0))
        self.process = subprocess.Popen(arguments, stdin=slave, stdout=slave, stderr=slave, env={**environment, "TERM": "dumb"}, start_new_session=True)
        os.close(slave)
        self.read_until(first)

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def read_until(self, wanted: str, seconds: float = 20) -> str:
        """What appears up to and with `wanted`, free of escape codes."""
        text = ""
        deadline = time.monotonic() + seconds
        while not text.endswith(wanted):
            ready, _, _ = select.select([self.master], [], [], max(0, deadline - time.monotonic()))
            if not ready:
                raise AssertionError(f"no {wanted!r} in {text!r}")
            try:
                chunk = os.read(self.master, 65536)
            except OSError:  # the other end is closed
                chunk = b""
            if not chunk:
                raise AssertionError(f"ended without {wanted!r}: {text!r}")
            text = ESCAPES.sub("", text + chunk.decode()).replace("\r", "")
        return text

    def _until_prompt(self) -> str:
        return self.read_until(PROMPT)[: -len(PROMPT)]

    def run(self, line: str) -> list[str]:
        """The lines that a command prints."""
        self.type(line + "\n")
        lines = self._until_prompt().splitlines()
        assert lines and lines[0] == line, lines
        # The terminal echoes too what comes before the program has switched that off.
        return lines[2:] if lines[1:2] == [line] else lines[1:]

    def end(self) -> int:
        """Control-D on an empty line; the exit code. One that comes before the program reads keys is lost: then there is another."""
        for _ in range(40):
            self.type("\x15\x04")
            try:
                return self.process.wait(0.5)
            except subprocess.TimeoutExpired:
                continue
        raise AssertionError("the program does not end")

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)
        os.close(self.master)
