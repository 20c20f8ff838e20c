"""Introspection: every type of field, whatever the box fails to tell."""

import re

import pytest

from panda_ioc.errors import CommandError
from panda_ioc.protocol._questions import LONGEST_LIST
from panda_ioc.protocol.commands import GetBlockInfo, GetFieldInfo, GetPcapBitsLabels
from panda_ioc.protocol.connections import ControlConnection
from panda_ioc.protocol.responses import (
    BitMuxFieldInfo,
    BitOutFieldInfo,
    BlockInfo,
    EnumFieldInfo,
    ExtOutBitsFieldInfo,
    ExtOutFieldInfo,
    FieldInfo,
    PosMuxFieldInfo,
    PosOutFieldInfo,
    ScalarFieldInfo,
    SubtypeTimeFieldInfo,
    TableFieldDetails,
    TableFieldInfo,
    TimeFieldInfo,
    UintFieldInfo,
)
from support.controlstream import ask

FIELDS = """!TABLE 11 table
!UINT 0 param uint
!ENUM 1 read enum
!SCALAR 2 write scalar
!STIME 3 param time
!TIME 4 time
!BOUT 5 bit_out
!BMUX 6 bit_mux
!PMUX 7 pos_mux
!POUT 8 pos_out
!TS 9 ext_out timestamp
!BITS 10 ext_out bits
!LUT 12 param lut
!NEW 13 param something new
!NEWER 14 quantum
."""
REPLIES = {
    "X.*?": FIELDS,
    **{
        f"*DESC.X.{name}?": f"OK =About {name}"
        for name in re.findall(r"!(\w+)", FIELDS)
        if name != "NEWER"
    },
    "X1.UINT.MAX?": "OK =7",
    "*ENUMS.X.ENUM?": "!no\n!yes\n.",
    "X1.SCALAR.UNITS?": "OK =mm",
    "X1.SCALAR.SCALE?": "OK =0.5",
    "X1.SCALAR.OFFSET?": "OK =-1e-3",
    "*ENUMS.X.STIME.UNITS?": "!min\n!s\n.",
    "*ENUMS.X.TIME.UNITS?": "!ms\n.",
    "X1.BOUT.CAPTURE_WORD?": "OK =PCAP.BITS1",
    "X1.BOUT.OFFSET?": "OK =9",
    "X1.BMUX.MAX_DELAY?": "OK =31",
    "*ENUMS.X.BMUX?": "!ZERO\n!ONE\n.",
    "*ENUMS.X.PMUX?": "!ZERO\n.",
    "*ENUMS.X.POUT.CAPTURE?": "!No\n!Value\n.",
    "*ENUMS.X.TS.CAPTURE?": "!No\n!Value\n.",
    "*ENUMS.X.BITS.CAPTURE?": "!No\n!Value\n.",
    "X1.BITS.BITS?": "!TTLIN1.VAL\n!\n.",
    "X1.TABLE.MAX_LENGTH?": "OK =4096",
    "X1.TABLE.FIELDS?": "!15:0 REPEATS uint\n!19:16 TRIGGER enum\n!63:32 OLD\n.",
    "X1.TABLE.ROW_WORDS?": "OK =4",
    "*DESC.X.TABLE[].REPEATS?": "OK =How often",
    "*DESC.X.TABLE[].TRIGGER?": "OK =When",
    "*ENUMS.X.TABLE[].TRIGGER?": "!Immediate\n!BITA=0\n.",
}
COLUMNS = {
    "REPEATS": TableFieldDetails("uint", 0, 15, "How often"),
    "TRIGGER": TableFieldDetails("enum", 16, 19, "When", ["Immediate", "BITA=0"]),
    "OLD": TableFieldDetails("uint", 32, 63),
}
EXPECTED = {
    "UINT": UintFieldInfo("param", "uint", "About UINT", 7),
    "ENUM": EnumFieldInfo("read", "enum", "About ENUM", ["no", "yes"]),
    "SCALAR": ScalarFieldInfo("write", "scalar", "About SCALAR", "mm", 0.5, -1e-3),
    "STIME": SubtypeTimeFieldInfo("param", "time", "About STIME", ["min", "s"]),
    "TIME": TimeFieldInfo("time", None, "About TIME", ["ms"]),
    "BOUT": BitOutFieldInfo("bit_out", None, "About BOUT", "PCAP.BITS1", 9),
    "BMUX": BitMuxFieldInfo("bit_mux", None, "About BMUX", 31, ["ZERO", "ONE"]),
    "PMUX": PosMuxFieldInfo("pos_mux", None, "About PMUX", ["ZERO"]),
    "POUT": PosOutFieldInfo("pos_out", None, "About POUT", ["No", "Value"]),
    "TS": ExtOutFieldInfo("ext_out", "timestamp", "About TS", ["No", "Value"]),
    "BITS": ExtOutBitsFieldInfo(
        "ext_out", "bits", "About BITS", ["No", "Value"], ["TTLIN1.VAL", ""]
    ),
    "TABLE": TableFieldInfo("table", None, "About TABLE", 4096, COLUMNS, 4, has_mode=True),
    "LUT": FieldInfo("param", "lut", "About LUT"),
    "NEW": FieldInfo("param", "something new", "About NEW"),
    "NEWER": FieldInfo("quantum", None, None),
}


def test_every_type_of_field() -> None:
    infos = ask(GetFieldInfo("X"), REPLIES)
    assert infos == EXPECTED
    assert list(infos) == list(EXPECTED)
    assert [info.index for info in infos.values()] == list(range(15))
    assert {name: info.unanswered for name, info in infos.items() if info.unanswered} == {
        "NEWER": ("*DESC.X.NEWER?",),
        "TABLE": ("*DESC.X.TABLE[].OLD?",),
    }


def test_columns_are_in_the_order_of_the_box() -> None:
    assert list(ask(GetFieldInfo("X"), REPLIES)["TABLE"].fields) == ["REPEATS", "TRIGGER", "OLD"]


@pytest.mark.parametrize("answer", ["ERR Unknown", ".", "!x\n.", "OK", "OK =x"])
@pytest.mark.parametrize("question", [question for question in REPLIES if question != "X.*?"])
def test_a_question_that_fails_costs_only_its_piece(question: str, answer: str) -> None:
    infos = ask(GetFieldInfo("X"), REPLIES | {question: answer})
    assert list(infos) == list(EXPECTED)
    changed = [name for name, info in infos.items() if info != EXPECTED[name]]
    assert len(changed) <= 1
    if answer == "ERR Unknown":
        owners = [name for name, info in infos.items() if question in info.unanswered]
        assert len(owners) == 1
        assert changed in ([], owners)  # the number of words of a row can be reckoned


def test_nothing_but_the_list_of_fields() -> None:
    infos = ask(GetFieldInfo("X"), {"X.*?": FIELDS})
    assert infos["UINT"] == UintFieldInfo("param", "uint", None, None)
    assert infos["SCALAR"] == ScalarFieldInfo("write", "scalar", None, None, None, None)
    assert infos["BMUX"] == BitMuxFieldInfo("bit_mux", None, None, None, [])
    assert infos["TABLE"] == TableFieldInfo("table", None, None, 0, {}, 0, has_mode=True)
    assert len(infos["SCALAR"].unanswered) == 4


def test_words_of_a_row_are_reckoned_where_the_server_does_not_say() -> None:
    infos = ask(GetFieldInfo("X"), REPLIES | {"X1.TABLE.ROW_WORDS?": "ERR No such attribute"})
    assert infos["TABLE"].row_words == 2


def test_servers_before_4_have_no_mode() -> None:
    assert not ask(GetFieldInfo("X"), REPLIES, version=(3, 0))["TABLE"].has_mode


def test_types_only() -> None:
    infos = ask(GetFieldInfo("X", extended_metadata=False), {"X.*?": FIELDS})
    assert infos["UINT"] == FieldInfo("param", "uint", None)
    assert list(infos) == list(EXPECTED)


ODD_NUMBERS = ["-1", "1_0", "1e1", "9" * 11, "9" * 5000, "\N{FULLWIDTH DIGIT ONE}"]


@pytest.mark.parametrize("text", ODD_NUMBERS)
def test_a_number_that_is_none_costs_only_its_piece(text: str) -> None:
    answers = {
        "X1.UINT.MAX?": f"OK ={text}",
        "X1.TABLE.MAX_LENGTH?": f"OK ={text}",
        "X1.TABLE.ROW_WORDS?": f"OK ={text}",
    }
    infos = ask(GetFieldInfo("X"), REPLIES | answers)
    assert infos["UINT"].max_val is None
    assert (infos["TABLE"].max_length, infos["TABLE"].row_words) == (0, 2)
    infos = ask(GetFieldInfo("X"), REPLIES | {"X1.TABLE.FIELDS?": f"!{text}:0 A uint\n."})
    assert infos["TABLE"].fields == {}


@pytest.mark.parametrize("name", ["A=1", "A?", "A<", "A.B", "\N{LATIN SMALL LETTER E WITH ACUTE}"])
def test_a_column_that_can_not_be_asked_for_costs_only_its_table(name: str) -> None:
    infos = ask(GetFieldInfo("X"), REPLIES | {"X1.TABLE.FIELDS?": f"!31:0 {name} uint\n."})
    assert infos["TABLE"].fields == {}
    assert infos["UINT"] == EXPECTED["UINT"]


@pytest.mark.parametrize(
    "line",
    [
        *("!X", "!X one param uint", "!", "!X 1", "!X -1 param uint"),
        *("!A=1 0 time", "!A< 0 time", "!A? 0 time", "!A.B 0 time", f"!{'A' * 41} 0 time"),
    ],
)
def test_a_list_of_fields_that_is_none(line: str) -> None:
    error = ask(GetFieldInfo("X"), {"X.*?": f"{line}\n."})
    assert isinstance(error, CommandError)
    assert "is not a field" in str(error)


def test_lists_longer_than_any_are_refused() -> None:
    lines = [f"!N{number}" for number in range(LONGEST_LIST + 1)]
    blocks = ask(GetBlockInfo(), {"*BLOCKS?": "".join(f"{line} 1\n" for line in lines) + "."})
    fields = ask(GetFieldInfo("X"), {"X.*?": "".join(f"{line} 0 time\n" for line in lines) + "."})
    for error in (blocks, fields):
        assert isinstance(error, CommandError)
        assert "a list of more than 4096" in str(error)
    labels = ask(GetFieldInfo("X"), REPLIES | {"*ENUMS.X.PMUX?": "\n".join([*lines, "."])})
    assert labels["PMUX"] == PosMuxFieldInfo("pos_mux", None, "About PMUX", [])


def test_three_round_trips() -> None:
    connection = ControlConnection()
    to_send, trips = connection.send(GetFieldInfo("X")), 0
    while to_send:
        trips += 1
        requests = to_send.decode().splitlines()
        replies = "".join(REPLIES.get(request, "ERR") + "\n" for request in requests)
        to_send = connection.receive_bytes(replies.encode())
    assert trips == 3


def test_blocks() -> None:
    replies = {"*BLOCKS?": "!PULSE 4\n!LUT 8\n.", "*DESC.PULSE?": "OK =Pulses"}
    assert ask(GetBlockInfo(), replies) == {"LUT": BlockInfo(8), "PULSE": BlockInfo(4, "Pulses")}
    assert list(ask(GetBlockInfo(), replies)) == ["LUT", "PULSE"]
    assert ask(GetBlockInfo(skip_description=True), replies)["PULSE"] == BlockInfo(4, None)
    for line in ("PULSE", "PULSE x", "", "PULSE -1", "P=1 1", "P< 1", f"{'P' * 41} 1"):
        error = ask(GetBlockInfo(), {"*BLOCKS?": f"!{line}\n."})
        assert isinstance(error, CommandError)


def test_names_of_captured_bits() -> None:
    replies = {
        "PCAP.*?": "!BITS1 5 ext_out bits\n!TS 1 ext_out timestamp\n!BITS0 4 ext_out bits\n.",
        "PCAP.BITS0.BITS?": "!A\n!B\n.",
        "PCAP.BITS1.BITS?": "!\n.",
    }
    assert ask(GetPcapBitsLabels(), replies) == {"PCAP.BITS0": ["A", "B"], "PCAP.BITS1": [""]}


@pytest.mark.parametrize("text", ["nan", "inf", "-1e999"])
def test_scales_are_finite_so_that_a_box_is_like_itself(text: str) -> None:
    answer = {"X1.SCALAR.SCALE?": f"OK ={text}"}
    one, other = (ask(GetFieldInfo("X"), REPLIES | answer) for _ in range(2))
    assert one == other
    assert one["SCALAR"].scale is None
