"""Values of `Put` and `Append` as text of the wire, and comparisons of what holds arrays."""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import fields
from typing import Any, Protocol, TypeGuard

import numpy as np
from numpy.typing import NDArray

from panda_ioc.errors import BadValue


class Scalar(Protocol):
    """What is sent as its text: text, a number, a truth value; Python's own or those of numpy."""

    def __str__(self) -> str: ...


Words = Sequence[str] | Sequence[int] | NDArray[Any]
"""A table as lines of numbers, or as its 32-bit words."""

_TABLES = (list, tuple, range, np.ndarray)
_BASE64_LINE = 192
"""Bytes that go into a line of base64: whole words, and no padding inside."""


def is_words(value: object) -> TypeGuard[Words]:
    """Whether a value is a table, not a scalar (as an array without dimensions is)."""
    return isinstance(value, _TABLES) and getattr(value, "ndim", 1) > 0


def scalar_text(value: object) -> str:
    """The text of a scalar; a truth value is 1 or 0."""
    value = value.item() if isinstance(value, np.ndarray) else value
    return str(int(value) if isinstance(value, bool | np.bool_) else value)


def table_lines(name: str, operator: str, value: Words, as_base64: bool) -> list[str]:
    """The lines of a request that writes a table.

    Args:
        name: of the table, or of multi-line metadata
        operator: "<" to replace it, "<<" to append to it
        value: lines, or words
        as_base64: send words as base64

    Raises:
        BadValue: words that no table can hold
    """
    if as_base64:
        return [f"{name}{operator}B", *_base64_lines(_words(name, value)), ""]
    if isinstance(value, np.ndarray) and value.dtype.kind not in "UO":
        value = _words(name, value)
    return [f"{name}{operator}", *map(scalar_text, value), ""]


def _base64_lines(words: NDArray[Any]) -> Iterator[str]:
    octets = words.astype("<u4").tobytes()
    for start in range(0, len(octets), _BASE64_LINE):
        yield base64.b64encode(octets[start : start + _BASE64_LINE]).decode()


def _words(name: str, value: Words) -> NDArray[Any]:
    is_number = isinstance(value, np.ndarray) and value.dtype.kind not in "UO"
    words = np.asarray(value) if is_number else _numbers(name, value)
    if words.ndim != 1 or words.dtype.kind not in "iu":
        raise BadValue(
            f"{name}: a table is a row of whole numbers, not {words.dtype} {words.shape}"
        )
    if words.size and not (words.min() >= 0 and words.max() < 1 << 32):
        raise BadValue(f"{name}: the words of a table are 0 ... 4294967295")
    return words


def _numbers(name: str, lines: Words) -> NDArray[Any]:
    try:
        return np.array(" ".join(map(scalar_text, lines)).split(), dtype=np.int64)
    except (ValueError, OverflowError) as error:
        raise BadValue(f"{name}: a table is made of whole numbers: {error}") from error


def same_fields(one: Any, other: Any) -> bool:
    """The `==` of dataclasses of which a field may hold an array."""
    if type(one) is not type(other):
        return NotImplemented  # type: ignore[no-any-return]
    names = [each.name for each in fields(one) if each.compare]
    return all(is_same(getattr(one, name), getattr(other, name)) for name in names)


def is_same(one: Any, other: Any) -> bool:
    """Whether two values are equal: arrays in type, shape and all elements. Never raises."""
    if one is other:
        return True
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return bool(one.dtype == other.dtype and np.array_equal(one, other))
    if isinstance(one, np.ndarray):  # its own == would ask each element
        one, other = other, one
    try:
        return bool(np.all(one == other))
    except Exception:  # whatever the == of somebody else's class raises
        return False
