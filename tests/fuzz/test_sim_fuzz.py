"""Whatever bytes come to the simulator's control port, it answers or ends the session."""

import re
from base64 import b64encode

from fuzzing import examples
from hypothesis import given
from hypothesis import strategies as st

from panda_ioc.errors import CommandError
from panda_ioc.sim import SimSettings
from panda_ioc.sim.application import PACKAGED, load
from panda_ioc.sim.lut import lut_mask
from panda_ioc.sim.machine import Machine
from panda_ioc.sim.numbers import parse_double
from panda_ioc.sim.scan import Cursor
from panda_ioc.sim.session import ControlSession
from panda_ioc.sim.table_lines import words_of_base64, words_of_numbers

APPLICATION = load(PACKAGED)
NAMES = [
    f"{block.instance_name(1)}.{field}" for block in APPLICATION.blocks for field in block.fields
]
REPLY = re.compile(rb"(?:OK(?: =[^\n]*)?\n|ERR [^\n]*\n|(?:![^\n]*\n)*\.\n)")

attributes = st.sampled_from(
    [
        "",
        *(
            f".{name}"
            for name in ("UNITS", "RAW", "CAPTURE", "SCALE", "DELAY", "B", "*", "TABLE[]")
        ),
    ]
)
commands = st.sampled_from(
    ["*" + word for word in ("CHANGES", "DESC.", "ENUMS.", "METADATA.", "CAPTURE", "PCAP.ARM")]
    + ["*SIM." + word for word in ("RATE", "SET", "END", "ERROR", "PULSE", "ALIVE", "DATA")]
    + [""]
)
values = st.one_of(
    st.text(max_size=12),
    st.sampled_from([*"01SE", "ZERO", "TTLIN1.VAL", "1e400", "inf", "nan", "-1", "0x", "Mean No"]),
    st.integers(-(2**70), 2**70).map(str),
    st.floats().map(str),
)
lines = st.builds(
    lambda command, name, attribute, operator, value: (
        f"{command}{name}{attribute}{operator}{value}"
    ),
    commands,
    st.sampled_from(["", *NAMES]),
    attributes,
    st.sampled_from(["?", "=", "<", "<<", "<<|", "<B", ""]),
    values,
)
streams = st.lists(st.one_of(lines.map(lambda line: line.encode(errors="replace")), st.binary()))


def replies(session: ControlSession) -> bytes:
    return b"".join(iter(session.step, None))


@examples(500)
@given(streams, st.integers(1, 40))
def test_any_bytes_are_answered_or_end_the_session(parts: list[bytes], size: int) -> None:
    machine = Machine(APPLICATION, SimSettings(), alive=True)
    session = ControlSession(machine)
    stream = b"\n".join(parts)
    answers = b""
    for start in range(0, len(stream), size):
        session.feed(stream[start : start + size])
        answers += replies(session)
    session.feed(b"\n\n\n*ECHO end?\n")
    answers += replies(session)
    assert answers.endswith(b"OK =end\n")
    assert REPLY.sub(b"", answers) == b""


@examples(2000)
@given(st.text(max_size=400))
def test_numbers_and_functions_are_parsed_or_refused(text: str) -> None:
    readers = (Cursor.signed, Cursor.unsigned, Cursor.unsigned64, Cursor.double, Cursor.bit)
    takers = [lambda text, take=take: take(Cursor(text)) for take in readers]
    for parse in (*takers, parse_double, lut_mask):
        try:
            parse(text)
        except CommandError:
            continue


@examples(1000)
@given(st.lists(st.integers(0, 2**32 - 1), max_size=60))
def test_lines_of_tables_hold_their_words(words: list[int]) -> None:
    data = b"".join(word.to_bytes(4, "little") for word in words)
    assert words_of_base64(b64encode(data).decode(), len(words)).tolist() == words
    assert words_of_base64(b64encode(data).decode().rstrip("="), len(words)).tolist() == words
    assert words_of_numbers(" ".join(map(str, words)), len(words)).tolist() == words
    assert words_of_numbers(" ".join(map(hex, words)), len(words)).tolist() == words


@examples(1000)
@given(st.text(max_size=40))
def test_lines_of_tables_are_words_or_refused(line: str) -> None:
    for read in (words_of_base64, words_of_numbers):
        try:
            assert read(line, 4).size <= 4
        except CommandError:
            continue


@examples(2000)
@given(st.text("()~!ABCDE01?:|&^=> ", max_size=400))
def test_functions_are_masks_or_refused(text: str) -> None:
    try:
        mask = lut_mask(text)
    except CommandError:
        return
    assert 0 <= mask < 2**32
