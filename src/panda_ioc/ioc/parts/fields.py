"""Fields and attributes: a link for each record that shows one, and perhaps sets it."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from panda_ioc.ioc.epics.record import Record
from panda_ioc.ioc.panda.connection import Connection
from panda_ioc.ioc.panda.news import Board
from panda_ioc.ioc.parts.base import Part, PutHandler
from panda_ioc.ioc.parts.choices import is_index
from panda_ioc.ioc.parts.links import Link, PulseLink, ScaledLink, UnitsFollower
from panda_ioc.records.specs import RecordSpec


class Fields(Part):
    """All fields and attributes that a record shows as they are.

    Args:
        specs: of all records
        connection: to the PandA
    """

    def __init__(self, specs: Sequence[RecordSpec], connection: Connection) -> None:
        self._specs = specs
        self._connection = connection
        self._links = {
            spec.name: self._link(spec) for spec in specs if spec.wire and not is_index(spec)
        }

    def on_put(self) -> Mapping[str, PutHandler]:
        """What to do about puts, by record."""
        return {
            name: link.handler()
            for name, link in self._links.items()
            if isinstance(link, Link) and link.spec.writable
        }

    def attach(self, records: Mapping[str, Record], board: Board) -> None:
        """Bind to the records and follow the PandA."""
        for name, link in self._links.items():
            link.record = records[name]
            board.add(link, link.wires)
        for units, specs in _by_units(self._specs).items():
            board.add(
                UnitsFollower(
                    [records[spec.name] for spec in specs], partial(self._recheck, specs)
                ),
                [units],
            )

    def _link(self, spec: RecordSpec) -> Link | ScaledLink:
        if spec.scaled_by:
            return ScaledLink(spec)
        kind = PulseLink if spec.rtype == "bi" else Link
        return kind(spec, self._connection)

    def _recheck(self, specs: Iterable[RecordSpec]) -> None:
        """Ask for values that have changed with their units."""
        for spec in specs:
            if spec.wire and not spec.scaled_by:
                self._connection.recheck(spec.wire)


def _by_units(specs: Iterable[RecordSpec]) -> Mapping[str, list[RecordSpec]]:
    """Return the records whose EGU follows a unit, by the wire name of the unit."""
    found: dict[str, list[RecordSpec]] = {}
    for spec in specs:
        if spec.units_from:
            found.setdefault(spec.units_from, []).append(spec)
    return found
