"""A process that serves, with its output in a file."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Self

from panda_ioc.errors import ServerFailed

START_TIMEOUT = 60.0
"""Seconds; a busy machine may take long."""

STOP_TIMEOUT = 10.0

PROGRAM = (sys.executable, "-m", "panda_ioc")


class Server:
    """One process with its output in a log file; use as a context manager.

    Attributes:
        process: the process, for its id and exit status
        log: path of what it wrote to stdout and stderr
    """

    def __init__(
        self,
        log: Path,
        command: Sequence[str],
        env: Mapping[str, str] | None = None,
        stdin: int = subprocess.DEVNULL,
    ) -> None:
        self.log = log
        self.command = list(command)
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                self.command,
                stdin=stdin,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=None if env is None else {**os.environ, **env},
            )

    def text(self) -> str:
        """What it has written so far."""
        return self.log.read_text(errors="replace")

    def section(self) -> tuple[str, str]:
        """What the report of a failed test shows of it: a title, and its log."""
        return f"log of {' '.join(self.command)}", self.text()

    def wait_for(
        self, pattern: str | re.Pattern[str], times: int = 1, timeout: float = START_TIMEOUT
    ) -> re.Match[str]:
        """The `times`-th match of the pattern in the log, once it is there."""
        deadline = time.monotonic() + timeout
        while True:
            ended = self.process.poll() is not None
            found = list(re.finditer(pattern, self.text()))
            if len(found) >= times:
                return found[times - 1]
            if ended or time.monotonic() > deadline:
                what = f"ended with {self.process.returncode}" if ended else "is still running"
                raise ServerFailed(
                    f"{self.command}: no {pattern!r} in {timeout} s, {what}:\n{self.text()}"
                )
            time.sleep(0.01)

    def stop(self) -> int:
        """SIGTERM, and SIGKILL if that does not do; the exit status."""
        self.process.terminate()
        try:
            return self.process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self.kill()
            return self.process.returncode

    def kill(self) -> None:
        """SIGKILL."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()


@contextlib.contextmanager
def ended_on_error(server: Server) -> Iterator[None]:
    """End a server that did not become ready."""
    try:
        yield
    except BaseException:
        if hasattr(server, "process"):
            server.stop()
        raise
