"""What the name of a command stands for: block, field, attribute, or a list of these.

    BLOCK [number] [ "." ( "*" | FIELD [ "." ( "*" | ATTRIBUTE ) ] ) ]

Names are looked up while they are read, so that the first that is wrong is the one told.
"""

from dataclasses import dataclass

from panda_ioc.errors import CommandError
from panda_ioc.sim.fields import SimField
from panda_ioc.sim.reports import Attribute
from panda_ioc.sim.scan import Cursor
from panda_ioc.sim.state import BlockState, PandAState

WILD = "*"


@dataclass(frozen=True)
class Entity:
    """What a name stands for.

    Attributes:
        block: the block, of which `instance` counts from 0
        instance: the instance that was named, the first if none was
        field: the field of that instance, None for all of the block
        attribute: the attribute of the field
        listing: whether the name ends in `*`
    """

    block: BlockState
    instance: int
    field: SimField | None = None
    attribute: Attribute | None = None
    listing: bool = False


def read_entity(state: PandAState, name: Cursor, *, common: bool = False) -> Entity:
    """Read a name up to where it ends or makes no more sense.

    Args:
        state: where to look names up
        name: what is read
        common: for what all instances have in common: any of them will do, but no list

    Raises:
        CommandError: with the server's words, if there is nothing of that name
    """
    block, number = _block(state, name)
    if not name.accept("."):
        return Entity(block, number or 0)
    if not common and name.accept(WILD):
        return Entity(block, number or 0, listing=True)
    field = _field(block, number or 0, name)
    has_number = common or number is not None or block.spec.count == 1
    if not name.accept("."):
        _check_number(has_number)
        return Entity(block, number or 0, field)
    if not common and name.accept(WILD):
        return Entity(block, number or 0, field, listing=True)
    _check_number(has_number)
    return Entity(block, number or 0, field, _attribute(field, name))


def _block(state: PandAState, name: Cursor) -> tuple[BlockState, int | None]:
    """Return the block, and the place of its instance if a number was given."""
    full = name.alphanumeric()
    end = _end_of_name(state, full)
    name.back(len(full) - end)
    if full[:end] not in state.blocks:
        raise CommandError("No such block")
    block = state.blocks[full[:end]]
    if not name.peek().isdecimal():
        return block, None
    number = name.unsigned()
    if not 0 < number <= block.spec.count:
        raise CommandError("Invalid block number")
    return block, number - 1


def _end_of_name(state: PandAState, full: str) -> int:
    """Return where the number begins: after the last character that is no digit.

    Unless there is no such block: a real server knows none whose name ends in a digit.
    """
    shortest = len(full.rstrip("0123456789"))
    ends = [shortest, *range(len(full), shortest, -1)]
    return next((end for end in ends if full[:end] in state.blocks), shortest)


def _field(block: BlockState, instance: int, name: Cursor) -> SimField:
    field = block.instances[instance].get(name.alphanumeric())
    if field is None:
        raise CommandError("No such field")
    return field


def _check_number(has_number: bool) -> None:
    if not has_number:
        raise CommandError("Missing block number")


def _attribute(field: SimField, name: Cursor) -> Attribute:
    attribute = field.attributes.get(name.name())
    if attribute is None:
        raise CommandError("No such attribute")
    return attribute
