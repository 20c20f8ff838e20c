"""What to ask about each type of field, and how to read the answers: the table is `_KINDS`.

A question that the PandA does not answer leaves its piece None or empty, and is noted in
`FieldInfo.unanswered`. A (type, subtype) that is not in the table is a plain `FieldInfo`.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from panda_ioc.errors import CommandError
from panda_ioc.protocol._exchange import Exchange
from panda_ioc.protocol.responses import (
    NAME,
    BitMuxFieldInfo,
    BitOutFieldInfo,
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

LONGEST_LIST = 4096
"""Blocks, fields of a block, columns of a table, labels: no PandA has a tenth of that."""

_NUMBER = re.compile(r"[0-9]{1,10}")


def entries(exchange: Exchange) -> list[str]:
    """The lines of a list, each of which may be asked about and kept."""
    if len(exchange.multiline) > LONGEST_LIST:
        raise CommandError(f"{exchange!r}: a list of more than {LONGEST_LIST}")
    return exchange.multiline


def parse_name(text: str) -> str:
    """A name, which will be asked for and become part of names of records."""
    if not NAME.fullmatch(text):
        raise ValueError(f"{text!r} is no name of 1 to 40 letters, digits and _")
    return text


def parse_number(text: str) -> int:
    """A count or limit of a PandA, all of which fit into 32 bits."""
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"{text!r} is not a number of 1 to 10 digits")
    return int(text)


def _column(line: str) -> tuple[str, TableFieldDetails]:
    """`high:low NAME subtype`; servers before 2.0 leave the subtype out."""
    bits, name, subtype = (*line.split(), "uint")[:3]
    high, low = bits.split(":")
    return parse_name(name), TableFieldDetails(subtype, parse_number(low), parse_number(high))


def _finite(text: str) -> float:
    """A number; not "nan", which would make a PandA differ from itself."""
    if not math.isfinite(number := float(text)):
        raise ValueError(f"{text!r} is not finite")
    return number


@dataclass(frozen=True)
class Question:
    """What to ask of a field, how to read the answer, and what to do without one."""

    query: str
    parse: Callable[[Exchange], Any]
    missing: Callable[[], Any] = lambda: None


@dataclass(frozen=True)
class InfoKind:
    """The class that describes a type of field, and the questions that fill it."""

    info: type[FieldInfo]
    questions: Mapping[str, Question]


def _text(query: str) -> Question:
    return Question(query, lambda exchange: exchange.line)


def _int(query: str) -> Question:
    return Question(query, lambda exchange: parse_number(exchange.line))


def _count(query: str) -> Question:
    return Question(query, lambda exchange: parse_number(exchange.line), int)


def _float(query: str) -> Question:
    return Question(query, lambda exchange: _finite(exchange.line))


def _list(query: str) -> Question:
    return Question(query, entries, list)


def _columns(query: str) -> Question:
    return Question(query, lambda exchange: dict(map(_column, entries(exchange))), dict)


BLOCK_DESCRIPTION = _text("*DESC.{block}?")
DESCRIPTION = _text("*DESC.{block}.{field}?")
_LABELS = _list("*ENUMS.{block}.{field}?")
_CAPTURE_LABELS = _list("*ENUMS.{block}.{field}.CAPTURE?")
_UNITS_LABELS = _list("*ENUMS.{block}.{field}.UNITS?")

# Attributes that all instances share are asked of the first: a number is always understood.
_VALUE_KINDS = {
    "uint": InfoKind(UintFieldInfo, {"max_val": _int("{block}1.{field}.MAX?")}),
    "scalar": InfoKind(
        ScalarFieldInfo,
        {
            "units": _text("{block}1.{field}.UNITS?"),
            "scale": _float("{block}1.{field}.SCALE?"),
            "offset": _float("{block}1.{field}.OFFSET?"),
        },
    ),
    "enum": InfoKind(EnumFieldInfo, {"labels": _LABELS}),
    "time": InfoKind(SubtypeTimeFieldInfo, {"units_labels": _UNITS_LABELS}),
}
_EXT_OUT = InfoKind(ExtOutFieldInfo, {"capture_labels": _CAPTURE_LABELS})
_BITS = _list("{block}1.{field}.BITS?")

_KINDS: Mapping[tuple[str, str | None], InfoKind] = MappingProxyType(
    {
        **{
            (access, subtype): kind
            for access in ("param", "read", "write")
            for subtype, kind in _VALUE_KINDS.items()
        },
        ("time", None): InfoKind(TimeFieldInfo, {"units_labels": _UNITS_LABELS}),
        ("bit_out", None): InfoKind(
            BitOutFieldInfo,
            {
                "capture_word": _text("{block}1.{field}.CAPTURE_WORD?"),
                "offset": _int("{block}1.{field}.OFFSET?"),
            },
        ),
        ("bit_mux", None): InfoKind(
            BitMuxFieldInfo,
            {"max_delay": _int("{block}1.{field}.MAX_DELAY?"), "labels": _LABELS},
        ),
        ("pos_mux", None): InfoKind(PosMuxFieldInfo, {"labels": _LABELS}),
        ("pos_out", None): InfoKind(PosOutFieldInfo, {"capture_labels": _CAPTURE_LABELS}),
        ("ext_out", "timestamp"): _EXT_OUT,
        ("ext_out", "samples"): _EXT_OUT,
        ("ext_out", "bits"): InfoKind(
            ExtOutBitsFieldInfo, {"capture_labels": _CAPTURE_LABELS, "bits": _BITS}
        ),
        ("table", None): InfoKind(
            TableFieldInfo,
            {
                "max_length": _count("{block}1.{field}.MAX_LENGTH?"),
                "fields": _columns("{block}1.{field}.FIELDS?"),
                "row_words": _count("{block}1.{field}.ROW_WORDS?"),
            },
        ),
    }
)
_PLAIN = InfoKind(FieldInfo, MappingProxyType({}))

COLUMN_DESCRIPTION = _text("*DESC.{block}.{field}[].{column}?")
COLUMN_LABELS = _list("*ENUMS.{block}.{field}[].{column}?")


def kind_of(info: FieldInfo) -> InfoKind:
    """What is to be asked about a field of which the type is known."""
    return _KINDS.get((info.type, info.subtype), _PLAIN)


class Asked:
    """Questions on their way: `exchanges` to be yielded, then `answers`."""

    def __init__(self, questions: Mapping[str, Question], **names: str) -> None:
        self._questions = questions
        self._exchanges = {
            key: Exchange(question.query.format_map(names)) for key, question in questions.items()
        }
        self.unanswered: list[str] = []

    @property
    def exchanges(self) -> list[Exchange]:
        return list(self._exchanges.values())

    def answers(self) -> dict[str, Any]:
        return {key: self._answer(key, exchange) for key, exchange in self._exchanges.items()}

    def _answer(self, key: str, exchange: Exchange) -> Any:
        question = self._questions[key]
        try:
            return question.parse(exchange)
        except (CommandError, ValueError):
            self.unanswered.append(exchange.shown)
            return question.missing()
