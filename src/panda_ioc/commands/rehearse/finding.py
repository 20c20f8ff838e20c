"""What a rehearsal finds."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

from panda_ioc.commands.rehearse.bench import Bench
from panda_ioc.commands.rehearse.run import Course
from panda_ioc.statefile import Loaded


class Severity(Enum):
    """How bad it is; only errors fail a rehearsal."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, or worth knowing.

    Attributes:
        severity: how bad it is
        about: the block, field or file
        text: what happened
        remedy: what to do about it, if that is known
    """

    severity: Severity
    about: str
    text: str
    remedy: str = ""


def error(about: str, text: str, remedy: str = "") -> Finding:
    """Make a finding that fails the rehearsal."""
    return Finding(Severity.ERROR, about, text, remedy)


def warning(about: str, text: str, remedy: str = "") -> Finding:
    """Make a finding of what may be a mistake."""
    return Finding(Severity.WARNING, about, text, remedy)


def note(about: str, text: str, remedy: str = "") -> Finding:
    """Make a finding that is good to know."""
    return Finding(Severity.NOTE, about, text, remedy)


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings in the order in which they matter."""
    order = list(Severity)
    return sorted(findings, key=lambda each: order.index(each.severity))


@dataclass(frozen=True)
class Scene:
    """All that the checks look at.

    Attributes:
        bench: the PandA as it is at the end
        course: how it went
        loaded: what became of the layout
        rows: how many were captured
        reason: how the acquisition ended
        expected: rows that the user expects, None if nothing was said
        dead_times: least ticks between two pulses, by signal
    """

    bench: Bench
    course: Course
    loaded: Loaded
    rows: int
    reason: str
    expected: int | None = None
    dead_times: dict[str, int] = field(default_factory=dict)

    @property
    def duration(self) -> int:
        """Ticks from the arm to the end of the rehearsal."""
        return self.course.stopped - self.course.armed

    def text(self, name: str) -> str:
        """Return what a state was when the rehearsal ended, before anything was disarmed."""
        trace = self.course.recording.trace(name)
        return trace.text(trace.at(self.course.stopped))

    def since_arm(self, tick: int) -> int:
        """Return a tick as counted from the arm."""
        return tick - self.course.armed
