"""The simulated PandA as a whole: its fields, its captures and its life."""

import time
from collections.abc import Callable

from panda_ioc.errors import CommandError
from panda_ioc.sim.application import Application
from panda_ioc.sim.captured import captured_columns
from panda_ioc.sim.codecs import Labelled
from panda_ioc.sim.fields import Register, SimField
from panda_ioc.sim.hardware import Hardware, Make
from panda_ioc.sim.life import Life
from panda_ioc.sim.pcap import SimCapture
from panda_ioc.sim.reports import Attribute
from panda_ioc.sim.settings import DISARMED, Setup, SimSettings
from panda_ioc.sim.state import Metadata, PandAState
from panda_ioc.sim.visitors import Visitors

_REFRESH_PERIOD = 0.002


class Machine:
    """One simulated PandA. Everything but `capture` is used from the control thread only.

    Args:
        application: its blocks
        settings: how it captures
        alive: whether its hardware moves. None: from the first arm on; before, it is as still as
            that of a server that has just started
        hardware: makes what moves the buses and makes the samples
    """

    def __init__(
        self,
        application: Application,
        settings: SimSettings,
        alive: bool | None = None,
        hardware: Make = Life,
    ) -> None:
        self.state = PandAState(application)
        self.hardware: Hardware = hardware(self.state)
        self.capture: SimCapture = SimCapture(settings, self.hardware.arm)
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
        """Return the entry of that key; CommandError if there is none."""
        if key not in self.state.metadata:
            raise CommandError(f"Metadata key {key} not found")
        return self.state.metadata[key]

    def refresh(self, force: bool = False) -> None:
        """Bring what the hardware sets up to date, if that was not just done."""
        now = time.monotonic()
        if not force and now - self._refreshed < _REFRESH_PERIOD:
            return
        self._refreshed = now
        self.hardware.refresh(now, self.alive)

    def work(self) -> float:
        """Let the hardware work; return how many seconds later it wants to work again."""
        return self.hardware.work(time.monotonic(), self.alive)

    def written(self, field: SimField, attribute: Attribute | None = None) -> None:
        """Let the next query see what follows from a field or attribute that a client has set."""
        self.hardware.written(field, attribute, self.alive)
        self._refreshed = 0.0

    def arm(self) -> None:
        """Carry out `*PCAP.ARM=`."""
        self.capture.arm(self._setup())
        if self.wakes:
            self.alive = True
        self.refresh(force=True)

    def disarm(self) -> None:
        """Carry out `*PCAP.DISARM=`."""
        self.end(self.disarm_reason)

    def end(self, reason: str) -> None:
        """End the acquisition that runs for this reason."""
        self.capture.end(reason)
        self.refresh(force=True)

    def stalled(self) -> float:
        """Return for how many seconds more nothing shall be answered."""
        return max(0.0, self.stalled_until - time.monotonic())

    def _setup(self) -> Setup:
        return Setup(
            captured_columns(self.state.captured),
            shift=self._register("PCAP.SHIFT_SUM"),
            hw_time_offset_ns=self._hw_time_offset(),
        )

    def _register(self, name: str) -> int:
        field = self.state.fields.get(name)
        return field.raw if isinstance(field, Register) else 0

    def _hw_time_offset(self) -> int | None:
        """Return it if the PandA has a source of hardware timestamps."""
        source = self.state.fields.get("SYSTEM.TIMESTAMP_SOURCE")
        if not isinstance(source, Register) or not isinstance(source.codec, Labelled):
            return None
        return 0 if source.raw else None


def _not_configured() -> None:
    raise CommandError("No persistence state configured")
