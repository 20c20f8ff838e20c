"""Text of the wire <-> values of Python, one codec for each kind of value.

`decode` raises `BadValue` for text that no PandA would send, `encode` for a value that the wire
cannot carry: a fraction of a pulse, not-a-number, an integer of more than 32 bits (which the
PandA would wrap without a word). Narrower ranges are left to the PandA, which knows them best and
whose words the user gets.
"""

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

from panda_ioc.errors import BadValue

Value = int | float | str

_INT = re.compile(r"[+-]?[0-9]{1,20}")
_UNSAFE = re.compile(r"[\x00-\x1f\x7f]")


class Codec(ABC):
    """How one kind of value is written on the wire."""

    @abstractmethod
    def decode(self, text: str) -> Value:
        """The value in text."""

    @abstractmethod
    def encode(self, value: Value) -> str:
        """The text for value."""


@dataclass(frozen=True)
class IntCodec(Codec):
    """Whole numbers from low to high; another type of number is taken if it is whole."""

    low: int
    high: int

    def decode(self, text: str) -> int:
        if not _INT.fullmatch(text):
            raise BadValue(f"{text[:80]!r} is not a whole number")
        return self._within(int(text))

    def encode(self, value: Value) -> str:
        number = self.decode(value.strip()) if isinstance(value, str) else value
        if number % 1 != 0:  # as of nan and inf
            raise BadValue(f"{number!r} is not a whole number")
        return str(self._within(int(number)))

    def _within(self, number: int) -> int:
        if not self.low <= number <= self.high:
            raise BadValue(f"{number} is not in {self.low}..{self.high}")
        return number


class FloatCodec(Codec):
    """Real numbers, written with all the digits of a double."""

    def decode(self, text: str) -> float:
        number = self._parse(text)
        if not math.isfinite(number):
            raise BadValue(f"{text[:80]!r} is not a finite number")
        return number

    def _parse(self, text: str) -> float:
        try:
            return float(text)
        except ValueError:
            raise BadValue(f"{text[:80]!r} is not a number") from None

    def encode(self, value: Value) -> str:
        number = self._parse(value) if isinstance(value, str) else _as_float(value)
        if not math.isfinite(number):
            raise BadValue(f"{value!r} cannot be sent: give a finite number")
        return repr(number).removesuffix(".0")


class BitCodec(Codec):
    """0 or 1."""

    def decode(self, text: str) -> int:
        if text not in ("0", "1"):
            raise BadValue(f"{text[:80]!r} is neither 0 nor 1")
        return int(text)

    def encode(self, value: Value) -> str:
        return str(int(value)) if value in (0, 1) else str(self.decode(str(value)))


class ActionCodec(Codec):
    """Something to trigger: it has no value, any write sends the bare command."""

    def decode(self, text: str) -> int:
        return 0

    def encode(self, value: Value) -> str:
        return ""


class TextCodec(Codec):
    """Text on one line, as it is."""

    def decode(self, text: str) -> str:
        return text

    def encode(self, value: Value) -> str:
        text = str(value)
        if found := _UNSAFE.search(text):
            raise BadValue(f"{text[:80]!r} has a control character at {found.start()}: remove it")
        return text


@dataclass(frozen=True)
class ChoiceCodec(Codec):
    """One of some labels; its value is the index of the label."""

    labels: Sequence[str]

    def decode(self, text: str) -> int:
        try:
            return self.labels.index(text)
        except ValueError:
            raise BadValue(
                f"{text[:80]!r} is not one of the {len(self.labels)} choices {self._some()}"
            ) from None

    def encode(self, value: Value) -> str:
        if isinstance(value, str):
            return self.labels[self.decode(value)]
        return label_at(self.labels, value)

    def _some(self) -> str:
        return ", ".join(self.labels[:5]) + (", ..." if len(self.labels) > 5 else "")


def label_at(labels: Sequence[str], index: float) -> str:
    """The label of that index; `BadValue` if there is none."""
    if not 0 <= index < len(labels) or index != int(index):
        raise BadValue(f"{index!r} is not an index of the {len(labels)} choices")
    return labels[int(index)]


def _as_float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


UINT, INT = IntCodec(0, (1 << 32) - 1), IntCodec(-(1 << 31), (1 << 31) - 1)
FLOAT, TEXT = FloatCodec(), TextCodec()


class CodecName(Enum):
    """The codecs that `kinds` names: what a value is, and so which record serves it."""

    UINT = "uint"
    INT = "int"
    DELAY = "delay"
    POSITION = "position"
    DOUBLE = "double"
    SCALAR = "scalar"
    TIME = "time"
    BIT = "bit"
    ACTION = "action"
    LUT = "lut"
    MUX = "mux"
    TEXT = "text"
    CAPTURE = "capture"
    CHOICE = "choice"
    TABLE = "table"
    RAW = "raw"


# All but CHOICE, which is made for each field from its labels; TABLE, see `tables`; and RAW, which
# only scripts can ask for, see `client.values`.
CODECS: Mapping[CodecName, Codec] = MappingProxyType(
    {
        CodecName.UINT: UINT,
        CodecName.INT: INT,
        CodecName.DELAY: IntCodec(0, INT.high),  # its record has no more bits
        CodecName.POSITION: INT,
        CodecName.DOUBLE: FLOAT,
        CodecName.SCALAR: FLOAT,
        CodecName.TIME: FLOAT,
        CodecName.BIT: BitCodec(),
        CodecName.ACTION: ActionCodec(),
        CodecName.LUT: TEXT,
        CodecName.MUX: TEXT,
        CodecName.TEXT: TEXT,
        CodecName.CAPTURE: TEXT,
    }
)


def codec_for(name: CodecName, labels: Sequence[str] = ()) -> Codec:
    """The codec of that name; choices need their labels."""
    return ChoiceCodec(tuple(labels)) if name is CodecName.CHOICE else CODECS[name]
