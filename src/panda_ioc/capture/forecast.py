"""A forecast of what would be captured if the PandA were armed now."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import numpy as np

from panda_ioc.capture.datasets import BitNames, Dataset, datasets_of
from panda_ioc.capture.scaling import DURATION, columns_of
from panda_ioc.protocol.responses import INT96, FieldCapture, StartData

# A sample holds a duration that the server adds, words of bits, values of 32 bits, of 64 bits, sums
# for means, and for each standard deviation a sum and a sum of squares, in this order (seen in
# headers of a server 4.1). In each group the order is that of *CAPTURE.*?.
_ADDED, _BITS, _WORD, _LONG, _MEAN, _SQUARES = range(6)
_GROUPS = {"Sum": _LONG, "Mean": _MEAN, "StdDev": _SQUARES}
_TIMES = ("TS_START", "TS_END", "TS_TRIG")


def forecast(
    lines: Iterable[str],
    order: Sequence[str],
    words: Collection[str],
    names: Mapping[str, str],
    bits: BitNames,
) -> tuple[Dataset, ...]:
    """Return the datasets that a file would hold, in the order of the header to come.

    Args:
        lines: answer to ``*CAPTURE?``: ``FIELD KIND KIND ...`` each
        order: answer to ``*CAPTURE.*?``: the fields in the order of the hardware
        words: fields that are words of bits: PCAP.BITS0 ...
        names, bits: as for `datasets_of`

    Raises:
        CaptureError: as `datasets_of`
    """
    kinds: dict[str, list[str]] = {}
    for field, *found in filter(None, map(str.split, lines)):
        kinds.setdefault(field, []).extend(found or ["Value"])
    place = {field: number for number, field in enumerate(order)}
    fields = sorted(
        _fields(kinds, words), key=lambda pair: (pair[0], place.get(pair[1].name, len(place)))
    )
    start = StartData([field for _, field in fields], 0, "Raw", "Framed", 0, None, None, None)
    return datasets_of(columns_of(start), names, bits)


def _fields(
    kinds: Mapping[str, Sequence[str]], words: Collection[str]
) -> Iterator[tuple[int, FieldCapture]]:
    """Return the columns with their groups.

    In raw mode the server adds what means and standard deviations are computed with.
    """
    for name, found in kinds.items():
        pair = ("Mean", "StdDev") if "StdDev" in found else ()
        for kind in (*(kind for kind in found if kind not in pair), *pair):
            group = _SQUARES if kind in pair else _group(name, kind, words)
            yield group, _field(name, kind, words)
    name, _, kind = DURATION.rpartition(".")
    if name not in kinds and _needs_duration(kinds.values()):
        yield _ADDED, _field(name, kind, words)


def _needs_duration(kinds: Iterable[Collection[str]]) -> bool:
    return any(kind in found for found in kinds for kind in ("Mean", "StdDev"))


def _field(name: str, kind: str, words: Collection[str]) -> FieldCapture:
    if name in words:
        return FieldCapture(name, np.dtype("uint32"), kind)
    raw = INT96 if kind == "StdDev" else np.dtype("int64" if kind in _GROUPS else "int32")
    return FieldCapture(name, raw, kind, 1.0, 0.0, "")


def _group(name: str, kind: str, words: Collection[str]) -> int:
    if name in words:
        return _BITS
    if name.rpartition(".")[2] in _TIMES:
        return _LONG
    return _GROUPS.get(kind, _WORD)
