"""Looks for mistakes. A check takes the whole scene, and yields what it finds."""

from collections.abc import Callable, Iterator

from panda_ioc.commands.rehearse.checks import (
    capture,
    compare,
    health,
    layout,
    pulse,
    sequencer,
    spacing,
)
from panda_ioc.commands.rehearse.finding import Finding, Scene

Check = Callable[[Scene], Iterator[Finding]]

AT_REST: tuple[Check, ...] = (layout.check, capture.check)
CHECKS: tuple[Check, ...] = (
    *AT_REST,
    pulse.check,
    spacing.check,
    sequencer.check,
    compare.check,
    health.check,
)


def all_findings(scene: Scene) -> list[Finding]:
    """Return what all checks find."""
    # Without an arm nothing has run.
    wanted = AT_REST if scene.course.refused else CHECKS
    return [finding for check in wanted for finding in check(scene)]
