"""The digital twin as the hardware of a simulated PandA."""

import logging
import time

from panda_ioc.errors import CommandError, TwinError
from panda_ioc.sim.fields import SimField
from panda_ioc.sim.life import Life
from panda_ioc.sim.numbers import CLOCK_FREQUENCY
from panda_ioc.sim.reports import Attribute
from panda_ioc.sim.settings import DISARMED, Setup, SimSettings
from panda_ioc.sim.state import PandAState
from panda_ioc.sim.twin.driver import SPACING
from panda_ioc.sim.twin.trajectory_text import parse_trajectory
from panda_ioc.sim.twin_hardware import tables
from panda_ioc.sim.twin_hardware.assembly import assemble
from panda_ioc.sim.twin_hardware.controls import controls
from panda_ioc.sim.twin_hardware.display import Display, is_shown
from panda_ioc.sim.twin_hardware.entries import entries
from panda_ioc.sim.twin_hardware.lag import LagReport
from panda_ioc.sim.twin_hardware.pace import Pace
from panda_ioc.sim.twin_hardware.registers import Registers
from panda_ioc.sim.twin_hardware.samples import StoredSamples

_log = logging.getLogger(__name__)
# Seconds of work after which commands get their turn, and those for a command itself.
_SLICE = 0.002
_GLANCE = 0.001
# Events after which the clock is looked at.
_EVENTS = 250
# Seconds between slices: when something will happen soon, and when not.
_SOON, _LATER = 0.005, 0.02
# Ticks that pass after the last event when there is no need to wait.
_HURRIED = 125_000
_DMA_ERROR = "DMA data error"


class TwinHardware:
    """Runs the twin in slices, from the control thread only; samples are read by others.

    Attributes:
        network: the twin, which can be wired to more than the application has
        levels: names of the outputs whose values come from outside, such as TTLIN1.VAL
    """

    def __init__(self, state: PandAState) -> None:
        assembly = assemble(state)
        self._state = state
        self.network = assembly.network
        self._pcap = assembly.pcap
        self.levels = assembly.levels
        self._pace = Pace()
        self._lag = LagReport(self.network)
        self._samples: StoredSamples | None = None
        self._moving = self._busy = False
        self._registers = Registers(self.network, state, self._settle)
        connected = tables.connect(self.network, state, self._catch_up)
        self._display = Display(self.network, state, list(connected))
        self._life = Life(state, without={b for b in state.blocks if b != "SYSTEM"})
        self.controls = controls(self._pace, lambda: self.network.now, self._step, self._move)
        self._registers.write_all()
        self._plug_in()
        if assembly.strange:
            _log.info(
                "not in the digital twin, hold their settings: %s", ", ".join(assembly.strange)
            )

    @property
    def rows(self) -> float:
        """Rows a second that streaming tables of blocks outside the twin play."""
        return self._life.rows

    @rows.setter
    def rows(self, rows: float) -> None:
        self._life.rows = rows

    def _plug_in(self) -> None:
        """Let encoders be connected."""
        for name in sorted(self.levels):
            if name.endswith(".CONN"):
                self._registers.write(name, 1)

    # Writes

    def _settle(self) -> None:
        """Let the ticks go by that the server takes for a write."""
        self.network.run_until(self.network.now + SPACING)

    def written(self, field: SimField, attribute: Attribute | None, moving: bool) -> None:
        """Write to registers what has been written to a field."""
        self._catch_up()
        self._registers.written(field, attribute)

    def set_level(self, field: SimField, raw: int) -> bool:
        """Set an input from outside."""
        if field.name in self.levels:
            self._catch_up()
            # What comes from outside takes no time of the server.
            self.network.write(field.name, raw)
            self.network.run_until(self.network.now + 1)
            return True
        if is_shown(self.network, field):
            raise CommandError(f"{field.name} shows what the twin does; set what it depends on")
        return False

    def _step(self, ticks: int) -> None:
        if self._moving:
            raise CommandError("*SIM.STEP is for a PandA that stands still; put *SIM.ALIVE=0 first")
        self.network.run_until(self.network.now + ticks)
        self._collect()

    def _move(self, encoder: str, trajectory: str, trigger: str) -> None:
        self._catch_up()
        try:
            self.network.move(encoder, parse_trajectory(trajectory), trigger=trigger)
        except TwinError as error:
            raise CommandError(f"*SIM.TRAJECTORY: {error}") from error
        self.network.run_until(self.network.now + 1)

    def run_until(self, end: int, most: int) -> None:
        """Run to a tick without regard to any clock, or until there were so many events."""
        self.network.run_until(end, most)
        self._collect()

    # Captures

    def arm(self, setup: Setup, settings: SimSettings) -> StoredSamples:
        """Tell PCAP what to capture, and arm it."""
        written = entries(self._state, setup.columns)
        self._catch_up()
        self._pcap.stream.rows.clear()
        self._registers.write("PCAP.START_WRITE", 0)
        for entry in written:
            self._registers.write("PCAP.WRITE", entry)
        self._samples = StoredSamples(setup, settings, self._stop)
        self._pace.arm(self.network.now)
        self._registers.write("PCAP.ARM", 0)
        self._collect()
        return self._samples

    def _stop(self, reason: str) -> None:
        self._registers.write("PCAP.DMA_FULL" if reason == _DMA_ERROR else "PCAP.DISARM", 0)
        self._collect("" if reason == DISARMED else reason)

    def _collect(self, reason: str = "") -> None:
        """Take away what PCAP has captured, and see whether it goes on; `reason` overrides its."""
        samples, pcap = self._samples, self._pcap
        if samples is None or samples.end() is not None:
            return
        if pcap.enabled_at is not None:
            samples.begin(time.time_ns() - self._age_ns(pcap.enabled_at))
        rows = pcap.stream.take(self.network.now)
        # The last row may be incomplete.
        samples.add([row for row in rows if len(row) == samples.width])
        if not pcap.ACTIVE.value and not pcap.stream.rows:
            samples.finish(reason or pcap.completion)
            self._pace.disarm()

    def _age_ns(self, tick: int) -> int:
        """Return how long ago a tick was by the wall clock, if the twin follows it."""
        rate = self._pace.speed * CLOCK_FREQUENCY
        return round(max(0, self.network.now - tick) / rate * 1e9) if rate else 0

    # Time

    def refresh(self, now: float, moving: bool) -> None:
        """Bring the twin to a moment as far as that can be done at once, and show it."""
        self._advance(now, moving, _GLANCE)
        self._life.refresh(now, moving)
        self._display.refresh()

    def work(self, now: float, moving: bool) -> float:
        """Run a slice; return the seconds until the next one."""
        self._advance(now, moving, _SLICE, anyway=True)
        self._lag.look(now, self._pace.lag)
        if self._busy:
            return 0.0
        ticks = self.network.board.engine.ticks
        soon = bool(ticks) and ticks[0] - self.network.now < _LATER * CLOCK_FREQUENCY
        return _SOON if soon else _LATER

    def _catch_up(self) -> None:
        self._advance(time.monotonic(), self._moving, _GLANCE)

    def _advance(self, now: float, moving: bool, seconds: float, anyway: bool = False) -> None:
        """Run towards a moment for at most so many seconds.

        Args:
            now: the moment
            moving: whether time goes on
            seconds: when to give up
            anyway: also when the slice before this one was not enough
        """
        self._moving = moving
        if not moving:
            self._pace.rest()
            return
        if self._busy and not anyway:
            return
        hurries = self._hurries()
        end = self._pace.limit() if hurries else self._pace.target(now, self.network.now)
        self._run(end, now + seconds)
        if hurries:
            self._pace.jumped(now, self.network.now)
        else:
            self._pace.note(now, self.network.now)
        self._busy = self._hurries() or self.network.now < end

    def _hurries(self) -> bool:
        """Tell whether to run on without regard to the wall clock."""
        samples = self._samples
        if not self._pace.hurries(self.network.now) or samples is None:
            return False
        waits = bool(self.network.board.engine.ticks) and samples.end() is None
        return waits and samples.ahead() < samples.window // 2

    def _stop_over(self, end: int) -> int:
        """Return the tick to run to at once: in a hurry not far, as nothing may follow."""
        ticks = self.network.board.engine.ticks
        if self._pace.speed or not ticks:
            return end
        return min(end, ticks[0] + _HURRIED)

    def _run(self, end: int, until: float) -> None:
        """Run up to a tick, or until a moment."""
        network = self.network
        while network.now < end:
            network.run_until(self._stop_over(end), _EVENTS)
            if time.monotonic() >= until:
                break
            if not self._pcap.ACTIVE.value and self._samples and self._samples.end() is None:
                break
        self._collect()
