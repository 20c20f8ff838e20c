"""The commands of the control port: a name and perhaps a value in, text out, or CommandError.

Names that begin with `*` are for `system`, all others for blocks, fields and attributes.
"""

from panda_ioc.errors import CommandError
from panda_ioc.sim.entities import Entity, read_entity
from panda_ioc.sim.fields import SimField
from panda_ioc.sim.machine import Machine
from panda_ioc.sim.reports import Lines, Text, too_long
from panda_ioc.sim.scan import Cursor
from panda_ioc.sim.system import System
from panda_ioc.sim.table import Form, TableState


class Commands:
    """Carries out the commands of one connection, which has its own history of changes.

    Args:
        machine: what the commands are for
        connection: stands for the connection where a command is about all others
    """

    def __init__(self, machine: Machine, connection: object) -> None:
        self._machine = machine
        self._system = System(machine, connection)

    def get(self, name: str, rest: str) -> Text:
        """Return the answer to `name?`; `rest` is what follows the question mark."""
        if rest:
            raise CommandError("Unexpected text after command")
        answer = self._system.get(name[1:]) if name.startswith("*") else self._get(name)
        if isinstance(answer, str) and too_long(answer):
            raise CommandError("Result too long")
        return answer

    def _get(self, name: str) -> Text:
        entity = self._entity(name)
        if entity.listing:
            return _listing(entity)
        field = _field(entity)
        self._machine.refresh()
        return entity.attribute.get() if entity.attribute else field.get()

    def _entity(self, name: str) -> Entity:
        cursor = Cursor(name)
        entity = read_entity(self._machine.state, cursor)
        cursor.end()
        return entity

    def put(self, name: str, value: str) -> None:
        """Carry out `name=value`."""
        if name.startswith("*"):
            self._system.put(name[1:], value)
            return
        entity = self._entity(name)
        if entity.listing:
            raise CommandError("Field not writeable")
        field = _field(entity)
        if entity.attribute:
            entity.attribute.write(value)
        else:
            field.put(value)
        self._machine.written(field, entity.attribute)

    def writer(self, name: str, suffix: str) -> Lines:
        """Begin `name<suffix`, and return what takes the lines that come after it."""
        form = _form(suffix)
        if name.startswith("*"):
            return self._system.writer(name[1:], form)
        entity = self._entity(name)
        if entity.listing or entity.attribute:
            raise CommandError("Field not a table")
        field = _field(entity)
        if not isinstance(field, TableState):
            raise CommandError("Field is not a table")
        return field.writer(form)


def _field(entity: Entity) -> SimField:
    if entity.field is None:
        raise CommandError("Missing field name")
    return entity.field


def _listing(entity: Entity) -> list[str]:
    if entity.field:
        return list(entity.field.attributes)
    fields = entity.block.spec.fields.values()
    return [f"{field.name} {field.index} {field.info}" for field in fields]


def _form(suffix: str) -> Form:
    cursor = Cursor(suffix)
    streaming = cursor.accept("<")
    form = Form(streaming, streaming and cursor.accept("|"), cursor.accept("B"))
    cursor.end()
    return form
