"""Commands that find out what a PandA is made of; what they ask is in `_questions`."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from panda_ioc.errors import CommandError
from panda_ioc.protocol._exchange import Command, Exchange, ExchangeGenerator, shorten
from panda_ioc.protocol._questions import (
    BLOCK_DESCRIPTION,
    COLUMN_DESCRIPTION,
    COLUMN_LABELS,
    DESCRIPTION,
    Asked,
    entries,
    kind_of,
    parse_name,
    parse_number,
)
from panda_ioc.protocol.responses import (
    BlockInfo,
    FieldInfo,
    TableFieldDetails,
    TableFieldInfo,
)


@dataclass
class GetBlockInfo(Command[dict[str, BlockInfo]]):
    """Number of instances and description of each block, by name, in alphabetical order.

    Args:
        skip_description: leave the descriptions out and save a round trip
    """

    skip_description: bool = False

    def execute(self, version: tuple[int, int]) -> ExchangeGenerator[dict[str, BlockInfo]]:
        exchange = Exchange("*BLOCKS?")
        yield exchange
        numbers = dict(_block(exchange, line) for line in sorted(entries(exchange)))
        if self.skip_description:
            return {name: BlockInfo(number) for name, number in numbers.items()}
        asked = {name: Asked({"description": BLOCK_DESCRIPTION}, block=name) for name in numbers}
        yield _exchanges(asked)
        return {name: BlockInfo(numbers[name], **each.answers()) for name, each in asked.items()}


@dataclass
class GetFieldInfo(Command[dict[str, FieldInfo]]):
    """What each field of a block is, by name, in the order in which the PandA shows them.

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
        plain = dict(_field(exchange, line) for line in entries(exchange))
        plain = dict(sorted(plain.items(), key=lambda item: item[1].index))
        if not self.extended_metadata:
            return plain
        asked = {name: self._asked(name, info) for name, info in plain.items()}
        yield _exchanges(asked)
        infos = {name: _describe(plain[name], each, version) for name, each in asked.items()}
        return infos | (yield from self._columns(infos))

    def _asked(self, name: str, plain: FieldInfo) -> Asked:
        questions = {"description": DESCRIPTION, **kind_of(plain).questions}
        return Asked(questions, block=self.block, field=name)

    def _columns(self, infos: dict[str, FieldInfo]) -> ExchangeGenerator[dict[str, FieldInfo]]:
        """The tables among the fields, with their columns described."""
        tables = {name: info for name, info in infos.items() if isinstance(info, TableFieldInfo)}
        asked = {
            (name, column): self._asked_column(name, column, details)
            for name, table in tables.items()
            for column, details in table.fields.items()
        }
        yield _exchanges(asked)
        for (name, column), each in asked.items():
            tables[name] = _with_column(tables[name], column, each)
        return dict(tables)

    def _asked_column(self, table: str, column: str, details: TableFieldDetails) -> Asked:
        questions = {"description": COLUMN_DESCRIPTION}
        if details.subtype == "enum":
            questions["labels"] = COLUMN_LABELS
        return Asked(questions, block=self.block, field=table, column=column)


@dataclass
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


def _exchanges(asked: Mapping[Any, Asked]) -> list[Exchange]:
    return [exchange for each in asked.values() for exchange in each.exchanges]


def _block(exchange: Exchange, line: str) -> tuple[str, int]:
    """`NAME number`."""
    try:
        name, number = line.split()
        return parse_name(name), parse_number(number)
    except ValueError as error:
        raise CommandError(f"{exchange!r}: {shorten(line)!r} is not a block") from error


def _field(exchange: Exchange, line: str) -> tuple[str, FieldInfo]:
    """`NAME index type [subtype]`."""
    try:
        name, index, kind, *subtype = line.split()
        info = FieldInfo(kind, " ".join(subtype) or None, None, index=parse_number(index))
        return parse_name(name), info
    except ValueError as error:
        raise CommandError(f"{exchange!r}: {shorten(line)!r} is not a field") from error


def _describe(plain: FieldInfo, asked: Asked, version: tuple[int, int]) -> FieldInfo:
    kind = kind_of(plain)
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


def _with_column(table: TableFieldInfo, column: str, asked: Asked) -> TableFieldInfo:
    details = replace(table.fields[column], **asked.answers())
    return replace(
        table,
        fields=table.fields | {column: details},
        unanswered=(*table.unanswered, *asked.unanswered),
    )
