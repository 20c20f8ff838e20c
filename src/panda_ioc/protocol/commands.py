"""Commands: what can be asked of a PandA, and what comes back.

A command is a value with an `execute` generator: it yields the requests that it needs (a list goes
out together), finds them answered when it is resumed, and returns its result. `_introspection` has
the commands that introspect a PandA, `_state` those that save and load its settings. This module
exports them all, with what is needed to write one more.
"""

import dataclasses
import re
from dataclasses import dataclass

from panda_ioc.errors import CommandError, VersionError
from panda_ioc.protocol._exchange import Command, Exchange, ExchangeGenerator, Exchanges, is_table
from panda_ioc.protocol._introspection import GetBlockInfo, GetFieldInfo, GetPcapBitsLabels
from panda_ioc.protocol._state import ChangeGroup, GetChanges, GetState, SetState
from panda_ioc.protocol._values import (
    Scalar,
    Words,
    is_words,
    same_fields,
    scalar_text,
    table_lines,
)
from panda_ioc.protocol.responses import (
    BitMuxFieldInfo,
    BitOutFieldInfo,
    BlockInfo,
    Changes,
    EnumFieldInfo,
    ExtOutBitsFieldInfo,
    ExtOutFieldInfo,
    FieldInfo,
    Identification,
    PosMuxFieldInfo,
    PosOutFieldInfo,
    ScalarFieldInfo,
    SubtypeTimeFieldInfo,
    TableFieldDetails,
    TableFieldInfo,
    TimeFieldInfo,
    UintFieldInfo,
)

__all__ = [
    "Append",
    "Arm",
    "BitMuxFieldInfo",
    "BitOutFieldInfo",
    "BlockInfo",
    "ChangeGroup",
    "Changes",
    "Command",
    "CommandError",
    "CommandException",
    "Disarm",
    "EnumFieldInfo",
    "Exchange",
    "ExchangeGenerator",
    "Exchanges",
    "ExtOutBitsFieldInfo",
    "ExtOutFieldInfo",
    "FieldInfo",
    "Get",
    "GetBlockInfo",
    "GetChanges",
    "GetFieldInfo",
    "GetLine",
    "GetMultiline",
    "GetPcapBitsLabels",
    "GetState",
    "Identification",
    "Identify",
    "PosMuxFieldInfo",
    "PosOutFieldInfo",
    "Put",
    "Raw",
    "Scalar",
    "ScalarFieldInfo",
    "SetState",
    "SubtypeTimeFieldInfo",
    "TableFieldDetails",
    "TableFieldInfo",
    "TimeFieldInfo",
    "UintFieldInfo",
    "VersionError",
    "Words",
    "is_multiline_command",
    "is_table",
]

CommandException = CommandError
is_multiline_command = is_table

# Bounded, so that no answer takes long to be found wrong.
_IDENTITY = re.compile(r"PandA SW: (.{0,200}) FPGA: (.{0,200}) rootfs: (.{0,200})")


@dataclass
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


@dataclass
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
        return exchange.multiline if exchange.is_multiline else exchange.line


@dataclass
class GetLine(Command[str]):
    """Value of a field, attribute or star command that has one line."""

    field: str

    def execute(self, version: tuple[int, int]) -> ExchangeGenerator[str]:
        exchange = Exchange(f"{self.field}?")
        yield exchange
        return exchange.line


@dataclass
class GetMultiline(Command[list[str]]):
    """Lines of a table, of multi-line metadata or of a list."""

    field: str

    def execute(self, version: tuple[int, int]) -> ExchangeGenerator[list[str]]:
        exchange = Exchange(f"{self.field}?")
        yield exchange
        return exchange.multiline


@dataclass(eq=False)
class Put(Command[None]):
    """Set a field or attribute, write a table or multi-line metadata, or trigger an action.

    For example::

        Put("PCAP.TRIG", "PULSE1.OUT")
        Put("PULSE1.DELAY", 0.5)
        Put("SEQ1.TABLE", ["1048576", "0", "1000", "1000"])
        Put("SFP3_SYNC_IN1.SYNC_RESET")

    Args:
        field: name of what to set
        value: a scalar, which is sent as its text (a truth value as 1 or 0); or a table: a list or
            tuple of lines, or an array of 32-bit words
        base64: send a table as base64: fewer bytes, and less work for the PandA
    """

    field: str
    value: Scalar | Words = ""
    base64: bool = dataclasses.field(default=False, kw_only=True, repr=False)

    def execute(self, version: tuple[int, int]) -> ExchangeGenerator[None]:
        value = self.value
        if isinstance(value, str):
            exchange = Exchange(f"{self.field}={value}")
        elif is_words(value):
            exchange = Exchange(table_lines(self.field, "<", value, self.base64))
        else:
            exchange = Exchange(f"{self.field}={scalar_text(value)}")
        yield exchange
        exchange.check_ok()

    __eq__ = same_fields
    __hash__ = None  # type: ignore[assignment]


@dataclass(eq=False)
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
    base64: bool = dataclasses.field(default=False, kw_only=True, repr=False)

    def execute(self, version: tuple[int, int]) -> ExchangeGenerator[None]:
        if self.last and version < (4, 0):
            raise VersionError(
                f"Append to {self.field} with last=True needs a server from 4.0", self
            )
        operator = "<<|" if self.last else "<<"
        exchange = Exchange(table_lines(self.field, operator, self.value, self.base64))
        yield exchange
        exchange.check_ok()

    __eq__ = same_fields
    __hash__ = None  # type: ignore[assignment]


@dataclass
class Arm(Command[None]):
    """Arm PCAP: begin an acquisition."""

    def execute(self, version: tuple[int, int]) -> ExchangeGenerator[None]:
        return Put("*PCAP.ARM").execute(version)


@dataclass
class Disarm(Command[None]):
    """Disarm PCAP: end the acquisition."""

    def execute(self, version: tuple[int, int]) -> ExchangeGenerator[None]:
        return Put("*PCAP.DISARM").execute(version)


@dataclass
class Identify(Command[Identification]):
    """Versions of the server, the FPGA and the root file system."""

    def execute(self, version: tuple[int, int]) -> ExchangeGenerator[Identification]:
        exchange = Exchange("*IDN?")
        yield exchange
        found = _IDENTITY.fullmatch(exchange.line)
        if found is None:
            raise CommandError(f"{exchange!r}: expected PandA SW: ... FPGA: ... rootfs: ...")
        return Identification(*found.groups())
