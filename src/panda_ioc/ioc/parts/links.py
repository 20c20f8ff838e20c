"""Links: one joins a field or attribute of the PandA to one record.

    device -> PV    change feed -> Board.show -> link.from_device -> record
    PV -> device    record -> Puts -> link.put -> Connection.put -> OK, or the put is refused

A link remembers the text that the device last gave. The same text again is no news; another text
is, whether somebody else changed the field or the device rounded what was put. What cannot be shown
because a put is under way is asked for again: whatever happens to the put, the PandA has the last
word.
"""

import logging
import math
from collections.abc import Callable

from panda_ioc.client.changes import Batch
from panda_ioc.device.codecs import FLOAT, ChoiceCodec, Codec, Value
from panda_ioc.errors import BadValue, CommandError, ConnectionLost
from panda_ioc.ioc.epics.alarms import (
    DISCONNECTED,
    INVALID,
    MAJOR,
    MINOR,
    NO_ALARM,
    READ,
    STATE,
    UNDEFINED,
    UNREADABLE,
    Alarm,
)
from panda_ioc.ioc.epics.record import Record
from panda_ioc.ioc.panda.connection import Connection
from panda_ioc.ioc.panda.news import Follower
from panda_ioc.ioc.parts.base import PutHandler
from panda_ioc.protocol.commands import GetLine, Put
from panda_ioc.records import limits
from panda_ioc.records.fields import precision, scaled_precision
from panda_ioc.records.specs import RecordSpec, Settle

log = logging.getLogger(__name__)

# What shows that the PandA has none of the choices: EPICS has 65535 for a state.
_NO_CHOICE = {"mbbi": 65535, "mbbo": 65535, "bi": 65535, "bo": 65535, "longin": -1, "longout": -1}


class Link(Follower):
    """One field or attribute and one record that shows it and perhaps sets it."""

    def __init__(self, spec: RecordSpec, connection: Connection) -> None:
        self.spec = spec
        self.wires = (spec.wire,)
        self.record: Record
        self._wire = spec.wire
        self._connection = connection
        self._codec: Codec = _codec(spec)
        self._last: str | None = None  # text that the record shows; None: it shows none
        self._value: Value | None = None
        self._alarm = UNDEFINED  # why it shows none
        self._is_cut = False
        self._is_odd = False
        self._trusted_from = 0  # what was asked for earlier may be older than the last put

    # -- device -> PV ---------------------------------------------------------------------------

    def from_device(self, wire: str, text: str, batch: Batch) -> None:
        """Show a text of the PandA."""
        if text == self._last:
            return
        if batch.number < self._trusted_from:
            self._connection.recheck(self._wire)
        else:
            self._show(text, batch.time)

    def in_error(self, wire: str) -> None:
        """Mark the value as not readable."""
        self._invalid(UNREADABLE)

    def stale(self) -> None:
        """Mark the value as not known."""
        self._invalid(DISCONNECTED)

    def connected(self) -> None:
        """Mark the value as unreadable if the PandA has told nothing of it."""
        if self.spec.readable:
            return
        if self.record.post(None):
            self._alarm = NO_ALARM
        else:
            self._connection.later(self._wire, self.connected)

    def _invalid(self, alarm: Alarm) -> None:
        self._last = None
        if self._alarm != alarm and self.record.post(None, alarm):
            self._alarm = alarm

    def _show(self, text: str, stamp: float) -> None:
        try:
            value: Value = self._codec.decode(text)
        except BadValue as error:
            self._show_unknown(text, error, stamp)
            return
        if self.record.post(value, self._judge(text, value), stamp):
            self._shown(text, value)
        else:
            self._connection.recheck_later(self._wire)

    def _judge(self, text: str, value: Value) -> Alarm:
        """Return the alarm with which to show a value."""
        if self.spec.good not in ("", text):
            return Alarm(MAJOR, STATE, limits.cut(text, limits.STRING))
        return self._cut(value)

    def _cut(self, value: Value) -> Alarm:
        """Return the alarm of a text that is longer than the record; log it once."""
        if not isinstance(value, str) or limits.fits(value, self.record.text_size):
            return NO_ALARM
        if not self._is_cut:
            log.warning("%s: cut to %d bytes: %s", self.record.name, self.record.text_size, value)
        self._is_cut = True
        return Alarm(MINOR, READ, f"cut; whole in {self.spec.name}:LONG")

    def _shown(self, text: str, value: Value | None) -> None:
        self._last, self._value, self._alarm = text, value, NO_ALARM

    def _show_unknown(self, text: str, error: BadValue, stamp: float) -> None:
        """Show that the PandA holds a text that this kind of record cannot show."""
        is_choice = isinstance(self._codec, ChoiceCodec)
        if not is_choice and not self._is_odd:
            log.warning("%s: cannot be shown: %s", self.record.name, error)
            self._is_odd = True
        alarm = Alarm(
            MAJOR if is_choice else INVALID,
            STATE if is_choice else READ,
            limits.cut(text, limits.STRING),
        )
        none = _NO_CHOICE.get(self.spec.rtype) if is_choice else None
        if self.record.post(none, alarm, stamp):
            self._shown(text, self._value if none is None else none)
        else:
            self._connection.recheck_later(self._wire)

    # -- PV -> device ---------------------------------------------------------------------------

    def handler(self) -> PutHandler:
        """What to do about puts to the record."""
        return PutHandler(self.put, lambda: self._value)

    async def put(self, value: Value) -> Value | None:
        """Send what a client has put; return what the record should show, None for that."""
        try:
            text = self._codec.encode(value)
            self._check_whole(text)
            text = await self._answer(Put(self._wire, text), text)
        except (CommandError, ConnectionLost, TimeoutError) as error:
            self._doubt(error)
            raise
        finally:
            self._trusted_from = self._connection.tick()
        shown = self._codec.decode(text)
        self._shown(text, shown)
        return None if shown == value else shown

    def _doubt(self, error: Exception) -> None:
        """Ask for the PandA's value after a failed put, part of which it may have applied."""
        if not isinstance(error, CommandError):
            self._last = None  # the alarm of the put is to end with the outage
        if self.spec.readable:
            self._connection.recheck(self._wire)

    async def _answer(self, put: Put, text: str) -> str:
        """Send a put and return what the PandA made of it."""
        question = GetLine(self._wire)
        if self.spec.settle is Settle.READ_BACK:
            return await self._connection.put_and_ask(put, question)
        await self._connection.put(put)
        if self.spec.settle is Settle.NOTHING:
            return text
        await self._connection.settled()
        return await self._connection.send(question)

    def _check_whole(self, text: str) -> None:
        """Refuse a text that EPICS may have cut, because it fills the record."""
        full = self.spec.full
        if full and not limits.fits(text, full - 1):
            other = f", put it to {self.record.name}:LONG" if self.spec.rtype == "stringout" else ""
            raise BadValue(f"{full} bytes or more: EPICS may have cut the text{other}")


class PulseLink(Link):
    """A bit that may have pulsed between two polls: a change with the same text is shown too."""

    def from_device(self, wire: str, text: str, batch: Batch) -> None:
        if text == self._last and text in ("0", "1"):
            self.record.post(1 - int(text), stamp=batch.time)
            self.record.post(int(text), stamp=batch.time)
        else:
            super().from_device(wire, text, batch)


class ScaledLink(Follower):
    """A scaled position; value, scale and offset come from the PandA one by one."""

    def __init__(self, spec: RecordSpec) -> None:
        self.spec = spec
        self.record: Record
        self.wires = (spec.wire, *spec.scaled_by)
        self._numbers: dict[str, float] = {}

    def from_device(self, wire: str, text: str, batch: Batch) -> None:
        """Take one of the three numbers and show the result once all are known."""
        try:
            self._numbers[wire] = float(FLOAT.decode(text))
        except BadValue:
            self.in_error(wire)  # the record of that number says why
            return
        if len(self._numbers) == len(self.wires):
            value, scale, offset = (self._numbers[name] for name in self.wires)
            self.record.set_fields(PREC=scaled_precision(scale))
            scaled = value * scale + offset
            if math.isfinite(scaled):
                self.record.post(scaled, stamp=batch.time)
            else:
                self.record.post(None, Alarm(INVALID, READ, "too large"), batch.time)

    def in_error(self, wire: str) -> None:
        """Mark the position as unreadable: one of the three numbers is."""
        self._numbers.pop(wire, None)
        self.record.post(None, UNREADABLE)

    def stale(self) -> None:
        """Forget all three numbers: the connection is lost."""
        self._numbers.clear()
        self.record.post(None, DISCONNECTED)


class UnitsFollower(Follower):
    """Keeps EGU, and PREC of times, equal to the units of the PandA.

    EGU has the beginning of units that are too long for it. The record of the units has the whole.

    Args:
        records: whose EGU it is
        changed: called when the units have changed, not when they become known: a time is then
            another number, which the PandA need not report
    """

    def __init__(self, records: list[Record], changed: Callable[[], None]) -> None:
        self._records = records
        self._changed = changed
        self._shown: str | None = None

    def from_device(self, wire: str, text: str, batch: Batch) -> None:
        """Apply new units."""
        if text == self._shown:
            return
        if self._shown is not None:
            self._changed()
        self._shown = text
        digits = precision(text)
        for record in self._records:
            fields: dict[str, str | float] = {"EGU": limits.cut(text, limits.EGU)}
            if digits is not None and record.rtype in ("ai", "ao"):
                fields["PREC"] = digits
            record.set_fields(**fields)


def _codec(spec: RecordSpec) -> Codec:
    if spec.codec is None:
        raise BadValue(f"{spec.name}: shows {spec.wire!r} but has no codec")
    return spec.codec
