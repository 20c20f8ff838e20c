"""The simulated PandA as a whole: the box, its captures, its life, and the `*SIM` commands."""

import time
from collections.abc import Callable

from panda_ioc.errors import CommandError

from .acquisition import DISARMED, Settings, Setup
from .application import Application
from .box import Box, Metadata
from .captured import captured_columns
from .codecs import Labelled
from .fields import Field, Register
from .life import Life
from .pcap import Capture
from .simulation import Simulation

_REFRESH_PERIOD = 0.002


class Machine:
    """One simulated PandA. Everything but `capture` is used from the control thread only.

    With `alive` None it comes to life when first armed, so that whatever asks a machine nobody has
    armed finds it as still as a server that has just started.
    """

    def __init__(self, application: Application, settings: Settings, alive: bool | None = None):
        self.box = Box(application)
        self.capture: Capture = Capture(settings)
        self.life: Life = Life(self.box, self.capture)
        self.alive: bool = bool(alive)
        self.wakes = alive is None
        self.disarm_reason: str = DISARMED
        self._refreshed = 0.0
        self.simulation = Simulation(self)
        self.drop_others: Callable[[object], None] = lambda session: None
        self.drop_readers: Callable[[], None] = lambda: None
        self.stalled_until = 0.0
        self.split: bool = False
        self.box.load_state(application.state)
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
