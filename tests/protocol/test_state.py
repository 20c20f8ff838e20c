"""Saving and loading the state of a box."""

import pytest

from panda_ioc.errors import BadValue, CommandError
from panda_ioc.protocol.commands import GetState, SetState
from panda_ioc.protocol.connections import ControlConnection
from panda_ioc.protocol.responses import Refused
from support.controlstream import ask, talk

GROUPS = ("ATTR", "CONFIG", "TABLE", "METADATA")
REPLIES = {
    **{f"*CHANGES.{group}=S": "OK" for group in GROUPS},
    "*CHANGES.ATTR?": "!PULSE1.DELAY.UNITS=ms\n!SEQ1.TABLE.QUEUED_LINES=0\n.",
    "*CHANGES.CONFIG?": "!PULSE1.DELAY=2\n!BROKEN (error)\n.",
    "*CHANGES.TABLE?": "!SEQ1.TABLE<\n.",
    "*CHANGES.METADATA?": "!*METADATA.DESIGN=a = b\n!*METADATA.LAYOUT<\n.",
    "SEQ1.TABLE.B?": "!AAAA\n!BBBB\n.",
    "*METADATA.LAYOUT?": "!one\n!\n!two\n.",
}
STATE = [
    "PULSE1.DELAY.UNITS=ms",
    "PULSE1.DELAY=2",
    "*METADATA.DESIGN=a = b",
    "SEQ1.TABLE<B",
    "AAAA",
    "BBBB",
    "",
    "*METADATA.LAYOUT<",
    "one",
    "two",
    "",
]


def test_get_state(caplog: pytest.LogCaptureFixture) -> None:
    assert ask(GetState(), REPLIES) == STATE
    assert caplog.messages == ["BROKEN cannot be read and is not saved"]


def test_a_table_that_can_not_be_read_is_not_left_out_silently() -> None:
    replies = {key: reply for key, reply in REPLIES.items() if key != "SEQ1.TABLE.B?"}
    error = ask(GetState(), replies)
    assert isinstance(error, CommandError)
    assert str(error) == "SEQ1.TABLE.B? -> ERR No such thing"


def test_a_server_that_does_not_start_over_is_not_believed() -> None:
    assert isinstance(ask(GetState(), REPLIES | {"*CHANGES.TABLE=S": "ERR No"}), CommandError)


def test_set_state_sends_all_lines_in_order_at_once() -> None:
    connection = ControlConnection()
    assert connection.send(SetState(STATE)) == "".join(f"{line}\n" for line in STATE).encode()
    assert connection.receive_bytes(b"OK\n" * 5) == b""
    ((_, result),) = connection.responses()
    assert result is None


def test_set_state_reports_each_refused_line(caplog: pytest.LogCaptureFixture) -> None:
    (refused,) = talk([SetState(STATE)], b"OK\nERR Too small\nOK\nERR No rows\nOK =1\n")
    assert refused == (
        Refused("PULSE1.DELAY=2", "Too small"),
        Refused("SEQ1.TABLE<B (2 lines)", "No rows"),
        Refused("*METADATA.LAYOUT< (2 lines)", "*METADATA.LAYOUT< (2 lines) -> OK =1: expected OK"),
    )
    assert caplog.messages[0] == "PULSE1.DELAY=2 was refused: Too small"
    assert len(caplog.messages) == 3


@pytest.mark.parametrize("state", [["A=1\nB=2"], ["T<", "1\n\nB=1", ""]])
def test_lines_that_are_not_a_state_are_refused_before_anything_is_sent(state: list[str]) -> None:
    connection = ControlConnection()
    with pytest.raises(BadValue):
        connection.send(SetState(["C=1", *state]))


@pytest.mark.parametrize(
    "state",
    [
        ["SEQ1.TABLE<B", "AAAA"],
        ["*METADATA.LAYOUT<"],
        ["", "PCAP.TRIG=ONE", "", "", "SEQ1.TABLE<", "1", "2", "3", "4"],
    ],
)
def test_the_last_table_may_lack_its_end_and_other_empty_lines_say_nothing(
    state: list[str],
) -> None:
    connection = ControlConnection()
    lines = [line for line in state if line]
    assert connection.send(SetState(state)) == "".join(f"{x}\n" for x in [*lines, ""]).encode()


def test_an_empty_state_is_soon_set() -> None:
    assert talk([SetState([])], b"") == [None]
