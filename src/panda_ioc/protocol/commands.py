"""Commands: what can be asked of a PandA, and what comes back.

A command is a value with an `execute` generator: it yields the requests that it needs (a list goes
out together), finds them answered when it is resumed, and returns its result. The commands that
introspect a box are in `_introspection`, those that save and load one in `_state`; all are
exported here, and what is needed to make one more.
"""

import base64
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from panda_ioc.errors import BadValue, CommandError, VersionError
from panda_ioc.protocol._exchange import Command, Exchange, ExchangeGenerator, is_table
from panda_ioc.protocol._introspection import GetBlockInfo, GetFieldInfo, GetPcapBitsLabels
from panda_ioc.protocol._state import ChangeGroup, GetChanges, GetState, SetState
from panda_ioc.protocol.responses import Identification

__all__ = [
    "Append",
    "Arm",
    "ChangeGroup",
    "Command",
    "CommandError",
    "CommandException",
    "Disarm",
    "Exchange",
    "ExchangeGenerator",
    "Get",
    "GetBlockInfo",
    "GetChanges",
    "GetFieldInfo",
    "GetLine",
    "GetMultiline",
    "GetPcapBitsLabels",
    "GetState",
    "Identify",
    "Put",
    "Raw",
    "SetState",
    "VersionError",
    "is_table",
]

CommandException = CommandError

Words = Sequence[str] | NDArray[np.uint32]
"""A table as lines of numbers, or as its 32-bit words."""

# Bounded, so that no answer takes long to be found wrong.
_IDENTITY = re.compile(r"PandA SW: (.{0,200}) FPGA: (.{0,200}) rootfs: (.{0,200})")
_BASE64_LINE = 192
"""Bytes that go into a line of base64: whole words, and no padding inside."""


@dataclass(frozen=True)
class Raw(Command[list[str]]):
    """Send one request as it is; the result is the reply as it came, ``ERR`` included.

    For example::

        Raw(["PCAP.ACTIVE?"]) -> ["OK =1"]
        Raw(["SEQ1.TABLE<", "1", "1", "0", "0", ""]) -> ["OK"]
        Raw(["SEQ1.TABLE?"]) -> ["!1", "!1", "!0", "!0", "."]
    """

    inp: list[str]

    def execute(self, version: tuple[int, int]) -> ExchangeGenerator[list[str]]:
        exchange = Exchange(self.inp)
        yield exchange
        return exchange.received


@dataclass(frozen=True)
class Get(Command[str | list[str]]):
    """Value of a field, attribute or star command, of one line or several.

    For example::

        Get("PCAP.ACTIVE") -> "1"
        Get("SEQ1.TABLE") -> ["1048576", "0", "1000", "1000"]
    """

    field: str

    def execute(self, version: tuple[int, int]) -> ExchangeGenerator[str | list[str]]:
        exchange = Exchange(f"{self.field}?")
        yield exchange
        return exchange.multiline if exchange.is_multiline else exchange.value


@dataclass(frozen=True)
class GetLine(Command[str]):
    """Value of a field, attribute or star command that has one line."""

    field: str

    def execute(self, version: tuple[int, int]) -> ExchangeGenerator[str]:
        exchange = Exchange(f"{self.field}?")
        yield exchange
        return exchange.value


@dataclass(frozen=True)
class GetMultiline(Command[list[str]]):
    """Lines of a table, of multi-line metadata or of a list."""

    field: str

    def execute(self, version: tuple[int, int]) -> ExchangeGenerator[list[str]]:
        exchange = Exchange(f"{self.field}?")
        yield exchange
        return exchange.multiline


@dataclass(frozen=True)
class Put(Command[None]):
    """Set a field or attribute, write a table or multi-line metadata, or trigger an action.

    For example::

        Put("PCAP.TRIG", "PULSE1.OUT")
        Put("SEQ1.TABLE", ["1048576", "0", "1000", "1000"])
        Put("SFP3_SYNC_IN1.SYNC_RESET")

    Args:
        field: name of what to set
        value: a string, or for a table lines of numbers or its 32-bit words
        base64: send a table as base64: fewer bytes, and less work for the box
    """

    field: str
    value: str | Words = ""
    base64: bool = False

    def execute(self, version: tuple[int, int]) -> ExchangeGenerator[None]:
        if isinstance(self.value, str):
            exchange = Exchange(f"{self.field}={self.value}")
        else:
            exchange = Exchange(_table(self.field, "<", self.value, self.base64))
        yield exchange
        exchange.check_ok()


@dataclass(frozen=True)
class Append(Command[None]):
    """Give a streaming table its next rows.

    Args:
        field: name of the table
        value: lines of numbers, or 32-bit words
        last: no more will come (servers from 4.0, else `VersionError`)
        base64: send as base64
    """

    field: str
    value: Words
    last: bool = False
    base64: bool = False

    def execute(self, version: tuple[int, int]) -> ExchangeGenerator[None]:
        if self.last and version < (4, 0):
            raise VersionError(
                f"Append to {self.field} with last=True needs a server from 4.0", self
            )
        operator = "<<|" if self.last else "<<"
        exchange = Exchange(_table(self.field, operator, self.value, self.base64))
        yield exchange
        exchange.check_ok()


@dataclass(frozen=True)
class Arm(Command[None]):
    """Arm PCAP: begin an acquisition."""

    def execute(self, version: tuple[int, int]) -> ExchangeGenerator[None]:
        return Put("*PCAP.ARM").execute(version)


@dataclass(frozen=True)
class Disarm(Command[None]):
    """Disarm PCAP: end the acquisition."""

    def execute(self, version: tuple[int, int]) -> ExchangeGenerator[None]:
        return Put("*PCAP.DISARM").execute(version)


@dataclass(frozen=True)
class Identify(Command[Identification]):
    """Versions of the server, the FPGA and the root file system."""

    def execute(self, version: tuple[int, int]) -> ExchangeGenerator[Identification]:
        exchange = Exchange("*IDN?")
        yield exchange
        found = _IDENTITY.fullmatch(exchange.value)
        if found is None:
            raise CommandError(f"{exchange!r}: expected PandA SW: ... FPGA: ... rootfs: ...")
        return Identification(*found.groups())


def _table(field: str, operator: str, value: Words, as_base64: bool) -> list[str]:
    if as_base64:
        return [f"{field}{operator}B", *_base64_lines(_words(field, value)), ""]
    lines = map(str, _words(field, value)) if isinstance(value, np.ndarray) else value
    return [f"{field}{operator}", *lines, ""]


def _base64_lines(words: NDArray[Any]) -> Iterator[str]:
    octets = words.astype("<u4").tobytes()
    for start in range(0, len(octets), _BASE64_LINE):
        yield base64.b64encode(octets[start : start + _BASE64_LINE]).decode()


def _words(field: str, value: Words) -> NDArray[Any]:
    words = value if isinstance(value, np.ndarray) else _numbers(field, value)
    if words.ndim != 1 or words.dtype.kind not in "iu":
        raise BadValue(
            f"{field}: a table is a row of whole numbers, not {words.dtype} {words.shape}"
        )
    if words.size and not (words.min() >= 0 and words.max() < 1 << 32):
        raise BadValue(f"{field}: the words of a table are 0 ... 4294967295")
    return words


def _numbers(field: str, lines: Sequence[str]) -> NDArray[Any]:
    try:
        return np.array(" ".join(lines).split(), dtype=np.int64)
    except (ValueError, OverflowError) as error:
        raise BadValue(f"{field}: a table is made of whole numbers: {error}") from error
