"""Commands that follow, save and load the state of a PandA."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import takewhile

from panda_ioc.errors import CommandError
from panda_ioc.protocol._exchange import (
    Command,
    Exchange,
    ExchangeGenerator,
    is_table,
    shorten,
)
from panda_ioc.protocol.responses import Changes, Refused

log = logging.getLogger(__name__)


class ChangeGroup(Enum):
    """Which values ``*CHANGES`` is asked for."""

    ALL = ""
    """Everything"""
    CONFIG = ".CONFIG"
    """Settings: param fields, bit_mux and pos_mux"""
    BITS = ".BITS"
    """bit_out"""
    POSN = ".POSN"
    """pos_out"""
    READ = ".READ"
    """read fields"""
    ATTR = ".ATTR"
    """Attributes"""
    TABLE = ".TABLE"
    """Tables"""
    METADATA = ".METADATA"
    """``*METADATA`` keys"""


@dataclass
class GetChanges(Command[Changes]):
    """What changed since this was last asked on this connection; the first time, everything.

    Args:
        group: ask for these only
        get_multiline: fetch tables and multi-line metadata that changed, in a second round trip;
            one that cannot be read is put among `Changes.in_error`
    """

    group: ChangeGroup = ChangeGroup.ALL
    get_multiline: bool = False

    def execute(self, version: tuple[int, int]) -> ExchangeGenerator[Changes]:
        exchange = Exchange(f"*CHANGES{self.group.value}?")
        yield exchange
        changes = _parse(exchange)
        if not self.get_multiline or not changes.no_value:
            return changes
        reads = {name: Exchange(f"{name}?") for name in changes.no_value}
        yield list(reads.values())
        refused = [name for name, read in reads.items() if not read.is_multiline]
        values = {name: read.multiline for name, read in reads.items() if read.is_multiline}
        return Changes(changes.values, [], changes.in_error + refused, values)


def _parse(exchange: Exchange) -> Changes:
    """Lines ``NAME=value``, ``NAME<`` and ``NAME (error)``."""
    changes = Changes({}, [], [], {})
    for line in exchange.multiline:
        name, equals, value = line.partition("=")
        if equals:
            changes.values[name] = value
        elif line.endswith("<"):
            changes.no_value.append(line[:-1])
        elif line.endswith(" (error)"):
            changes.in_error.append(line[:-8])
        else:
            raise CommandError(f"{exchange!r}: {shorten(line)!r} is not a change")
    return changes


@dataclass
class GetState(Command[list[str]]):
    """Everything that can be saved of a PandA, as lines for `SetState`.

    Attributes come first, as a time is to be read in its UNITS. What the PandA reports as an error
    is left out, with a warning; a table or metadata that it then refuses fails the command.

    This uses up the changes that `GetChanges` would have reported on the same connection.

    For example::

        GetState() -> ["PULSE1.DELAY.UNITS=ms", "PULSE1.DELAY=2", "SEQ1.TABLE<B", "AAAA...", ""]
    """

    def execute(self, version: tuple[int, int]) -> ExchangeGenerator[list[str]]:
        resets = [Exchange(f"*CHANGES{group.value}=S") for group in _SAVED]
        reads = [Exchange(f"*CHANGES{group.value}?") for group in _SAVED]
        yield resets + reads
        for reset in resets:
            reset.check_ok()
        changes = [_parse(read) for read in reads]
        tables = {
            name: Exchange(f"{name}?" if name.startswith("*") else f"{name}.B?")
            for change in changes
            for name in change.no_value
        }
        yield list(tables.values())
        for name in (name for change in changes for name in change.in_error):
            log.warning("%s cannot be read and is not saved", name)
        return [*_settings(changes), *_tables(tables)]


_SAVED = (ChangeGroup.ATTR, ChangeGroup.CONFIG, ChangeGroup.TABLE, ChangeGroup.METADATA)
_READ_ONLY = ".QUEUED_LINES"


def _settings(changes: list[Changes]) -> Iterator[str]:
    for change in changes:
        for name, value in change.values.items():
            if not name.endswith(_READ_ONLY):
                yield f"{name}={value}"


def _tables(tables: dict[str, Exchange]) -> Iterator[str]:
    for name, exchange in tables.items():
        yield f"{name}<" if name.startswith("*") else f"{name}<B"
        yield from filter(None, exchange.multiline)
        yield ""


@dataclass
class SetState(Command[tuple[Refused, ...] | None]):
    """Send lines as `GetState` made them, in their order, in one round trip.

    All lines are sent, whatever becomes of those before. The result is None if the PandA took them
    all, else what it refused, each also a warning in the log. The last table may lack the empty
    line that ends it; empty lines elsewhere are left out.

    For example::

        SetState(["SEQ1.TABLE<B", "AAAAAA==", "", "PCAP.TRIG=PULSE1.OUT"])
    """

    state: list[str]

    def execute(self, version: tuple[int, int]) -> ExchangeGenerator[tuple[Refused, ...] | None]:
        exchanges = [Exchange(request) for request in _requests(self.state)]
        yield exchanges
        refused = tuple(filter(None, map(_refusal, exchanges)))
        for each in refused:
            log.warning("%s was refused: %s", each.line, each.reason)
        return refused or None


def _requests(lines: Sequence[str]) -> Iterator[list[str]]:
    """One list of lines for each request."""
    rest = iter(lines)
    for line in rest:
        if line:
            yield [line, *takewhile(bool, rest), ""] if is_table(line) else [line]


def _refusal(exchange: Exchange) -> Refused | None:
    try:
        exchange.check_ok()
    except CommandError as error:
        return Refused(exchange.shown, error.reason or str(error))
    return None
