"""Any bytes into the control connection give results or the one error; splits change nothing."""

from typing import Any

from fuzzing import examples
from hypothesis import given
from hypothesis import strategies as st

from panda_ioc.errors import PandAError, ProtocolError
from panda_ioc.protocol.commands import (
    Command,
    Get,
    GetBlockInfo,
    GetChanges,
    GetFieldInfo,
    GetPcapBitsLabels,
    GetState,
    Identify,
    Put,
    Raw,
    SetState,
)
from panda_ioc.protocol.connections import ControlConnection, Limits
from support.controlstream import feed

COMMANDS: list[Command[Any]] = [
    Get("A"),
    Put("A", "1"),
    Put("T", ["1"]),
    Raw(["A?"]),
    GetBlockInfo(),
    GetFieldInfo("X"),
    GetPcapBitsLabels(),
    GetChanges(get_multiline=True),
    GetState(),
    Identify(),
    SetState(["A=1", "T<", "1", ""]),
]
LINES = [
    *("OK", "OK =1", "OK =x", "OK =-1e999", "ERR no", ".", "!", "!1", "!A 1", "!A x", "!A=1"),
    *("!T<", "!E (error)", "!F 0 param uint", "!G 1 table", "!H 2 ext_out bits", "!I 3 param enum"),
    *("!31:0 C enum", "!x:y D int", "!9 E", "OK =PandA SW: 4.1 FPGA: 1 rootfs: x", "!" * 9, "\xff"),
]
LIMITS = Limits(line_bytes=200, reply_lines=20, reply_bytes=1000)
SIZES = st.lists(st.integers(0, 40), max_size=30)
PLAUSIBLE = st.lists(st.sampled_from(LINES), max_size=30).map(
    lambda lines: "".join(f"{line}\n" for line in lines).encode("latin-1")
)


def outcome(
    commands: list[Command[Any]], stream: bytes, sizes: list[int]
) -> tuple[list[tuple[int, str]], bytes]:
    """Which commands came to what end, and whether the stream was accepted."""
    connection = ControlConnection(LIMITS)
    connection.set_api((4, 1))
    for command in commands:
        connection.send(command)
    try:
        feed(connection, stream, sizes)
        accepted = b"accepted"
    except ProtocolError:
        accepted = b"refused"
    connection.receive_eof()
    results = list(connection.responses())
    for _, result in results:
        assert not isinstance(result, Exception) or isinstance(result, PandAError)
    return [(commands.index(command), repr(result)) for command, result in results], accepted


@examples(2500)
@given(
    st.lists(st.sampled_from(COMMANDS), max_size=6),
    st.one_of(st.binary(max_size=300), PLAUSIBLE),
    SIZES,
)
def test_results_or_the_one_error(
    commands: list[Command[Any]], stream: bytes, sizes: list[int]
) -> None:
    results, accepted = outcome(commands, stream, [])
    assert len(results) == len(commands)
    again, accepted_again = outcome(commands, stream, sizes)
    assert accepted_again == accepted
    if accepted == b"accepted":
        assert again == results
    else:
        assert [index for index, _ in again] == [index for index, _ in results]


@given(st.binary(max_size=100))
def test_nothing_comes_after_the_end(stream: bytes) -> None:
    connection = ControlConnection()
    connection.send(Get("A"))
    connection.receive_eof()
    for call in (lambda: connection.receive_bytes(stream), lambda: connection.send(Get("A"))):
        try:
            call()
        except PandAError:
            continue
        raise AssertionError("a closed connection was used")
    assert len(list(connection.responses())) == 1
