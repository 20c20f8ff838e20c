"""Commands of one's own: yielding exchanges, calling others, derived from the library's."""

import sys
from dataclasses import dataclass

from panda_ioc.pandablocks.blocking import BlockingClient
from panda_ioc.pandablocks.commands import (
    Command,
    CommandError,
    Exchange,
    ExchangeGenerator,
    Get,
    GetLine,
    Put,
    Raw,
    is_multiline_command,
)
from panda_ioc.pandablocks.responses import BlockInfo, UintFieldInfo


@dataclass
class GetWithUnits(Command[str]):
    field: str

    def execute(self, version: tuple[int, int]) -> ExchangeGenerator[str]:
        value, units = Exchange(f"{self.field}?"), Exchange(f"{self.field}.UNITS?")
        yield [value, units]
        return f"{value.line} {units.line}"


@dataclass
class GetOr(Command[str]):
    """A value, or something else where it cannot be read."""

    field: str
    default: str = "?"

    def execute(self, version: tuple[int, int]) -> ExchangeGenerator[str]:
        exchange = Exchange(f"{self.field}?")
        yield exchange
        try:
            return exchange.line
        except AssertionError:
            return self.default


@dataclass
class PutAndCheck(Put):
    """Sets a field and reads it back."""

    checked: str = ""

    def execute(self, version: tuple[int, int]) -> ExchangeGenerator[None]:
        yield from super().execute(version)
        self.checked = yield from GetLine(self.field).execute(version)


@dataclass
class CountLines(Command[int]):
    field: str

    def execute(self, version: tuple[int, int]) -> ExchangeGenerator[int]:
        exchange = Exchange(f"{self.field}?")
        yield exchange
        print(exchange.is_multiline, exchange.received[:1], exchange.to_send)
        return len(exchange.multiline)


with BlockingClient(sys.argv[1]) as client:
    put = Put("PULSE1.DELAY", "1")
    client.send(Put("PULSE1.DELAY.UNITS", "s"))
    client.send(put)
    put.value = "2"
    client.send(put)
    print(repr(put), client.send(GetWithUnits("PULSE1.DELAY")))
    print(client.send([GetOr("PULSE1.DELAY"), GetOr("PULSE1.NOPE", "none"), GetOr("SEQ1.TABLE")]))
    check = PutAndCheck("PULSE1.WIDTH", "3")
    client.send(check)
    print(check.checked, client.send(CountLines("*METADATA.*")) > 2)
    print(client.send(Raw(["PULSE1.WIDTH?"])), client.send(Get("PULSE1.WIDTH")))
    try:
        client.send(CountLines("PULSE1.WIDTH"))
    except CommandError:
        print("refused")
    print(is_multiline_command("SEQ1.TABLE<"), is_multiline_command("PULSE1.DELAY=<"))
    info = UintFieldInfo("param", "uint", "about", 5)
    info.max_val = 6
    print(info == UintFieldInfo("param", "uint", "about", 6), BlockInfo(1) == BlockInfo(1, None))
