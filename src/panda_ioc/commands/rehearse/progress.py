"""How far a rehearsal is: one line that changes, on a terminal only."""

import sys
import time
from typing import TextIO

from panda_ioc.timing.times import show_time

_PERIOD = 0.2
_BAR = 20
_MILLISECOND = 125_000


class Progress:
    """Shows the time rehearsed and the rows.

    Args:
        ticks: that it takes at most
        rows: that are expected, 0 if nobody knows
        output: where to; anything but a terminal is left alone
    """

    def __init__(self, ticks: int, rows: int, output: TextIO | None = None) -> None:
        self._ticks, self._rows = ticks, rows
        self._output = sys.stderr if output is None else output
        self._is_tty = self._output.isatty()
        self._shown = 0.0
        self._width = 0

    def show(self, ticks: int, rows: int) -> None:
        """Show how it stands, unless that was just done."""
        now = time.monotonic()
        if not self._is_tty or now - self._shown < _PERIOD:
            return
        self._shown = now
        part = min(1.0, rows / self._rows if self._rows else ticks / self._ticks)
        full = int(part * _BAR)
        when = show_time(ticks - ticks % _MILLISECOND)
        line = f"[{'#' * full}{'.' * (_BAR - full)}] {100 * part:.0f} %  {when}  {rows} rows"
        self._output.write(f"\r{line:<{self._width}}")
        self._output.flush()
        self._width = max(self._width, len(line))

    def end(self) -> None:
        """Take the line away."""
        if self._width:
            self._output.write(f"\r{'':<{self._width}}\r")
            self._output.flush()
