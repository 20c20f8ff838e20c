"""The system commands of the control port: those whose names begin with `*`."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from panda_ioc.errors import CommandError
from panda_ioc.sim.captured import KINDS, USUAL
from panda_ioc.sim.entities import WILD, Entity, read_entity
from panda_ioc.sim.machine import Machine
from panda_ioc.sim.numbers import CLOCK_FREQUENCY
from panda_ioc.sim.reports import Group, Lines, Text
from panda_ioc.sim.scan import Cursor
from panda_ioc.sim.simulation import Simulation
from panda_ioc.sim.state import Metadata
from panda_ioc.sim.table import Form, TableState

IDENTITY = "PandA SW: 4.1 FPGA: 3.0.1 00000000 00000000 rootfs: panda-ioc simulator"


class System:
    """Carries out the system commands of one connection.

    Args:
        machine: what the commands are for
        connection: stands for the connection where a command is about all others
    """

    def __init__(self, machine: Machine, connection: object) -> None:
        self._machine = machine
        self._state = machine.state
        self._connection = connection
        self._simulation = Simulation(machine)
        self._seen = dict.fromkeys(Group, 0)

    def get(self, name: str) -> Text:
        """Return the answer to `*name?`."""
        command, rest = _command(name)
        if command.get is None:
            raise CommandError("Command not readable")
        return command.get(self, rest)

    def put(self, name: str, value: str) -> None:
        """Carry out `*name=value`."""
        command, rest = _command(name)
        if command.put is None:
            raise CommandError("Command not writeable")
        command.put(self, rest, value)

    def writer(self, name: str, form: Form) -> Lines:
        """Begin `*name<`, and return what takes the lines that come after it."""
        command, rest = _command(name)
        if command is not _COMMANDS["METADATA"]:
            raise CommandError("Not a table")
        if form.streaming:
            raise CommandError("Streaming mode not supported")
        if form.binary:
            raise CommandError("Binary writes not supported")
        return self._metadata(rest).writer()

    # Queries

    def _get_idn(self, rest: Cursor) -> str:
        return IDENTITY

    def _get_echo(self, rest: Cursor) -> str:
        rest.expect(" ")
        return rest.whole()

    def _get_clock(self, rest: Cursor) -> str:
        return str(CLOCK_FREQUENCY)

    def _get_who(self, rest: Cursor) -> list[str]:
        return self._machine.visitors.lines()

    def _get_blocks(self, rest: Cursor) -> list[str]:
        return [f"{name} {block.spec.count}" for name, block in self._state.blocks.items()]

    def _get_bits(self, rest: Cursor) -> list[str]:
        return [name for _, name in sorted(self._state.bus.bits.items())]

    def _get_positions(self, rest: Cursor) -> list[str]:
        return [name for _, name in sorted(self._state.bus.positions.items())]

    def _get_capture(self, rest: Cursor) -> list[str]:
        captured = self._state.captured
        if not rest.accept("."):
            rest.end()
            return [f"{field.name} {field.capture_text()}" for field in captured if field.kinds]
        if rest.accept(WILD):
            rest.end()
            return [field.name for field in captured]
        name = rest.name()
        rest.end()
        if name not in _CAPTURE_LISTS:
            raise CommandError("Invalid *CAPTURE option")
        return list(_CAPTURE_LISTS[name])

    def _get_pcap(self, rest: Cursor) -> str:
        capture = self._machine.capture
        getters = {
            "STATUS": capture.status,
            "CAPTURED": capture.captured,
            "COMPLETION": capture.completion,
        }
        rest.expect(".")
        getter = getters.get(rest.name())
        if getter is None:
            raise CommandError("Invalid *PCAP field")
        return getter()

    def _metadata(self, rest: Cursor) -> Metadata:
        rest.expect(".")
        key = rest.alphanumeric()
        rest.end()
        return self._machine.metadata(key)

    def _get_metadata(self, rest: Cursor) -> Text:
        if rest.accept(f".{WILD}"):
            rest.end()
            return list(self._state.metadata)
        return self._metadata(rest).get()

    def _described(self, rest: Cursor) -> tuple[Entity, TableState | None, str]:
        """Return what is described, or the table and the name of its column."""
        rest.expect(".")
        entity = read_entity(self._state, rest, common=True)
        if not entity.field or entity.attribute or rest.peek() != "[":
            rest.end()
            return entity, None, ""
        for character in "[].":
            rest.expect(character)
        name = rest.alphanumeric()
        if not isinstance(entity.field, TableState):
            raise CommandError("Field is not a table")
        entity.field.column(name)
        rest.end()
        return entity, entity.field, name

    def _get_desc(self, rest: Cursor) -> str:
        entity, table, column = self._described(rest)
        if table:
            return _present(table.column(column).description, "No description for table sub-field")
        if entity.attribute:
            return entity.attribute.description
        if entity.field:
            return _present(entity.field.spec.description, "No description set for field")
        return _present(entity.block.spec.description, "No description set for block")

    def _get_enums(self, rest: Cursor) -> list[str]:
        entity, table, column = self._described(rest)
        if table:
            return _labels(table.column(column).labels or None, "Table sub-field")
        if entity.field is None:
            raise CommandError("Missing field name")
        if entity.attribute:
            labels = entity.attribute.labels
            return _labels(labels() if labels else None, "Attribute")
        return _labels(entity.field.labels(), "Field")

    # Changes

    def _get_changes(self, rest: Cursor) -> list[str]:
        groups = _groups(rest)
        self._machine.refresh()
        lines: list[str] = []
        for group in groups:
            seen = self._seen[group]
            items = self._state.items[group]
            lines += [item.line() for item in items if item.stamp > seen or item.error]
        self._forget(groups)
        return lines

    def _forget(self, groups: Iterable[Group]) -> None:
        now = next(self._state.bus.stamps)
        self._seen.update(dict.fromkeys(groups, now))

    def _put_changes(self, rest: Cursor, value: str) -> None:
        groups = _groups(rest)
        cursor = Cursor(value)
        from_start = not cursor.accept("E") and cursor.accept("S")
        if value[:1] not in ("", "E", "S"):
            raise CommandError("Invalid reset option")
        cursor.end()
        if from_start:
            self._seen.update(dict.fromkeys(groups, 0))
        else:
            self._forget(groups)

    # Other assignments

    def _put_capture(self, rest: Cursor, value: str) -> None:
        rest.end()
        Cursor(value).end()
        for field in self._state.captured:
            field.forget()

    def _put_pcap(self, rest: Cursor, value: str) -> None:
        actions = {"ARM": self._machine.arm, "DISARM": self._machine.disarm}
        rest.expect(".")
        name = rest.name()
        Cursor(value).end()
        if name not in actions:
            raise CommandError("Invalid *PCAP field")
        actions[name]()

    def _put_metadata(self, rest: Cursor, value: str) -> None:
        rest.expect(".")
        key = rest.alphanumeric()
        rest.end()
        text = Cursor(value).utf8()
        self._machine.metadata(key).put(text)

    def _put_verbose(self, rest: Cursor, value: str) -> None:
        cursor = Cursor(value)
        verbose = cursor.unsigned()
        cursor.end()
        self._machine.verbose = verbose != 0

    def _put_savestate(self, rest: Cursor, value: str) -> None:
        Cursor(value).end()
        self._machine.save()

    def _get_sim(self, rest: Cursor) -> str:
        rest.expect(".")
        return self._simulation.get(rest.whole())

    def _put_sim(self, rest: Cursor, value: str) -> None:
        rest.expect(".")
        self._simulation.put(rest.whole(), value, self._connection)


@dataclass(frozen=True)
class _Command:
    """One system command; `more` tells whether its name may go on."""

    get: Callable[[System, Cursor], Text] | None = None
    put: Callable[[System, Cursor, str], None] | None = None
    more: bool = False


_COMMANDS = {
    "IDN": _Command(System._get_idn),
    "METADATA": _Command(System._get_metadata, System._put_metadata, more=True),
    "BLOCKS": _Command(System._get_blocks),
    "ECHO": _Command(System._get_echo, more=True),
    "WHO": _Command(System._get_who),
    "CHANGES": _Command(System._get_changes, System._put_changes, more=True),
    "DESC": _Command(System._get_desc, more=True),
    "CAPTURE": _Command(System._get_capture, System._put_capture, more=True),
    "POSITIONS": _Command(System._get_positions),
    "BITS": _Command(System._get_bits),
    "VERBOSE": _Command(put=System._put_verbose),
    "ENUMS": _Command(System._get_enums, more=True),
    "PCAP": _Command(System._get_pcap, System._put_pcap, more=True),
    "SAVESTATE": _Command(put=System._put_savestate),
    "CLOCK_FREQ": _Command(System._get_clock),
    "SIM": _Command(System._get_sim, System._put_sim, more=True),
}
_CAPTURE_LISTS: dict[str, Sequence[str]] = {"OPTIONS": KINDS, "ENUMS": USUAL}


def _command(name: str) -> tuple[_Command, Cursor]:
    cursor = Cursor(name)
    word = cursor.name()
    if word not in _COMMANDS:
        raise CommandError("Unknown command")
    if not _COMMANDS[word].more:
        cursor.end()
    return _COMMANDS[word], cursor


def _present(description: str, missing: str) -> str:
    if not description:
        raise CommandError(missing)
    return description


def _labels(labels: Iterable[str] | None, what: str) -> list[str]:
    if labels is None:
        raise CommandError(f"{what} is not an enumeration")
    return list(labels)


def _groups(rest: Cursor) -> list[Group]:
    groups = list(Group)
    if rest.accept("."):
        name = rest.name()
        if name not in Group.__members__:
            raise CommandError("Unknown changes selection")
        groups = [Group[name]]
    rest.end()
    return groups
