"""Commands: what they send, what they make of the reply."""

import base64
from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum
from typing import Any

import numpy as np
import pytest

from panda_ioc.errors import BadValue, CommandError, VersionError
from panda_ioc.protocol.commands import (
    Append,
    Arm,
    ChangeGroup,
    Command,
    CommandException,
    Disarm,
    Exchange,
    ExchangeGenerator,
    Get,
    GetChanges,
    GetLine,
    GetMultiline,
    Identify,
    Put,
    Raw,
)
from panda_ioc.protocol.connections import ControlConnection
from panda_ioc.protocol.responses import Changes, Identification
from support.controlstream import ask, talk


class Level(IntEnum):
    HIGH = 3


def sent(command: Command[object]) -> bytes:
    connection = ControlConnection()
    connection.set_api((4, 1))
    return connection.send(command)


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (Raw(["PCAP.ACTIVE?"]), b"PCAP.ACTIVE?\n"),
        (Raw(["SEQ1.TABLE<", "1", "2", ""]), b"SEQ1.TABLE<\n1\n2\n\n"),
        (Get("A.B"), b"A.B?\n"),
        (GetLine("A.B"), b"A.B?\n"),
        (GetMultiline("A.B"), b"A.B?\n"),
        (Put("A.B", "value = < ?"), b"A.B=value = < ?\n"),
        (Put("A.B", "µm"), b"A.B=\xc2\xb5m\n"),
        (Put("A.B"), b"A.B=\n"),
        (Put("A.T", ["1", "2"]), b"A.T<\n1\n2\n\n"),
        (Put("A.T", []), b"A.T<\n\n"),
        (Put("A.T", np.array([1, 2**32 - 1], dtype=np.uint32)), b"A.T<\n1\n4294967295\n\n"),
        (Put("A.T", ["1 2", "3"], base64=True), b"A.T<B\nAQAAAAIAAAADAAAA\n\n"),
        (Put("A.T", np.array([1, 2, 3], np.uint32), base64=True), b"A.T<B\nAQAAAAIAAAADAAAA\n\n"),
        (Put("A.T", [], base64=True), b"A.T<B\n\n"),
        (Append("A.T", ["1"]), b"A.T<<\n1\n\n"),
        (Append("A.T", ["1"], last=True), b"A.T<<|\n1\n\n"),
        (Append("A.T", ["1"], last=True, base64=True), b"A.T<<|B\nAQAAAA==\n\n"),
        (Arm(), b"*PCAP.ARM=\n"),
        (Disarm(), b"*PCAP.DISARM=\n"),
        (Identify(), b"*IDN?\n"),
        (GetChanges(), b"*CHANGES?\n"),
        (GetChanges(ChangeGroup.METADATA), b"*CHANGES.METADATA?\n"),
    ],
)
def test_request(command: Command[object], expected: bytes) -> None:
    assert sent(command) == expected


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1, "1"),
        (-3, "-3"),
        (0.5, "0.5"),
        (1e-9, "1e-09"),
        (True, "1"),
        (False, "0"),
        (np.True_, "1"),
        (np.int32(7), "7"),
        (np.uint8(255), "255"),
        (np.float64(0.25), "0.25"),
        (np.float32(0.5), "0.5"),
        (np.str_("ZERO"), "ZERO"),
        (np.array(5), "5"),
        (Decimal("1.50"), "1.50"),
        (Level.HIGH, "3"),
    ],
)
def test_scalars_are_sent_as_their_text(value: object, text: str) -> None:
    assert sent(Put("A.B", value)) == f"A.B={text}\n".encode()


@pytest.mark.parametrize(
    "value",
    [
        ("1", "2"),
        [1, 2],
        (1, 2),
        range(1, 3),
        ["1", 2],
        [np.uint32(1), True + 1],
        np.array([1, 2], np.uint8),
        np.array(["1", "2"]),
        np.array([1, "2"], object),
    ],
)
def test_lists_tuples_and_arrays_are_tables(value: Any) -> None:
    assert sent(Put("A.T", value)) == b"A.T<\n1\n2\n\n"
    assert sent(Put("A.T", value, base64=True)) == b"A.T<B\nAQAAAAIAAAA=\n\n"
    assert sent(Append("A.T", value)) == b"A.T<<\n1\n2\n\n"


def test_commands_can_be_changed_and_derived_from() -> None:
    @dataclass
    class PutTwice(Put):
        again: str = ""

        def execute(self, version: tuple[int, int]) -> ExchangeGenerator[None]:
            yield from super().execute(version)
            yield from Put(self.field, self.again).execute(version)

    put = Put("A.B", "1")
    put.value = 2
    assert sent(put) == b"A.B=2\n"
    assert put == Put("A.B", 2)
    assert put != PutTwice("A.B", 2)
    connection = ControlConnection()
    assert connection.send(PutTwice("A.B", "1", "2")) == b"A.B=1\n"
    assert connection.receive_bytes(b"OK\n") == b"A.B=2\n"
    assert connection.receive_bytes(b"OK\n") == b""
    assert [result for _, result in connection.responses()] == [None]


@pytest.mark.parametrize("decorate", [dataclass, dataclass(frozen=True), lambda cls: cls])
def test_a_command_of_ones_own(decorate: Any) -> None:
    class GetBoth(Command[tuple[str, list[str], str]]):
        def execute(
            self, version: tuple[int, int]
        ) -> ExchangeGenerator[tuple[str, list[str], str]]:
            line, lines, refused = Exchange("A?"), Exchange(["B?"]), Exchange("C?")
            yield [line, lines, refused]
            assert (line.to_send, line.received, line.is_multiline) == (["A?"], ["OK =1"], False)
            assert lines.received == ["!2", "!3", "."]
            try:
                return line.line, lines.multiline, refused.line
            except AssertionError:  # as commands written for `pandablocks` may have it
                return line.line, lines.multiline, "refused"

    (result,) = talk([decorate(GetBoth)()], b"OK =1\n!2\n!3\n.\nERR no\n")
    assert result == ("1", ["2", "3"], "refused")


def test_lines_of_base64_are_whole_words() -> None:
    words = np.arange(1000, dtype=np.uint32)
    first, *lines, empty, last = sent(Put("T", words, base64=True)).split(b"\n")
    assert (first, empty, last) == (b"T<B", b"", b"")
    decoded = [base64.b64decode(line, validate=True) for line in lines]
    assert all(len(each) % 4 == 0 for each in decoded)
    assert np.frombuffer(b"".join(decoded), "<u4").tolist() == words.tolist()
    assert max(map(len, lines)) <= 256


@pytest.mark.parametrize(
    "value",
    [
        ["x"],
        ["-1"],
        ["4294967296"],
        ["9" * 40],
        ["1.5"],
        np.array([1.5]),
        np.array([-1]),
        np.array([2**32]),
        np.array([[1]]),
    ],
)
def test_words_that_would_change_on_the_way_are_refused(value: object) -> None:
    with pytest.raises(BadValue, match=r"SEQ1\.TABLE: "):
        sent(Put("SEQ1.TABLE", value, base64=True))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "command",
    [
        Put("A", "1\n*PCAP.ARM="),
        Put("A=1\nB", "1"),
        Put("A.T", ["1", "", "*PCAP.ARM="]),
        Put("A.T", ["1\n\n*PCAP.ARM="]),
        Put("A.T<", "1"),
        Get("A\nB"),
        Get("A<"),
        GetLine("A\n"),
        GetMultiline("\n"),
        Append("A", ["1", ""]),
        Raw(["A?", "B?"]),
    ],
)
def test_a_second_command_can_not_be_smuggled_in(command: Command[object]) -> None:
    with pytest.raises(BadValue):
        sent(command)


@pytest.mark.parametrize(
    ("command", "reply", "message"),
    [
        (Put("A", "1"), b"OK =1\n", "A=1 -> OK =1: expected OK"),
        (Put("A", "1"), b".\n", r"A=1 ->  \(0 lines\): expected OK"),
        (Get("A"), b"OK\n", "A\\? -> OK: expected a single value"),
        (GetLine("A"), b"!1\n.\n", r"A\? -> !1 \(1 lines\): expected a single value"),
        (GetMultiline("A"), b"OK =1\n", "A\\? -> OK =1: expected several lines"),
        (GetMultiline("A"), b"ERR No such field\n", "A\\? -> ERR No such field"),
        (Arm(), b"ERR Nothing to capture\n", "\\*PCAP.ARM= -> ERR Nothing to capture"),
        (Identify(), b"OK =Raspberry\n", "expected PandA SW: "),
        (Identify(), b"OK =PandA SW: %s\n" % (b" FPGA: " * 100_000), "expected PandA SW: "),
        (GetChanges(), b"!what\n.\n", "'what' is not a change"),
        (GetChanges(), b"OK\n", "expected several lines"),
    ],
)
def test_replies_of_the_wrong_kind(command: Command[object], reply: bytes, message: str) -> None:
    (error,) = talk([command], reply)
    assert isinstance(error, CommandError)
    assert isinstance(error, CommandException)
    with pytest.raises(CommandError, match=message):
        raise error


def test_identify() -> None:
    reply = b"OK =PandA SW: 4.1-2-gabc FPGA: 3.0.1 86e5 07d2 rootfs: PandA 3.0 test\n"
    assert talk([Identify()], reply) == [
        Identification("4.1-2-gabc", "3.0.1 86e5 07d2", "PandA 3.0 test")
    ]
    assert Identification("4.1-2-gabc", "", "").software_api() == (4, 1)


@pytest.mark.parametrize(
    "software", ["unknown", "4", "4.", "9" * 5000 + ".1", "\N{FULLWIDTH DIGIT ONE}.0"]
)
def test_versions_that_are_none(software: str) -> None:
    with pytest.raises(BadValue, match="is not MAJOR"):
        Identification(software, "", "").software_api()


def test_append_last_needs_a_server_from_4() -> None:
    connection = ControlConnection()
    with pytest.raises(VersionError):
        connection.send(Append("T", ["1"], last=True))
    connection.set_api((4, 0))
    assert connection.send(Append("T", ["1"], last=True)) == b"T<<|\n1\n\n"


CHANGES = "!A.B=1\n!A.C= x = y (error) <\n!SEQ1.TABLE<\n!S.TEMP (error)\n!*METADATA.LAYOUT<\n."


def test_changes() -> None:
    assert ask(GetChanges(), {"*CHANGES?": CHANGES}) == Changes(
        values={"A.B": "1", "A.C": " x = y (error) <"},
        no_value=["SEQ1.TABLE", "*METADATA.LAYOUT"],
        in_error=["S.TEMP"],
        multiline_values={},
    )
    assert ask(GetChanges(), {"*CHANGES?": "."}) == Changes({}, [], [], {})


def test_changes_with_multiline_values() -> None:
    replies = {"*CHANGES.TABLE?": CHANGES, "SEQ1.TABLE?": "!1\n!2\n.", "*METADATA.LAYOUT?": "."}
    changes = ask(GetChanges(ChangeGroup.TABLE, True), replies)
    assert changes.no_value == []
    assert changes.multiline_values == {"SEQ1.TABLE": ["1", "2"], "*METADATA.LAYOUT": []}


def test_a_table_that_can_not_be_read_does_not_lose_the_other_changes() -> None:
    replies = {"*CHANGES?": CHANGES, "SEQ1.TABLE?": "!1\n."}
    changes = ask(GetChanges(get_multiline=True), replies)
    assert changes.values["A.B"] == "1"
    assert changes.in_error == ["S.TEMP", "*METADATA.LAYOUT"]
    assert changes.multiline_values == {"SEQ1.TABLE": ["1"]}


def test_changes_need_no_second_round_trip_if_nothing_is_long() -> None:
    assert talk([GetChanges(get_multiline=True)], b"!A=1\n.\n") == [Changes({"A": "1"}, [], [], {})]
