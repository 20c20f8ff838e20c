"""Links: one joins a field or attribute of the PandA to one record.

    device -> PV    change feed -> Board.show -> link.from_device -> record
    PV -> device    record -> link.put -> client.send(Put) -> OK, or the put is refused

A link remembers the text that the device last gave. The same text again is no news; another text
is, whether somebody else changed the field or the device rounded what was put.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Protocol

from panda_ioc.client.changes import Batch
from panda_ioc.device.codecs import ChoiceCodec, Codec, Value
from panda_ioc.errors import BadValue, CommandError, ConnectionLost, PandAError
from panda_ioc.ioc.memory import (
    COMM,
    INVALID,
    MAJOR,
    MINOR,
    NO_ALARM,
    READ,
    STATE,
    UDF,
    WRITE,
    Record,
)
from panda_ioc.ioc.reports import Reports
from panda_ioc.protocol.commands import Command, GetLine, Put
from panda_ioc.records import limits
from panda_ioc.records.device_records import precision, scaled_precision
from panda_ioc.records.specs import RecordSpec, Settle

log = logging.getLogger(__name__)

ILLEGAL_STATE = 65535  # what EPICS shows for a value that is none of the states


class Box(Protocol):
    """What a link needs of the connection to the PandA."""

    async def send(self, command: Command[str]) -> str:
        """The result of a command; PandAError if it fails or there is no connection."""

    async def put(self, command: Command[None]) -> None:
        """Send a command that changes something; then poll at once."""

    async def settled(self) -> None:
        """Wait until all changes up to now are shown."""

    def tick(self) -> int:
        """A number larger than all before."""

    def recheck(self, wire: str) -> None:
        """Ask for a value soon: what the feed said of it may be older than a put."""

    def recheck_table(self, wire: str) -> None:
        """The same for a table."""


class Follower(Protocol):
    """Something that follows one or more names of the wire."""

    def from_device(self, wire: str, text: str, batch: Batch) -> None:
        """The device has a new text for this name, or says again that it changed."""

    def in_error(self, wire: str) -> None:
        """The device can not read this name at present."""

    def stale(self) -> None:
        """The connection is lost."""


class Board:
    """Who follows what: wire name -> followers."""

    def __init__(self, recheck: Callable[[str], None]) -> None:
        self._recheck = recheck
        self._followers: dict[str, list[Follower]] = defaultdict(list)
        self._all: dict[Follower, None] = {}
        self._errors: frozenset[str] = frozenset()

    def add(self, follower: Follower, wires: Iterable[str] = ()) -> None:
        """Let follower hear of these names."""
        self._all[follower] = None
        for wire in wires:
            self._followers[wire].append(follower)

    def show(self, batch: Batch) -> None:
        """Pass on a batch of changes."""
        for wire, text in batch.texts.items():
            for follower in self._followers.get(wire, ()):
                follower.from_device(wire, text, batch)
        for wire in batch.errors:
            for follower in self._followers.get(wire, ()):
                follower.in_error(wire)
        recovered = self._errors - batch.errors - batch.texts.keys()
        self._errors = batch.errors
        for wire in recovered & self._followers.keys():
            self._recheck(wire)

    def tell(self, wire: str, text: str, batch: Batch) -> None:
        """Pass on one text that was asked for."""
        for follower in self._followers.get(wire, ()):
            follower.from_device(wire, text, batch)

    def stale(self) -> None:
        """The connection is lost: nothing that is shown is known to be true."""
        self._errors = frozenset()
        for follower in self._all:
            follower.stale()


class Link:
    """One field or attribute and one record that shows it and perhaps sets it."""

    def __init__(self, spec: RecordSpec, box: Box, reports: Reports) -> None:
        self.spec = spec
        self.wire = spec.wire
        self.record: Record
        self._box = box
        self._reports = reports
        self._codec: Codec = _codec(spec)
        self._last: str | None = None  # text that the record shows; None: it shows none
        self._value: Value | None = None
        self._alarm = UDF  # why it shows none
        self._unseen: str | None = None  # text that came while a put was under way
        self._is_cut = False
        self._trusted_from = 0  # what was asked for earlier may be older than the last put

    @property
    def value(self) -> Value | None:
        """What the device last said."""
        return self._value

    # -- device -> PV ---------------------------------------------------------------------------

    def from_device(self, wire: str, text: str, batch: Batch) -> None:
        """Show a text of the device."""
        if text == self._last:
            return
        if batch.number < self._trusted_from:
            self._box.recheck(self.wire)
        else:
            self._show(text, batch.time)

    def in_error(self, wire: str) -> None:
        """Mark the value as not readable."""
        self._invalid(READ, "PandA can not read it")

    def stale(self) -> None:
        """Mark the value as not known."""
        self._invalid(COMM, "no connection to PandA")

    def connected(self) -> None:
        """All that the PandA tells of itself has been shown; of some fields it tells nothing."""
        if not self.spec.readable and self.record.post(None):
            self._alarm = NO_ALARM

    def _invalid(self, alarm: int, message: str) -> None:
        self._last = None
        if self._alarm != alarm and self.record.post(None, INVALID, alarm, message):
            self._alarm = alarm

    def _show(self, text: str, stamp: float) -> None:
        try:
            value: Value = self._codec.decode(text)
        except BadValue as error:
            self._show_unknown(text, error, stamp)
            return
        if self.record.post(value, *self._judge(text, value), stamp=stamp):
            self._shown(text, value)
        else:
            self._unseen = text

    def _judge(self, text: str, value: Value) -> tuple[int, int, str]:
        """The alarm with which a value is shown."""
        if self.spec.good not in ("", text):
            return MAJOR, STATE, limits.cut(text, limits.STRING)
        return self._cut(value)

    def _cut(self, value: Value) -> tuple[int, int, str]:
        """The alarm of a text that is longer than the record; the log says so once."""
        if not isinstance(value, str) or limits.fits(value, self.record.text_size):
            return NO_ALARM, NO_ALARM, ""
        if not self._is_cut:
            log.warning("%s: cut to %d bytes: %s", self.record.name, self.record.text_size, value)
        self._is_cut = True
        return MINOR, READ, f"cut; whole in {self.spec.name}:LONG"

    def _shown(self, text: str, value: Value) -> None:
        self._last, self._value, self._alarm = text, value, NO_ALARM

    def _show_unknown(self, text: str, error: BadValue, stamp: float) -> None:
        """The device holds a text that this kind of record can not show."""
        log.info("%s: %s", self.record.name, error)
        is_choice = isinstance(self._codec, ChoiceCodec)
        shown = self.record.post(
            ILLEGAL_STATE if is_choice else None,
            MAJOR if is_choice else INVALID,
            STATE if is_choice else READ,
            limits.cut(text, limits.STRING),
            stamp,
        )
        if shown:
            self._shown(text, ILLEGAL_STATE if is_choice else text)

    # -- PV -> device ---------------------------------------------------------------------------

    async def put(self, value: Value) -> None:
        """Send what a client has put; the record is processing until this returns."""
        self._unseen = None
        try:
            text = self._codec.encode(value)
            self._check_whole(text)
            await self._box.put(Put(self.wire, text))
            shown = await self._settled(value, text)
        except PandAError as error:
            self._refuse(value, error)
        else:
            self.record.settle(value, shown)
            self._reports.accepted(self.record)
        self._trusted_from = self._box.tick()
        if self._unseen not in (None, self._last):
            self._box.recheck(self.wire)

    def _check_whole(self, text: str) -> None:
        """EPICS cuts what is longer than a record without telling anybody."""
        full = self.spec.full
        if full and not limits.fits(text, full - 1):
            other = f", put it to {self.record.name}:LONG" if self.spec.rtype == "stringout" else ""
            raise BadValue(f"{full} bytes or more: EPICS may have cut the text{other}")

    async def _settled(self, value: Value, text: str) -> Value | None:
        """What the record should show after a good put: None for what was put."""
        if self.spec.settle is Settle.POLL:
            await self._box.settled()
        if self.spec.settle is not Settle.NOTHING:
            text = await self._box.send(GetLine(self.wire))
        shown = self._codec.decode(text)
        self._shown(text, shown)
        return None if shown == value else shown

    def _refuse(self, value: Value, error: PandAError) -> None:
        self.record.refuse(value, self._value, reason(error), status=status(error))
        self._reports.refused(self.record, error)


class PulseLink(Link):
    """A bit that may have pulsed between two polls: told again although its text is the same."""

    def from_device(self, wire: str, text: str, batch: Batch) -> None:
        if text == self._last and text in ("0", "1"):
            self.record.post(1 - int(text), stamp=batch.time)
            self.record.post(int(text), stamp=batch.time)
        else:
            super().from_device(wire, text, batch)


class ScaledLink:
    """A position, scaled: value, scale and offset come from the device one by one."""

    def __init__(self, spec: RecordSpec) -> None:
        self.spec = spec
        self.record: Record
        self.wires = (spec.wire, *spec.scaled_by)
        self._numbers: dict[str, float] = {}
        self._shown: float | None = None
        self._scale: float | None = None  # that PREC is right for

    def from_device(self, wire: str, text: str, batch: Batch) -> None:
        """Take in one of the three numbers and show the result once all are known."""
        try:
            self._numbers[wire] = float(text)
        except ValueError:
            self.in_error(wire)
            return
        if len(self._numbers) == len(self.wires):
            value, scale, offset = (self._numbers[name] for name in self.wires)
            if scale != self._scale:
                self._scale = scale
                self.record.set_field("PREC", scaled_precision(scale))
            scaled = value * scale + offset
            if scaled != self._shown and self.record.post(scaled, stamp=batch.time):
                self._shown = scaled

    def in_error(self, wire: str) -> None:
        """One of the three is not known."""
        if self._numbers.pop(wire, None) is not None:
            self._shown = None
            self.record.post(None, INVALID, READ, "PandA can not read it")

    def stale(self) -> None:
        """None of the three is known."""
        self._numbers.clear()
        self._shown = None
        self.record.post(None, INVALID, COMM, "no connection to PandA")


class UnitsFollower:
    """Keeps EGU, and PREC of times, as the units that the device has.

    Arguments:
        records: whose EGU it is
        changed: called when the units have changed, not when they become known: a time is then
            another number, which the PandA need not report
    """

    def __init__(self, records: list[Record], changed: Callable[[], None]) -> None:
        self._records = records
        self._changed = changed
        self._shown: str | None = None

    def from_device(self, wire: str, text: str, batch: Batch) -> None:
        """New units."""
        if text == self._shown:
            return
        if self._shown is not None:
            self._changed()
        self._shown = text
        digits = precision(text)
        for record in self._records:
            record.set_field("EGU", limits.cut(text, limits.EGU))  # whole in the units' record
            if digits is not None and record.rtype in ("ai", "ao"):
                record.set_field("PREC", digits)

    def in_error(self, wire: str) -> None:
        """Units stay as they were."""

    def stale(self) -> None:
        """Units stay as they were."""


def reason(error: PandAError) -> str:
    """Why something failed: the PandA's own words where it gave any."""
    own = error.reason if isinstance(error, CommandError) else ""
    return own or str(error)


def status(error: PandAError) -> int:
    """The alarm status that tells this failure."""
    lost: int = COMM
    refused: int = WRITE
    return lost if isinstance(error, ConnectionLost | TimeoutError) else refused


def _codec(spec: RecordSpec) -> Codec:
    if spec.codec is None:
        raise BadValue(f"{spec.name}: shows {spec.wire!r} but has no codec")
    return spec.codec
