"""The simulated PandA as a whole: its fields, its captures and its life."""

import time
from collections.abc import Callable

from panda_ioc.errors import CommandError
from panda_ioc.sim.acquisition import DISARMED, Settings, Setup
from panda_ioc.sim.application import Application
from panda_ioc.sim.box import Box, Metadata
from panda_ioc.sim.captured import captured_columns
from panda_ioc.sim.codecs import Labelled
from panda_ioc.sim.fields import Field, Register
from panda_ioc.sim.life import Life
from panda_ioc.sim.pcap import Capture
from panda_ioc.sim.visitors import Visitors

_REFRESH_PERIOD = 0.002


class Machine:
    """One simulated PandA. Everything but `capture` is used from the control thread only.

    With `alive` None it comes to life when first armed, so that whatever asks a machine nobody has
    armed finds it as still as a server that has just started.
    """

    def __init__(
        self, application: Application, settings: Settings, alive: bool | None = None
    ) -> None:
        self.box = Box(application)
        self.capture: Capture = Capture(settings)
        self.life: Life = Life(self.box, self.capture)
        self.alive: bool = bool(alive)
        self.wakes = alive is None
        self.disarm_reason: str = DISARMED
        self._refreshed = 0.0
        self.drop_others: Callable[[object], None] = lambda session: None
        self.drop_readers: Callable[[], None] = lambda: None
        self.stalled_until = 0.0
        self.split: bool = False
        self.verbose: bool = False
        self.visitors = Visitors()
        self.save: Callable[[], None] = _not_configured
        self.refresh(force=True)

    def metadata(self, key: str) -> Metadata:
        """The entry of that key; CommandError if there is none."""
        if key not in self.box.metadata:
            raise CommandError(f"Metadata key {key} not found")
        return self.box.metadata[key]

    def refresh(self, force: bool = False) -> None:
        """Bring what the hardware sets up to date, if that was not just done."""
        now = time.monotonic()
        if not force and now - self._refreshed < _REFRESH_PERIOD:
            return
        self._refreshed = now
        self.life.follow_capture()
        if self.alive:
            self.life.refresh(now)

    def written(self, field: Field) -> None:
        """A client has set a field: what follows from it is seen by the next query."""
        if self.alive:
            self.life.written(field)
            self._refreshed = 0.0

    def arm(self) -> None:
        """`*PCAP.ARM=`"""
        self.capture.arm(self._setup())
        if self.wakes:
            self.alive = True
        self.refresh(force=True)

    def disarm(self) -> None:
        """`*PCAP.DISARM=`"""
        self.end(self.disarm_reason)

    def end(self, reason: str) -> None:
        """End the acquisition that runs for this reason."""
        self.capture.end(reason)
        self.refresh(force=True)

    def stalled(self) -> float:
        """For how many seconds more nothing shall be answered."""
        return max(0.0, self.stalled_until - time.monotonic())

    def _setup(self) -> Setup:
        return Setup(
            captured_columns(self.box.captured),
            shift=self._register("PCAP.SHIFT_SUM"),
            counters=self.life.counters(),
            hw_time_offset_ns=self._hw_time_offset(),
        )

    def _register(self, name: str) -> int:
        field = self.box.fields.get(name)
        return field.raw if isinstance(field, Register) else 0

    def _hw_time_offset(self) -> int | None:
        """Known only when the box has a source of hardware timestamps."""
        source = self.box.fields.get("SYSTEM.TIMESTAMP_SOURCE")
        if not isinstance(source, Register) or not isinstance(source.codec, Labelled):
            return None
        return 0 if source.raw != source.codec.initial else None


def _not_configured() -> None:
    raise CommandError("No persistence state configured")
