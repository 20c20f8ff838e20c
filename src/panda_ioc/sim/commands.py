"""The commands of the control port: a name and perhaps a value in, text out, or CommandError."""

import re
from collections.abc import Callable, Iterable

from panda_ioc.errors import CommandError

from .box import attribute_of
from .captured import KINDS, USUAL
from .fields import Field
from .machine import Machine
from .numbers import CLOCK_FREQUENCY
from .reports import Group, Text
from .table import Table

IDENTITY = "PandA SW: 4.1 FPGA: 3.0.1 00000000 00000000 rootfs: panda-ioc simulator"

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_WILD = "*"


class Commands:
    """Carries out the commands of one connection, which has its own history of changes.

    `connection` stands for the connection where a command is about all others.
    """

    def __init__(self, machine: Machine, connection: object):
        self._machine = machine
        self._box = machine.box
        self._connection = connection
        self._seen = dict.fromkeys(Group, 0)

    # Queries

    def get(self, name: str, rest: str) -> Text:
        """The answer to `name?`; `rest` is what follows the question mark."""
        if rest:
            raise CommandError("Unexpected text after command")
        if name.startswith("*"):
            return self._get_command(name)
        path = _path(name)
        if path[-1] == _WILD:
            return self._listing(path)
        field = self._field(path)
        self._machine.refresh()
        if len(path) == 2:
            return field.get()
        return attribute_of(field, path[2]).get()

    def _field(self, path: list[str]) -> Field:
        if len(path) == 1:
            self._box.instance(path[0])
            raise CommandError("Missing field name")
        return self._box.field(path[0], path[1])

    def _listing(self, path: list[str]) -> list[str]:
        if len(path) == 2:
            fields = self._box.block(path[0]).spec.fields.values()
            return [f"{field.name} {field.index} {field.info}" for field in fields]
        return list(self._box.any_field(path[0], path[1]).attributes)

    def _get_command(self, name: str) -> Text:
        if name.startswith("*ECHO "):
            return name[len("*ECHO ") :]
        word, dot, rest = name[1:].partition(".")
        handler = _GETTERS.get(word)
        if handler is None:
            raise CommandError("Unknown command")
        return handler(self, rest if dot else None)

    def _no_rest(self, rest: str | None) -> None:
        if rest is not None:
            raise CommandError("Unexpected text after command")

    def _get_idn(self, rest: str | None) -> str:
        self._no_rest(rest)
        return IDENTITY

    def _get_clock(self, rest: str | None) -> str:
        self._no_rest(rest)
        return str(CLOCK_FREQUENCY)

    def _get_blocks(self, rest: str | None) -> list[str]:
        self._no_rest(rest)
        return [f"{name} {block.spec.count}" for name, block in self._box.blocks.items()]

    def _get_bits(self, rest: str | None) -> list[str]:
        self._no_rest(rest)
        return [name for _, name in sorted(self._box.bus.bits.items())]

    def _get_positions(self, rest: str | None) -> list[str]:
        self._no_rest(rest)
        return [name for _, name in sorted(self._box.bus.positions.items())]

    def _get_capture(self, rest: str | None) -> list[str]:
        captured = self._box.captured
        if rest is None:
            return [f"{field.name} {field.capture_text()}" for field in captured if field.kinds]
        if rest == _WILD:
            return [field.name for field in captured]
        lists = {"OPTIONS": KINDS, "ENUMS": USUAL}
        if rest not in lists:
            raise CommandError("Invalid *CAPTURE field")
        return list(lists[rest])

    def _get_pcap(self, rest: str | None) -> str:
        getters = {
            "STATUS": self._machine.capture.status,
            "CAPTURED": self._machine.capture.captured,
            "COMPLETION": self._machine.capture.completion,
        }
        if _required(rest) not in getters:
            raise CommandError("Invalid *PCAP field")
        return getters[_required(rest)]()

    def _get_metadata(self, rest: str | None) -> Text:
        if _required(rest) == _WILD:
            return list(self._box.metadata)
        return self._machine.metadata(_required(rest)).get()

    def _get_desc(self, rest: str | None) -> str:
        path = _path(_required(rest))
        if len(path) == 1:
            return self._box.block(path[0]).spec.description
        field = self._box.any_field(path[0], path[1].removesuffix("[]"))
        if len(path) == 2:
            return field.spec.description
        if path[1].endswith("[]"):
            return _table(field).column(path[2]).description
        return attribute_of(field, path[2]).description

    def _get_enums(self, rest: str | None) -> list[str]:
        path = _path(_required(rest))
        if len(path) == 1:
            raise CommandError("Missing field name")
        field = self._box.any_field(path[0], path[1].removesuffix("[]"))
        if len(path) == 2:
            return _labels(field.labels(), "Field")
        if path[1].endswith("[]"):
            return _labels(_table(field).column(path[2]).labels or None, "Sub-field")
        labels = attribute_of(field, path[2]).labels
        return _labels(labels() if labels else None, "Attribute")

    def _get_changes(self, rest: str | None) -> list[str]:
        self._machine.refresh()
        lines: list[str] = []
        for group in _groups(rest):
            seen = self._seen[group]
            items = self._box.items[group]
            lines += [item.line() for item in items if item.stamp > seen or item.error]
        self._forget(_groups(rest))
        return lines

    def _forget(self, groups: Iterable[Group]) -> None:
        now = next(self._box.bus.stamps)
        self._seen.update(dict.fromkeys(groups, now))

    def _get_sim(self, rest: str | None) -> str:
        return self._machine.simulation.get(_required(rest))

    # Assignments

    def put(self, name: str, value: str) -> None:
        """Carry out `name=value`."""
        if name.startswith("*"):
            self._put_command(name, value)
            return
        path = _path(name)
        field = self._field(path)
        if len(path) == 2:
            field.put(value)
        else:
            attribute_of(field, path[2]).write(value)
        self._machine.written(field)

    def _put_command(self, name: str, value: str) -> None:
        word, dot, rest = name[1:].partition(".")
        handler = _PUTTERS.get(word)
        if handler is None:
            known = word in _GETTERS or name.startswith("*ECHO ")
            raise CommandError("Command not writeable" if known else "Unknown command")
        handler(self, rest if dot else None, value)

    def _put_capture(self, rest: str | None, value: str) -> None:
        self._no_rest(rest)
        if value:
            raise CommandError("Unexpected character after input")
        for field in self._box.captured:
            if field.kinds:
                field.attributes["CAPTURE"].write("No")

    def _put_pcap(self, rest: str | None, value: str) -> None:
        actions = {"ARM": self._machine.arm, "DISARM": self._machine.disarm}
        if _required(rest) not in actions:
            raise CommandError("Invalid *PCAP field")
        if value:
            raise CommandError("Unexpected character after input")
        actions[_required(rest)]()

    def _put_metadata(self, rest: str | None, value: str) -> None:
        self._machine.metadata(_required(rest)).put([value], "string")

    def _put_changes(self, rest: str | None, value: str) -> None:
        groups = _groups(rest)
        if value == "S":
            self._seen.update(dict.fromkeys(groups, 0))
        elif value in ("", "E"):
            self._forget(groups)
        else:
            raise CommandError("Invalid start position")

    def _put_sim(self, rest: str | None, value: str) -> None:
        self._machine.simulation.put(_required(rest), value, self._connection)

    def put_table(self, name: str, suffix: str, lines: list[str]) -> None:
        """Carry out `name<suffix` with the lines that came after it."""
        if name.startswith("*"):
            self._put_multiline(name, suffix, lines)
            return
        path = _path(name)
        field = self._field(path)
        if len(path) > 2 or not isinstance(field, Table):
            raise CommandError("Attribute not writeable" if len(path) > 2 else "Not a table")
        field.write(suffix, lines)

    def _put_multiline(self, name: str, suffix: str, lines: list[str]) -> None:
        word, dot, rest = name[1:].partition(".")
        if word != "METADATA":
            raise CommandError("Command is not a table" if word in _GETTERS else "Unknown command")
        if suffix:
            raise CommandError("Unexpected character after input")
        self._machine.metadata(_required(rest if dot else None)).put(lines, "multiline")


_GETTERS: dict[str, Callable[[Commands, str | None], Text]] = {
    "IDN": Commands._get_idn,
    "CLOCK_FREQ": Commands._get_clock,
    "BLOCKS": Commands._get_blocks,
    "BITS": Commands._get_bits,
    "POSITIONS": Commands._get_positions,
    "CAPTURE": Commands._get_capture,
    "PCAP": Commands._get_pcap,
    "METADATA": Commands._get_metadata,
    "DESC": Commands._get_desc,
    "ENUMS": Commands._get_enums,
    "CHANGES": Commands._get_changes,
    "SIM": Commands._get_sim,
}

_PUTTERS: dict[str, Callable[[Commands, str | None, str], None]] = {
    "CAPTURE": Commands._put_capture,
    "PCAP": Commands._put_pcap,
    "METADATA": Commands._put_metadata,
    "CHANGES": Commands._put_changes,
    "SIM": Commands._put_sim,
}


def _path(name: str) -> list[str]:
    """BLOCK.FIELD.ATTR in its one to three parts; `*` only as the last of two or three."""
    parts = name.split(".")
    for place, part in enumerate(parts):
        bare = part.removesuffix("[]") if place == 1 else part
        wild = place in (1, 2) and place == len(parts) - 1 and part == _WILD
        if not wild and not _NAME.fullmatch(bare):
            raise CommandError("No name found")
    if len(parts) > 3:
        raise CommandError("Unexpected text after command")
    return parts


def _required(rest: str | None) -> str:
    if rest is None:
        raise CommandError("Character '.' expected")
    return rest


def _table(field: Field) -> Table:
    if not isinstance(field, Table):
        raise CommandError("Field is not a table")
    return field


def _labels(labels: Iterable[str] | None, what: str) -> list[str]:
    if labels is None:
        raise CommandError(f"{what} is not an enumeration")
    return list(labels)


def _groups(rest: str | None) -> list[Group]:
    if rest is None:
        return list(Group)
    if rest not in Group.__members__:
        raise CommandError("Unknown changes selection")
    return [Group[rest]]
