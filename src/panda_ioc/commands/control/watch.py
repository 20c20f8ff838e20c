"""Changes of a PandA, printed as they happen."""

import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from fnmatch import fnmatchcase

from panda_ioc.client.blocking import BlockingClient
from panda_ioc.errors import BadValue
from panda_ioc.protocol.commands import GetChanges
from panda_ioc.protocol.responses import Changes

PERIOD = 0.1
"""Seconds between polls."""


def watch(client: BlockingClient, names: Sequence[str], period: float = PERIOD) -> Iterator[str]:
    """Print ``TIME NAME VALUE`` for each change, after all present values.

    Args:
        client: used for nothing else, as it keeps the history of changes
        names: fields, attributes, blocks, or patterns of them; none: everything
        period: seconds between polls

    Raises:
        BadValue: a name fits nothing
        ConnectionLost, CommandTimeout: the PandA is gone
    """
    wanted, in_error = list(names) or ["*"], set[str]()
    changes = client.send(GetChanges())
    _check(wanted, [*changes.values, *changes.no_value, *changes.in_error])
    while True:
        now = f"{datetime.now().astimezone():%H:%M:%S.%f}"[:-3]
        for name, text in _news(changes, in_error):
            if _fits_any(name, wanted):
                yield f"{now} {name} {text}"
        in_error = set(changes.in_error)
        time.sleep(period)
        changes = client.send(GetChanges())


def _news(changes: Changes, in_error: set[str]) -> Iterator[tuple[str, str]]:
    """Yield changes without the errors that every poll repeats."""
    yield from changes.values.items()
    for name in changes.no_value:
        yield name, "(changed)"
    for name in changes.in_error:
        if name not in in_error:
            yield name, "(error)"


def _check(wanted: Iterable[str], known: Sequence[str]) -> None:
    for pattern in wanted:
        if not any(_fits(name, pattern) for name in known):
            raise BadValue(f"watch {pattern}: nothing that the PandA reports has this name")


def _fits_any(name: str, wanted: Iterable[str]) -> bool:
    return any(_fits(name, pattern) for pattern in wanted)


def _fits(name: str, pattern: str) -> bool:
    """Whether a name matches a pattern, or lies in a block or field that does."""
    return fnmatchcase(name, pattern) or fnmatchcase(name, f"{pattern}.*")
