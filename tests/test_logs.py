"""What the log tells, and what it only counts."""

import json
import logging
from collections.abc import Iterator

import pytest

from panda_ioc import logs


@pytest.fixture
def log() -> Iterator[logging.Logger]:
    logger = logging.getLogger("test_logs")
    logger.setLevel(logging.DEBUG)
    yield logger
    logger.handlers.clear()


class Told(logging.Handler):
    """Keeps the lines that get through."""

    def __init__(self, log: logging.Logger) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.addFilter(logs.RepeatFilter())
        log.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


def test_a_warning_that_repeats_is_counted(
    log: logging.Logger, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = Told(log)
    for _ in range(3):
        log.warning("%s is slow", "disk")
    assert told.lines == ["disk is slow"]
    monkeypatch.setattr(logs, "REPEAT_AFTER", 0.0)
    log.warning("%s is slow", "disk")
    assert told.lines == ["disk is slow", "disk is slow (2 more times)"]


def test_news_is_told_each_time(log: logging.Logger) -> None:
    told = Told(log)
    for _ in range(3):
        log.info("connected")
    assert told.lines == ["connected"] * 3


def test_few_lines_are_remembered(log: logging.Logger) -> None:
    told = Told(log)
    for number in range(logs.REMEMBERED + 1):
        log.warning("%d", number)
    log.warning("0")
    log.warning("%d", logs.REMEMBERED)
    assert told.lines[-2:] == [str(logs.REMEMBERED), "0"]


def test_what_clients_put_can_not_begin_a_line() -> None:
    record = logging.LogRecord("a.b", logging.INFO, "", 0, "put %s", ("a\nERROR \x1b[2J",), None)
    assert logs.TextFormatter().format(record).endswith(r" INFO a.b: put a\x0aERROR \x1b[2J")


def test_a_line_of_json_holds_the_exception() -> None:
    try:
        raise ValueError("odd")
    except ValueError as error:
        record = logging.LogRecord(
            "a.b", logging.ERROR, "", 0, "%s!", ("bad",), (type(error), error, None)
        )
    line = logs.JsonFormatter().format(record)
    found = json.loads(line)
    assert "\n" not in line
    assert (found["level"], found["logger"], found["message"]) == ("error", "a.b", "bad!")
    assert found["exception"] == "ValueError: odd"
