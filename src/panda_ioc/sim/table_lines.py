"""The lines of a table that is written: numbers, or base64."""

import re

import numpy as np
import numpy.typing as npt

from panda_ioc.errors import CommandError
from panda_ioc.sim.scan import UINT32_MAX, Cursor

Words = npt.NDArray[np.uint32]

# Decimal numbers without sign or leading 0: read far faster than what C might take.
_PLAIN = re.compile(r" *(?:0|[1-9][0-9]{0,17})(?: +(?:0|[1-9][0-9]{0,17}))*", re.ASCII)
_CODES = np.full(256, 0xFF, np.uint8)
_CODES[list(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")] = range(64)


def words_of_numbers(line: str, room: int) -> Words:
    """Return the numbers of a line, which must fit into so many words."""
    plain = _PLAIN.fullmatch(line)
    numbers = [int(text) for text in line.split()] if plain else []
    if plain and len(numbers) <= room:
        return _words(numbers)
    numbers, cursor = [], Cursor(line)
    while cursor.rest:
        if len(numbers) == room:
            raise CommandError("Too many points for table")
        numbers.append(cursor.unsigned())
    return _words(numbers)


def _words(numbers: list[int]) -> Words:
    return (np.array(numbers, np.uint64) & np.uint64(UINT32_MAX)).astype("<u4")


def words_of_base64(line: str, room: int) -> Words:
    """Return the words of a line of base64, which is whole words by itself."""
    text = line.encode(errors="surrogateescape")
    if len(text) % 4 == 0:
        text = text[:-2] + text[-2:].removesuffix(b"=").removesuffix(b"=")
    size = len(text) * 6 // 8
    if size > 4 * room:
        raise CommandError("Input string too long for output buffer")
    codes = _CODES[np.frombuffer(text, np.uint8)]
    if len(text) % 4 == 1 or (codes == 0xFF).any():
        raise CommandError("Malformed base64 string")
    if size % 4:
        raise CommandError("Invalid data length")
    bits = np.unpackbits(codes.reshape(-1, 1), axis=1)[:, 2:]
    return np.packbits(bits.reshape(-1)[: 8 * size]).view("<u4")
