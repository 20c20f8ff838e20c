"""Completion of what has been typed."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

from panda_ioc.client.values import CaptureCodec, Node, field_node
from panda_ioc.device.model import Device
from panda_ioc.protocol.commands import ChangeGroup

WORDS = ("help", "quit", "watch ")

_STARS = (
    *("*IDN?", "*ECHO ", "*BLOCKS?", "*BITS?", "*POSITIONS?", "*DESC.", "*ENUMS.", "*METADATA."),
    *("*CAPTURE?", "*CAPTURE=", "*CAPTURE.*?", "*CAPTURE.OPTIONS?", "*CAPTURE.ENUMS?"),
    *("*PCAP.ARM=", "*PCAP.DISARM=", "*PCAP.STATUS?", "*PCAP.CAPTURED?", "*PCAP.COMPLETION?"),
    *(f"*CHANGES{group.value}?" for group in ChangeGroup),
    *(f"*CHANGES{group.value}=" for group in ChangeGroup),
)


class Completer:
    """Completes lines for one device."""

    def __init__(self, device: Device) -> None:
        self._device = device

    def lines(self, line: str) -> list[str]:
        """Return completions of this line, each up to the next dot or the end of a name."""
        name, equals, value = line.partition("=")
        if equals:
            return [f"{name}={each}" for each in self._values(name, value)]
        start, space, last = line.rpartition(" ")
        if space:
            return self._arguments(start, last)
        return sorted({*self._words(line), *self._names(line)})

    def _arguments(self, start: str, last: str) -> list[str]:
        if start.split()[:1] != ["watch"]:
            return []
        return [f"{start} {name}" for name in sorted(set(self._names(last)))]

    def _words(self, line: str) -> Iterator[str]:
        for star in ("*DESC.", "*ENUMS."):
            if line.startswith(star):
                yield from (f"{star}{name}" for name in self._names(line.removeprefix(star)))
        keys = (f"*METADATA.{key}" for key in self._device.metadata)
        yield from _beginning_with(line, [*WORDS, *_STARS, *keys] if line else WORDS)

    def _names(self, text: str) -> Iterator[str]:
        """Yield names of blocks, then of fields, then of attributes."""
        depth = text.count(".")
        if depth == 0:
            yield from (f"{name}." for name in _beginning_with(text, self._blocks))
        elif depth == 1:
            yield from _beginning_with(text, self._blocks.get(text.partition(".")[0], {}))
        elif depth == 2:
            node = self._node(text.rpartition(".")[0])
            names = (each.wire for each in node.attributes.values()) if node else ()
            yield from _beginning_with(text, names)

    @cached_property
    def _blocks(self) -> Mapping[str, Mapping[str, Node]]:
        return {
            block.wire: {field.wire: field_node(self._device, field) for field in block.fields}
            for block in self._device.blocks
        }

    def _node(self, name: str) -> Node | None:
        block, *_ = parts = name.split(".")
        node = self._blocks.get(block, {}).get(".".join(parts[:2]))
        return node.attributes.get(parts[2]) if node and len(parts) == 3 else node

    def _values(self, name: str, value: str) -> list[str]:
        node = self._node(name)
        if node is None:
            return []
        before, space, last = value.rpartition(" ")
        if isinstance(node.codec, CaptureCodec) and space:
            given = before.split()
            return [f"{before} {o}" for o in _beginning_with(last, node.choices) if o not in given]
        return list(_beginning_with(value, node.choices))


def _beginning_with(text: str, words: Iterable[str]) -> Iterator[str]:
    return (word for word in words if word.startswith(text))
