"""The table of errors in docs/how-to/scripting.md, row by row: each cell is what really happens."""

import asyncio
import re
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from panda_ioc import errors
from panda_ioc.client.asyncio import AsyncioClient
from panda_ioc.protocol.commands import Append, Command, Get
from support.boxes import Do, FaultyBox
from support.eitherclient import HOST, Blocking, Make

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "scripting.md"
TIMEOUT = 0.3

OLD = b"OK =PandA SW: 3.0 FPGA: 1 rootfs: x\n"
NOT_SENT = (Get("A\nB"), Append("T", ["1"], last=True))

# What the PandA does with command B, by the row of the table.
BOX: dict[str, list[Any]] = {
    "the PandA answers `ERR`": [b"ERR no\n"],
    "end of file before a reply or in it; connection reset": [
        Do.CLOSE,
        (b"OK =1", Do.CLOSE),
        (b"!1\n", Do.CLOSE),
        Do.RESET,
    ],
    "end of file after a reply": [(b"OK =1\n", Do.CLOSE)],
    "no reply in time, or not all of it": [
        (Do.PAUSE, b"OK =late\n"),
        (b"OK", Do.PAUSE, b" =late\n"),
        (b"!1\n", Do.PAUSE, b".\n"),
    ],
    "a slow reply, in pieces": [(b"O", b"K =", b"1\n")],
    "bytes that no PandA sends; lines or replies without end": [
        b"hello\n",
        b"!1\nOK\n",
        b"x" * (1 << 21),
    ],
    "a reply that nobody asked for": [b"OK =1\nOK =2\nOK =3\nOK =4\n"],
}
CASES = [(row, action) for row, actions in BOX.items() for action in actions]


def cells(row: str) -> list[list[str]]:
    """Names of errors in the cells of a row; none: it goes on."""
    (line,) = [line for line in PAGE.read_text().splitlines() if line.startswith(f"| {row} |")]
    return [re.findall(r"`(\w+)`", cell) for cell in line.split("|")[2:-1]]


def outcome(call: Callable[[], Any]) -> list[str]:
    """The error of a call, as in a cell."""
    try:
        call()
    except errors.PandAError as error:
        return _name(error)
    return []


def fits(found: list[str], cell: list[str]) -> bool:
    return found == cell or bool(found and found[0] in cell)


def test_all_rows_are_tested() -> None:
    text = PAGE.read_text()
    table = text[text.index("| what happens |") : text.index("| on the data port |")]
    rows = [line.split(" | ")[0].removeprefix("| ") for line in table.splitlines()[2:] if line]
    others = {
        "a command that cannot be sent",
        "the call is cancelled (asyncio) or interrupted (Ctrl-C)",
        "`close()`",
        "nobody listens at `connect()`",
    }
    assert set(rows) == {*BOX, *others}


@pytest.mark.parametrize(("row", "action"), CASES)
def test_the_command_in_flight_and_later_ones(make: Make, row: str, action: Any) -> None:
    in_flight, _, later = cells(row)
    with FaultyBox(b"OK =1\n", action) as box:
        client = make(box.port, timeout=TIMEOUT)
        client.connect()
        assert client.send(Get("A")) == "1"
        assert fits(outcome(lambda: client.send([Get("B")])), in_flight)
        if row != "a reply that nobody asked for":  # which is found out when it comes
            assert fits(outcome(lambda: client.send(Get("D"))), later)
            assert client.is_connected() == (not later)
        box.actions.clear()
        client.connect()
        assert client.send(Get("E")) == "E?"


@pytest.mark.parametrize(("row", "action"), CASES)
async def test_the_commands_behind(row: str, action: Any) -> None:
    in_flight, behind, _ = cells(row)
    with FaultyBox(action) as box:
        client = AsyncioClient(HOST, box.port, timeout=TIMEOUT)
        await client.connect()
        sends = (client.send(Get(name), wait) for name, wait in (("B", TIMEOUT), ("C", 10)))
        first, second = await asyncio.gather(*sends, return_exceptions=True)
        await client.close()
    if row == "a reply that nobody asked for":
        assert first == "1"  # C gets the second, the third belongs to nobody
        return
    assert fits(_name(first), in_flight)
    assert fits(_name(second), behind)


def _name(result: Any) -> list[str]:
    return [type(result).__name__] if isinstance(result, Exception) else []


@pytest.mark.parametrize("command", NOT_SENT, ids=repr)
def test_a_command_that_can_not_be_sent(make: Make, command: Command[Any]) -> None:
    in_flight, _, later = cells("a command that cannot be sent")
    with FaultyBox(OLD, identify=False) as box:
        client = make(box.port)
        client.connect()
        assert fits(outcome(lambda: client.send(command)), in_flight)
        assert outcome(lambda: client.send(Get("D"))) == later


@pytest.mark.parametrize("reply", [(b"O", b"K =late\n"), (b"!1\n", b".\n")])
def test_a_call_is_interrupted(reply: tuple[bytes, ...]) -> None:
    """As by Ctrl-C: the reply comes when nobody waits for it any more."""

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    with FaultyBox(reply) as box:
        client = Blocking(box.port, 1, 10).client
        client.connect()
        old = signal.signal(signal.SIGALRM, interrupt)
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.005)
            with pytest.raises(KeyboardInterrupt):
                client.send(Get("B"))
        finally:
            signal.signal(signal.SIGALRM, old)
        assert client.send([Get("C"), Get("D")]) == ["C?", "D?"]
        client.close()


def test_close_and_nobody(make: Make) -> None:
    with FaultyBox() as box:
        client = make(box.port)
        client.connect()
        client.close()
        assert fits(outcome(lambda: client.send(Get("A"))), cells("`close()`")[2])
    refused = cells("nobody listens at `connect()`")
    assert fits(outcome(client.connect), refused[0])
    assert fits(outcome(lambda: client.send(Get("A"))), refused[2])
