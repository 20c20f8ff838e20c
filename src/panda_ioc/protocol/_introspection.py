"""Commands that find out what a PandA is made of.

Which questions belong to a type of field is the table `_KINDS`. A question that the box does not
answer leaves its piece None or empty and is noted in `FieldInfo.unanswered`; the rest is
introspected all the same. A (type, subtype) that is not in the table is a plain `FieldInfo`.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from panda_ioc.errors import CommandError
from panda_ioc.protocol._exchange import Command, Exchange, ExchangeGenerator, shorten
from panda_ioc.protocol.responses import (
    NAME,
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

LONGEST_LIST = 4096
"""Blocks, fields of a block, columns of a table, labels: no PandA has a tenth of that."""

_NUMBER = re.compile(r"[0-9]{1,10}")


@dataclass(frozen=True)
class _Question:
    """What to ask of a field, how to read the answer, and what to do without one."""

    query: str
    parse: Callable[[Exchange], Any]
    missing: Callable[[], Any] = lambda: None


@dataclass(frozen=True)
class _Kind:
    """The class that describes a type of field, and the questions that fill it."""

    info: type[FieldInfo]
    questions: Mapping[str, _Question]


def _text(query: str) -> _Question:
    return _Question(query, lambda exchange: exchange.value)


def _int(query: str) -> _Question:
    return _Question(query, lambda exchange: _number(exchange.value))


def _count(query: str) -> _Question:
    return _Question(query, lambda exchange: _number(exchange.value), int)


def _float(query: str) -> _Question:
    return _Question(query, lambda exchange: _finite(exchange.value))


def _finite(text: str) -> float:
    """A number; not "nan", which would make a box differ from itself."""
    if not math.isfinite(number := float(text)):
        raise ValueError(f"{text!r} is not finite")
    return number


def _list(query: str) -> _Question:
    return _Question(query, _entries, list)


def _columns(query: str) -> _Question:
    return _Question(query, lambda exchange: dict(map(_column, _entries(exchange))), dict)


def _entries(exchange: Exchange) -> list[str]:
    """The lines of a list, each of which may be asked about and kept."""
    if len(exchange.multiline) > LONGEST_LIST:
        raise CommandError(f"{exchange!r}: a list of more than {LONGEST_LIST}")
    return exchange.multiline


def _column(line: str) -> tuple[str, TableFieldDetails]:
    """`high:low NAME subtype`; servers before 2.0 leave the subtype out."""
    bits, name, subtype = (*line.split(), "uint")[:3]
    high, low = bits.split(":")
    return _name(name), TableFieldDetails(subtype, _number(low), _number(high))


def _name(text: str) -> str:
    """A name, which will be asked for and become part of names of records."""
    if not NAME.fullmatch(text):
        raise ValueError(f"{text!r} is no name of 1 to 40 letters, digits and _")
    return text


def _number(text: str) -> int:
    """A count or limit of a box, all of which fit into 32 bits."""
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"{text!r} is not a number of 1 to 10 digits")
    return int(text)


_DESCRIPTION = _text("*DESC.{block}.{field}?")
_LABELS = _list("*ENUMS.{block}.{field}?")
_CAPTURE_LABELS = _list("*ENUMS.{block}.{field}.CAPTURE?")
_UNITS_LABELS = _list("*ENUMS.{block}.{field}.UNITS?")

# Attributes that all instances share are asked of the first: a number is always understood.
_VALUE_KINDS = {
    "uint": _Kind(UintFieldInfo, {"max_val": _int("{block}1.{field}.MAX?")}),
    "scalar": _Kind(
        ScalarFieldInfo,
        {
            "units": _text("{block}1.{field}.UNITS?"),
            "scale": _float("{block}1.{field}.SCALE?"),
            "offset": _float("{block}1.{field}.OFFSET?"),
        },
    ),
    "enum": _Kind(EnumFieldInfo, {"labels": _LABELS}),
    "time": _Kind(SubtypeTimeFieldInfo, {"units_labels": _UNITS_LABELS}),
}
_EXT_OUT = _Kind(ExtOutFieldInfo, {"capture_labels": _CAPTURE_LABELS})
_BITS = _list("{block}1.{field}.BITS?")

_KINDS: Mapping[tuple[str, str | None], _Kind] = MappingProxyType(
    {
        **{
            (access, subtype): kind
            for access in ("param", "read", "write")
            for subtype, kind in _VALUE_KINDS.items()
        },
        ("time", None): _Kind(TimeFieldInfo, {"units_labels": _UNITS_LABELS}),
        ("bit_out", None): _Kind(
            BitOutFieldInfo,
            {
                "capture_word": _text("{block}1.{field}.CAPTURE_WORD?"),
                "offset": _int("{block}1.{field}.OFFSET?"),
            },
        ),
        ("bit_mux", None): _Kind(
            BitMuxFieldInfo,
            {"max_delay": _int("{block}1.{field}.MAX_DELAY?"), "labels": _LABELS},
        ),
        ("pos_mux", None): _Kind(PosMuxFieldInfo, {"labels": _LABELS}),
        ("pos_out", None): _Kind(PosOutFieldInfo, {"capture_labels": _CAPTURE_LABELS}),
        ("ext_out", "timestamp"): _EXT_OUT,
        ("ext_out", "samples"): _EXT_OUT,
        ("ext_out", "bits"): _Kind(
            ExtOutBitsFieldInfo, {"capture_labels": _CAPTURE_LABELS, "bits": _BITS}
        ),
        ("table", None): _Kind(
            TableFieldInfo,
            {
                "max_length": _count("{block}1.{field}.MAX_LENGTH?"),
                "fields": _columns("{block}1.{field}.FIELDS?"),
                "row_words": _count("{block}1.{field}.ROW_WORDS?"),
            },
        ),
    }
)
_PLAIN = _Kind(FieldInfo, MappingProxyType({}))

_COLUMN_DESCRIPTION = _text("*DESC.{block}.{field}[].{column}?")
_COLUMN_LABELS = _list("*ENUMS.{block}.{field}[].{column}?")


class _Asked:
    """Questions on their way: `exchanges` to be yielded, then `answers`."""

    def __init__(self, questions: Mapping[str, _Question], **names: str) -> None:
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


@dataclass(frozen=True)
class GetBlockInfo(Command[dict[str, BlockInfo]]):
    """Number of instances and description of each block, by name, in alphabetical order.

    Args:
        skip_description: leave the descriptions out and save a round trip
    """

    skip_description: bool = False

    def execute(self, version: tuple[int, int]) -> ExchangeGenerator[dict[str, BlockInfo]]:
        exchange = Exchange("*BLOCKS?")
        yield exchange
        numbers = dict(_block(exchange, line) for line in sorted(_entries(exchange)))
        if self.skip_description:
            return {name: BlockInfo(number) for name, number in numbers.items()}
        asked = _Asked({name: _text(f"*DESC.{name}?") for name in numbers})
        yield asked.exchanges
        return {name: BlockInfo(numbers[name], text) for name, text in asked.answers().items()}


@dataclass(frozen=True)
class GetFieldInfo(Command[dict[str, FieldInfo]]):
    """What each field of a block is, by name, in the order in which the box shows them.

    Takes two round trips, three if the block has tables.

    Args:
        block: name, without a number
        extended_metadata: False to learn types and subtypes only, in one round trip
    """

    block: str
    extended_metadata: bool = True

    def execute(self, version: tuple[int, int]) -> ExchangeGenerator[dict[str, FieldInfo]]:
        exchange = Exchange(f"{self.block}.*?")
        yield exchange
        plain = dict(_field(exchange, line) for line in _entries(exchange))
        plain = dict(sorted(plain.items(), key=lambda item: item[1].index))
        if not self.extended_metadata:
            return plain
        asked = {name: self._asked(name, info) for name, info in plain.items()}
        yield [exchange for each in asked.values() for exchange in each.exchanges]
        infos = {name: _describe(plain[name], each, version) for name, each in asked.items()}
        return infos | (yield from self._columns(infos))

    def _asked(self, name: str, plain: FieldInfo) -> _Asked:
        questions = {"description": _DESCRIPTION, **_kind(plain).questions}
        return _Asked(questions, block=self.block, field=name)

    def _columns(self, infos: dict[str, FieldInfo]) -> ExchangeGenerator[dict[str, FieldInfo]]:
        """The tables among the fields, with their columns described."""
        tables = {name: info for name, info in infos.items() if isinstance(info, TableFieldInfo)}
        asked = {
            (name, column): self._asked_column(name, column, details)
            for name, table in tables.items()
            for column, details in table.fields.items()
        }
        yield [exchange for each in asked.values() for exchange in each.exchanges]
        for (name, column), each in asked.items():
            tables[name] = _with_column(tables[name], column, each)
        return dict(tables)

    def _asked_column(self, table: str, column: str, details: TableFieldDetails) -> _Asked:
        questions = {"description": _COLUMN_DESCRIPTION}
        if details.subtype == "enum":
            questions["labels"] = _COLUMN_LABELS
        return _Asked(questions, block=self.block, field=table, column=column)


@dataclass(frozen=True)
class GetPcapBitsLabels(Command[dict[str, list[str]]]):
    """Names of the 32 bits of each captured word of bits, lowest first.

    For example::

        GetPcapBitsLabels() -> {"PCAP.BITS0": ["TTLIN1.VAL", "TTLIN2.VAL", ...], ...}
    """

    def execute(self, version: tuple[int, int]) -> ExchangeGenerator[dict[str, list[str]]]:
        fields = yield from GetFieldInfo("PCAP", extended_metadata=False).execute(version)
        names = [
            f"PCAP.{name}"
            for name, info in fields.items()
            if (info.type, info.subtype) == ("ext_out", "bits")
        ]
        exchanges = {name: Exchange(f"{name}.BITS?") for name in names}
        yield list(exchanges.values())
        return {name: exchange.multiline for name, exchange in exchanges.items()}


def _kind(info: FieldInfo) -> _Kind:
    return _KINDS.get((info.type, info.subtype), _PLAIN)


def _block(exchange: Exchange, line: str) -> tuple[str, int]:
    """`NAME number`."""
    try:
        name, number = line.split()
        return _name(name), _number(number)
    except ValueError as error:
        raise CommandError(f"{exchange!r}: {shorten(line)!r} is not a block") from error


def _field(exchange: Exchange, line: str) -> tuple[str, FieldInfo]:
    """`NAME index type [subtype]`."""
    try:
        name, index, kind, *subtype = line.split()
        return _name(name), FieldInfo(kind, " ".join(subtype) or None, None, index=_number(index))
    except ValueError as error:
        raise CommandError(f"{exchange!r}: {shorten(line)!r} is not a field") from error


def _describe(plain: FieldInfo, asked: _Asked, version: tuple[int, int]) -> FieldInfo:
    kind = _kind(plain)
    answers = asked.answers()
    if kind.info is TableFieldInfo:
        answers["has_mode"] = version >= (4, 0)
        answers["row_words"] = answers["row_words"] or _row_words(answers["fields"])
    return kind.info(
        plain.type,
        plain.subtype,
        **answers,
        index=plain.index,
        unanswered=tuple(asked.unanswered),
    )


def _row_words(fields: dict[str, TableFieldDetails]) -> int:
    return max((details.bit_high for details in fields.values()), default=-1) // 32 + 1


def _with_column(table: TableFieldInfo, column: str, asked: _Asked) -> TableFieldInfo:
    details = replace(table.fields[column], **asked.answers())
    return replace(
        table,
        fields=table.fields | {column: details},
        unanswered=(*table.unanswered, *asked.unanswered),
    )
