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

CHECKS: tuple[Check, ...] = (
    layout.check,
    capture.check,
    pulse.check,
    spacing.check,
    sequencer.check,
    compare.check,
    health.check,
)


def all_findings(scene: Scene) -> list[Finding]:
    """Return what all checks find."""
    return [finding for check in CHECKS for finding in check(scene)]
