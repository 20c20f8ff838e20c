"""The shell of EPICS on standard input: dbl, dbpr, casr, pvxsr, asprules, exit."""

import logging
import sys
import threading
from collections.abc import Callable

from panda_ioc.ioc.epics import dbcore

PROMPT = "epics> "

log = logging.getLogger(__name__)


class Shell:
    """Reads commands in a thread of its own until `exit`, or until the input is closed.

    Args:
        on_exit: called in that thread when somebody types `exit`
    """

    def __init__(self, on_exit: Callable[[], object]) -> None:
        self._on_exit = on_exit
        self._terminal: list[object] | None = None

    def start(self) -> None:
        """Show the prompt."""
        if sys.stdin is None:
            log.warning("--iocsh: there is no standard input; the bridge goes on without a shell")
            return
        if sys.stdin.isatty():
            import readline  # noqa: F401 - gives `input` a history
            import termios

            self._terminal = termios.tcgetattr(sys.stdin)
        sys.stdin.reconfigure(errors="surrogateescape")  # type: ignore[union-attr]
        threading.Thread(target=self._read, name="iocsh", daemon=True).start()

    def close(self) -> None:
        """Leave the terminal as it was, although a line may be half typed."""
        if self._terminal is not None:
            import termios

            termios.tcsetattr(sys.stdin, termios.TCSANOW, self._terminal)  # type: ignore[arg-type]

    def _read(self) -> None:
        while True:
            try:
                line = input(PROMPT)
            except (EOFError, OSError):
                log.info("the input of the shell is closed; the bridge goes on")
                return
            if line.split()[:1] == ["exit"]:
                self._on_exit()
                return
            dbcore.run_command(line.encode(errors="surrogateescape"))
            dbcore.flush(None)  # EPICS prints by way of C, which keeps it back unless on a terminal
