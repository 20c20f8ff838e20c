"""Requests: exactly one each, or refused before anything is sent."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panda_ioc.errors import BadValue, CommandError
from panda_ioc.protocol._exchange import Exchange, is_table

TEXT = st.text(st.sampled_from("AB1.*?=<|\n\r B"), max_size=12)


def requests_in(data: bytes) -> int:
    """How many replies a server would send, by the rules; -1 if it waits for more."""
    lines = data.decode().split("\n")
    assert lines.pop() == ""
    count = 0
    while lines:
        count += 1
        if re.match(r"[^?=<]*<", lines.pop(0)):
            while lines and lines[0]:
                lines.pop(0)
            if not lines:
                return -1
            lines.pop(0)
    return count


@given(st.one_of(TEXT, st.lists(TEXT, max_size=5)))
def test_what_is_accepted_is_one_request(to_send: str | list[str]) -> None:
    try:
        exchange = Exchange(to_send)
    except BadValue:
        return
    assert requests_in(exchange.request) == 1


@given(st.text(st.characters(codec="utf-8", exclude_characters="\n<"), max_size=20))
def test_any_other_line_is_accepted(line: str) -> None:
    assert Exchange(line).request == line.encode() + b"\n"


@pytest.mark.parametrize(
    "to_send",
    [
        "A=1\n*PCAP.ARM=",
        "A<",
        "A<B?",
        ["A<", "1"],
        ["A<", "1", "", "2", ""],
        ["A<", "1\n\n*PCAP.ARM=", ""],
        ["A?", "B?", ""],
        ["A?", ""],
        [],
        [""" A<"""],
        "A=\udcff",
    ],
)
def test_refused(to_send: str | list[str]) -> None:
    with pytest.raises(BadValue):
        Exchange(to_send)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("SEQ1.TABLE<", True),
        ("SEQ1.TABLE<<|B", True),
        ("A=1<2", False),
        ("A?<", False),
        ("A?", False),
        ("", False),
    ],
)
def test_is_table(line: str, expected: bool) -> None:
    assert is_table(line) is expected


def test_a_reply_of_the_wrong_kind() -> None:
    exchange = Exchange("A?")
    assert repr(exchange) == "A? -> no reply"
    assert exchange.received == []
    exchange.answer("OK")
    exchange.check_ok()
    with pytest.raises(CommandError, match="A\\? -> OK: expected a single value"):
        exchange.line  # noqa: B018
    with pytest.raises(CommandError, match="expected several lines"):
        exchange.multiline  # noqa: B018
    exchange.answer_values(["1", "2"])
    assert exchange.received == ["!1", "!2", "."]
