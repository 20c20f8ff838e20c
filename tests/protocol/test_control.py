"""The control connection: matching, pipelining, errors, ends."""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

import pytest

from panda_ioc.errors import (
    BadValue,
    CommandError,
    ConnectionLost,
    NoContextAvailable,
    PandAError,
    ProtocolError,
    VersionError,
)
from panda_ioc.protocol._exchange import Exchange
from panda_ioc.protocol.commands import (
    Append,
    Command,
    Get,
    GetBlockInfo,
    GetLine,
    GetMultiline,
    Put,
    Raw,
)
from panda_ioc.protocol.connections import ControlConnection, Limits
from support.controlstream import feed, talk

BIG = b"".join(b"!%d\n" % word for word in range(1048576)) + b".\n"


@dataclass(frozen=True)
class Custom(Command[Any]):
    """A command made of a function."""

    run: Callable[[], Generator[Any, None, Any]]

    def execute(self, version: tuple[int, int]) -> Generator[Any, None, Any]:
        return self.run()


def test_one_command() -> None:
    connection = ControlConnection()
    command = Put("PULSE1.DELAY", "2.5")
    assert connection.send(command) == b"PULSE1.DELAY=2.5\n"
    assert list(connection.responses()) == []
    assert connection.receive_bytes(b"OK\n") == b""
    assert list(connection.responses()) == [(command, None)]
    assert list(connection.responses()) == []


def test_replies_go_to_commands_in_order() -> None:
    commands = [Get("A"), GetMultiline("B"), Put("C"), GetMultiline("D"), GetLine("E")]
    reply = b"OK =1\n!2\n!\n!.\n.\nOK\n.\nOK =\n"
    for sizes in ([], [1] * len(reply), [0, 3, 0, 9]):
        assert talk(commands, reply, sizes) == ["1", ["2", "", "."], None, [], ""]


def test_a_later_command_may_finish_before_one_of_several_exchanges() -> None:
    connection = ControlConnection()
    blocks, get = GetBlockInfo(), Get("X")
    assert connection.send(blocks) + connection.send(get) == b"*BLOCKS?\nX?\n"
    assert connection.receive_bytes(b"!A 1\n!B 2\n.\nOK =x\n") == b"*DESC.A?\n*DESC.B?\n"
    assert list(connection.responses()) == [(get, "x")]
    assert connection.receive_bytes(b"OK =a\nOK =b\n") == b""
    ((command, result),) = connection.responses()
    assert command is blocks
    assert [(name, info.description) for name, info in result.items()] == [("A", "a"), ("B", "b")]


def test_a_failing_command_does_not_disturb_its_neighbours() -> None:
    one, error, three = talk(
        [Get("A"), Put("PULSE1.DELAY", "-1"), Get("C")], b"OK =1\nERR Out of range\nOK =3\n"
    )
    assert (one, three) == ("1", "3")
    assert isinstance(error, CommandError)
    assert str(error) == "PULSE1.DELAY=-1 -> ERR Out of range"
    assert error.reason == "Out of range"
    assert error.command == Put("PULSE1.DELAY", "-1")


def test_long_requests_and_replies_are_shortened_in_errors() -> None:
    (error,) = talk([Put("A", "v" * 5000)], b"!" + b"x" * 9000 + b"\n!b\n!c\n!d\n.\n")
    assert "A=vvv" in str(error)
    assert "-> !xxx" in str(error)
    assert "(4 lines)" in str(error)
    assert len(str(error)) < 500
    connection = ControlConnection()
    connection.send(Put("T", ["1"] * 1000))
    connection.receive_eof("power cut")
    ((_, error),) = connection.responses()
    assert str(error) == "T< (1000 lines): power cut"
    (error,) = talk([Put("T", ["1"] * 1000)], b"ERR No\n")
    assert str(error) == "T< (1000 lines) -> ERR No"


def test_a_generator_that_raises_is_its_own_commands_error() -> None:
    def broken() -> Generator[Exchange, None, None]:
        yield Exchange("X?")
        raise KeyError("oops")

    error, other = talk([Custom(broken), Get("Y")], b"OK =1\nOK =2\n")
    assert isinstance(error, CommandError)
    assert "KeyError('oops')" in str(error)
    assert isinstance(error.__cause__, KeyError)
    assert other == "2"


def test_a_command_that_can_not_be_sent_leaves_nothing_pending() -> None:
    connection = ControlConnection()
    connection.set_api((3, 0))
    with pytest.raises(VersionError, match="last=True needs a server from 4"):
        connection.send(Append("SEQ1.TABLE", ["1"], last=True))
    with pytest.raises(BadValue):
        connection.send(Put("A", "1\n*PCAP.ARM="))
    with pytest.raises(NoContextAvailable):
        connection.receive_bytes(b"OK\n")


def test_commands_without_requests_are_done_at_once() -> None:
    def nothing() -> Generator[list[Exchange], None, int]:
        yield []
        return 5

    def less() -> Generator[list[Exchange], None, int]:
        yield from ()
        return 6

    connection = ControlConnection()
    assert connection.send(Custom(nothing)) + connection.send(Custom(less)) == b""
    assert [result for _, result in connection.responses()] == [5, 6]


def test_the_same_command_twice() -> None:
    command = Get("A")
    assert talk([command, command], b"OK =1\nOK =2\n") == ["1", "2"]


@pytest.mark.parametrize(
    "garbage",
    [
        b"hello\n",
        b"\n",
        b"HTTP/1.1 400 Bad Request\n",
        b"!a\nOK\n",
        b"!a\n\n",
        b"\xff\xfe\n",
        b"..\n",
    ],
)
def test_garbage_fails_everything_that_is_pending(garbage: bytes) -> None:
    connection = ControlConnection()
    commands = [Get("A"), GetBlockInfo(), Get("B")]
    for command in commands:
        connection.send(command)
    with pytest.raises(ProtocolError) as raised:
        connection.receive_bytes(b"OK =good\n" + garbage + b"OK =late\n")
    (_, good), *others = connection.responses()
    assert good == "good"
    assert [command for command, _ in others] == commands[1:]
    for command, error in others:
        assert type(error) is ProtocolError
        assert error.command is command
        assert str(raised.value) in str(error)
    for call in (lambda: connection.send(Get("C")), lambda: connection.receive_bytes(b"OK\n")):
        with pytest.raises(ProtocolError):
            call()


def test_a_reply_that_nobody_asked_for() -> None:
    connection = ControlConnection()
    with pytest.raises(NoContextAvailable, match="sent 'OK =1', but nothing was asked"):
        connection.receive_bytes(b"OK =1\n")
    with pytest.raises(NoContextAvailable):
        connection.send(Get("A"))


@pytest.mark.parametrize("before", [b"", b"OK", b"!1\n!2\n", b"!1\n!"])
def test_end_of_file_fails_everything_that_is_pending(before: bytes) -> None:
    connection = ControlConnection()
    commands = [Get("A"), Put("B", "1")]
    for command in commands:
        connection.send(command)
    connection.receive_bytes(before)
    connection.receive_eof()
    connection.receive_eof()
    results = list(connection.responses())
    assert [command for command, _ in results] == commands
    assert [str(error) for _, error in results] == [
        "A?: the PandA closed the connection",
        "B=1: the PandA closed the connection",
    ]
    assert all(
        isinstance(error, ConnectionLost) and error.command is command for command, error in results
    )
    for call in (lambda: connection.send(Get("C")), lambda: connection.receive_bytes(b"OK\n")):
        with pytest.raises(ConnectionLost):
            call()


def test_a_multi_exchange_command_that_ends_is_reported_once() -> None:
    connection = ControlConnection()
    connection.send(GetBlockInfo())
    connection.receive_bytes(b"!A 1\n!B 2\n.\nOK =a\n")
    connection.receive_eof("power cut")
    ((_, error),) = connection.responses()
    assert str(error) == "*BLOCKS?: power cut"


def test_the_largest_table_passes() -> None:
    connection = ControlConnection()
    connection.send(GetMultiline("SEQ1.TABLE"))
    for first in range(0, len(BIG), 65536):
        connection.receive_bytes(BIG[first : first + 65536])
    ((_, result),) = connection.responses()
    assert len(result) == 1048576
    assert result[-1] == "1048575"


@pytest.mark.parametrize(
    ("limits", "stream"),
    [
        (Limits(line_bytes=1000), b"x" * 1001),
        (Limits(line_bytes=1000), b"OK =" + b"x" * 1000 + b"\n"),
        (Limits(reply_lines=1000), b"!1\n" * 1001),
        (Limits(reply_bytes=1000), b"!1234\n" * 201),
    ],
)
def test_more_than_any_box_sends_is_an_error(limits: Limits, stream: bytes) -> None:
    for size in (len(stream), 1, 100):
        connection = ControlConnection(limits)
        connection.send(Get("A"))
        with pytest.raises(ProtocolError):
            feed(connection, stream, [size] * (len(stream) // size))
        ((_, error),) = connection.responses()
        assert isinstance(error, ProtocolError)


def test_text_that_is_not_utf8_is_readable_and_harmless() -> None:
    assert talk([Get("A"), Get("B")], b"OK =\xb5m\nOK =\xc2\xb5m\n") == ["\\xb5m", "µm"]


def test_raw_gives_what_came() -> None:
    commands = [Raw(["A?"]), Raw(["A?"]), Raw(["A?"]), Raw(["A<", "1", ""])]
    reply = b"OK =3\n!3\n.\nERR no\nOK\n"
    assert talk(commands, reply) == [["OK =3"], ["!3", "."], ["ERR no"], ["OK"]]


def test_errors_of_the_connection_are_of_our_own_tree() -> None:
    for error in (ConnectionLost("x", Get("A")), CommandError("x", Get("A"), "y")):
        assert isinstance(error, PandAError)
        assert (str(error), error.command) == ("x", Get("A"))
