"""Logging: one line per event, as text or JSON; repeated warnings are counted, not repeated."""

import json
import logging
import sys
import threading
import time
from typing import Literal

TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
REPEAT_AFTER = 10.0
"""Seconds for which the same warning is told only once."""
REMEMBERED = 1000
"""Warnings whose repetition is recognised."""

# What clients put is in messages: it shall neither begin a line nor move a cursor.
_CONTROL = {code: f"\\x{code:02x}" for code in (*range(32), 127)}

Format = Literal["text", "json"]


class TextFormatter(logging.Formatter):
    """Formats one line of text that a terminal can show, with tracebacks below it."""

    def __init__(self) -> None:
        super().__init__(TEXT)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name of logging
        return super().formatMessage(record).translate(_CONTROL)


class JsonFormatter(logging.Formatter):
    """Formats one JSON object per line."""

    def format(self, record: logging.LogRecord) -> str:
        content = {
            "time": round(record.created, 6),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            content["exception"] = self.formatException(record.exc_info)
        return json.dumps(content, ensure_ascii=False)


class RepeatFilter(logging.Filter):
    """Passes the same warning or error once in a while, and says how often it came meanwhile.

    What is only news, such as a connection that is there again, is told each time.
    """

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._seen: dict[str, tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING:
            return True
        with self._lock:
            count = self._repeats(f"{record.name} {record.getMessage()}")
        if count:
            record.msg, record.args = f"{record.getMessage()} ({count} more times)", ()
        return count is not None

    def _repeats(self, line: str) -> int | None:
        """Return how often the line came since it was logged, or None if it is too early to log it
        again."""
        now = time.monotonic()
        told, count = self._seen.pop(line, (-REPEAT_AFTER, 0))
        if now - told < REPEAT_AFTER:
            self._seen[line] = (told, count + 1)
            return None
        self._seen[line] = (now, 0)
        if len(self._seen) > REMEMBERED:
            self._seen.pop(next(iter(self._seen)))
        return count


def configure(level: str, style: Format) -> None:
    """Log to the standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if style == "json" else TextFormatter())
    handler.addFilter(RepeatFilter())
    logging.basicConfig(level=level.upper(), handlers=[handler])
