"""Shows, for each mux, the value of what it is wired to."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from panda_ioc.client.changes import Batch
from panda_ioc.device.model import Device
from panda_ioc.ioc.epics.alarms import DISCONNECTED, INVALID, READ, UNREADABLE, Alarm
from panda_ioc.ioc.epics.record import Record
from panda_ioc.ioc.panda.news import Board, Follower
from panda_ioc.ioc.parts.base import Part
from panda_ioc.records.sources import CONSTANTS, muxes, source_name


class Sources(Part, Follower):
    """Follows all muxes and everything they can be wired to.

    One follower for all: a bit that changes then costs one look-up, not one for each mux.
    """

    def __init__(self, device: Device) -> None:
        self._names = {field.wire: source_name(field) for field in muxes(device)}
        outputs = ("bit_out", "pos_out")
        sources = (f.wire for f in device.fields.values() if f.info.type in outputs)
        self._wires: tuple[str, ...] = (*self._names, *sources)
        self._records: Mapping[str, Record] = {}
        self._wired: dict[str, str] = {}  # mux -> source
        self._followers: dict[str, set[str]] = defaultdict(set)  # source -> muxes
        self._texts: dict[str, str] = dict(CONSTANTS)
        self._is_complete = False  # all sources that can be read have been

    def attach(self, records: Mapping[str, Record], board: Board) -> None:
        """Bind to the records and follow muxes and sources."""
        self._records = {wire: records[name] for wire, name in self._names.items()}
        board.add(self, self._wires)

    def from_device(self, wire: str, text: str, batch: Batch) -> None:
        """Apply a new wiring of a mux or a new value of a source."""
        if wire in self._names:
            self._unwire(wire)
            self._wired[wire] = text
            self._followers[text].add(wire)
            self._show([wire], text, batch.time)
        elif self._texts.get(wire) != text:
            self._texts[wire] = text
            self._show(self._followers.get(wire, ()), wire, batch.time)

    def in_error(self, wire: str) -> None:
        """Mark a mux or source as not readable."""
        if wire in self._names:
            self._unwire(wire)
            self._unknown([wire], UNREADABLE)
        elif self._texts.pop(wire, None) is not None:
            self._unknown(self._followers.get(wire, ()), UNREADABLE)

    def connected(self) -> None:
        """Show which sources the PandA does not tell."""
        self._is_complete = True
        for mux, source in self._wired.items():
            if source not in self._texts:
                self._unknown([mux], _not_known(source))

    def stale(self) -> None:
        """Mark all sources as unknown."""
        self._is_complete = False
        self._wired.clear()
        self._followers.clear()
        self._texts = dict(CONSTANTS)
        self._unknown(self._records, DISCONNECTED)

    def _unwire(self, mux: str) -> None:
        source = self._wired.pop(mux, None)
        if source is not None:
            self._followers[source].discard(mux)

    def _show(self, muxes: Iterable[str], source: str, stamp: float) -> None:
        if source not in self._texts and not self._is_complete:
            return  # it may come later in the same batch
        try:
            value = int(self._texts[source])
        except (KeyError, ValueError):
            self._unknown(muxes, _not_known(source))
            return
        for mux in muxes:
            self._records[mux].post(value, stamp=stamp)

    def _unknown(self, muxes: Iterable[str], alarm: Alarm) -> None:
        for mux in muxes:
            self._records[mux].post(None, alarm)


def _not_known(source: str) -> Alarm:
    return Alarm(INVALID, READ, f"{source} is not known")
