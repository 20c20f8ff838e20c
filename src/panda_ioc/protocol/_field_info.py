"""What introspection says of blocks and fields.

Where a PandA failed to answer one question about a field, the piece is `None` or empty, and the
question is listed in `FieldInfo.unanswered`.
"""

import re
from dataclasses import dataclass, field

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")
"""What blocks, fields, columns of tables and capture options may be called."""


@dataclass
class BlockInfo:
    """How many instances a block has, and what it is for (``*BLOCKS?``, ``*DESC.BLOCK?``)."""

    number: int = 0
    description: str | None = None


@dataclass
class FieldInfo:
    """What introspection says of one field; types that have more to say have a class of their own.

    Attributes:
        type: "param", "bit_out", "pos_mux", ...
        subtype: "uint", "scalar", "lut", ... or None
        description: None if the PandA gave none
        index: where the field stands in its block (``BLOCK.*?``); ignored in comparisons
        unanswered: queries about this field that the PandA refused; ignored in comparisons
    """

    type: str
    subtype: str | None
    description: str | None
    index: int = field(default=0, kw_only=True, compare=False)
    unanswered: tuple[str, ...] = field(default=(), kw_only=True, compare=False)


@dataclass
class UintFieldInfo(FieldInfo):
    """`param|read|write uint`: 0 ... max_val."""

    max_val: int | None


@dataclass
class ScalarFieldInfo(FieldInfo):
    """`param|read|write scalar`: value = raw * scale + offset, in units."""

    units: str | None
    scale: float | None
    offset: float | None


@dataclass
class TimeFieldInfo(FieldInfo):
    """`time`: the units that it can be given in."""

    units_labels: list[str]


@dataclass
class SubtypeTimeFieldInfo(FieldInfo):
    """`param|read|write time`: the units that it can be given in."""

    units_labels: list[str]


@dataclass
class EnumFieldInfo(FieldInfo):
    """`param|read|write enum`: the values that it can have."""

    labels: list[str]


@dataclass
class BitOutFieldInfo(FieldInfo):
    """`bit_out`: the first instance's is bit `offset` of the capturable field `capture_word`."""

    capture_word: str | None
    offset: int | None


@dataclass
class BitMuxFieldInfo(FieldInfo):
    """`bit_mux`: the bits that it can be wired to, and its longest DELAY in clock ticks."""

    max_delay: int | None
    labels: list[str]


@dataclass
class PosMuxFieldInfo(FieldInfo):
    """`pos_mux`: the positions that it can be wired to."""

    labels: list[str]


@dataclass
class TableFieldDetails:
    """One column of a table: bits bit_low ... bit_high (inclusive) of a row.

    Bits are counted from bit 0 of the row's first word.

    Attributes:
        subtype: "uint", "int", "enum" or "bit"
        labels: of an enum column, else None
    """

    subtype: str
    bit_low: int
    bit_high: int
    description: str | None = None
    labels: list[str] | None = None


@dataclass
class TableFieldInfo(FieldInfo):
    """`table`.

    Attributes:
        max_length: 32-bit words that the table can hold; 0 if the PandA would not say
        fields: columns in the PandA's order
        row_words: 32-bit words in a row
        has_mode: there is a MODE attribute (servers from 4.0)
    """

    max_length: int
    fields: dict[str, TableFieldDetails]
    row_words: int
    has_mode: bool = False


@dataclass
class PosOutFieldInfo(FieldInfo):
    """`pos_out`: the usual values of its CAPTURE attribute."""

    capture_labels: list[str]


@dataclass
class ExtOutFieldInfo(FieldInfo):
    """`ext_out timestamp|samples`: the values of its CAPTURE attribute."""

    capture_labels: list[str]


@dataclass
class ExtOutBitsFieldInfo(ExtOutFieldInfo):
    """`ext_out bits`: also the names of its 32 bits, lowest first; empty if not driven."""

    bits: list[str]
