"""Logging: one line an event, as text or JSON; what repeats is counted instead of told again."""

import json
import logging
import sys
import time
from typing import Literal

TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
REPEAT_AFTER = 10.0
"""Seconds for which the same line is told only once."""
REMEMBERED = 1000
"""Lines whose repetition is recognised."""

Format = Literal["text", "json"]


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
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
    """Lets the same line through once in a while, and says how often it came meanwhile."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[str, tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to log it."""
        line = f"{record.name} {record.getMessage()}"
        told, count = self._seen.pop(line, (0.0, 0))
        now = time.monotonic()
        if told and now - told < REPEAT_AFTER:
            self._seen[line] = (told, count + 1)
            return False
        self._seen[line] = (now, 0)
        if len(self._seen) > REMEMBERED:
            self._seen.pop(next(iter(self._seen)))
        if count:
            record.msg, record.args = f"{record.getMessage()} ({count} more times)", ()
        return True


def configure(level: str, style: Format) -> None:
    """Log to the standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if style == "json" else logging.Formatter(TEXT))
    handler.addFilter(RepeatFilter())
    logging.basicConfig(level=level.upper(), handlers=[handler])
