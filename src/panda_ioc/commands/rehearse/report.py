"""What a rehearsal says at its end, for people and for programs."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from panda_ioc.commands.rehearse.checks.health import healths
from panda_ioc.commands.rehearse.finding import Finding, Scene, Severity
from panda_ioc.timing.times import TICKS_PER_SECOND, show_time

_NAMES = 12


def failed(findings: Sequence[Finding]) -> bool:
    """Tell whether anything is wrong."""
    return any(finding.severity is Severity.ERROR for finding in findings)


def as_text(layout: str, scene: Scene, findings: Sequence[Finding]) -> str:
    """Return the report for people."""
    lines = [f"Rehearsal of {layout}", ""]
    lines += [f"{name:<{_NAMES}}{text}" for name, text in _facts(scene)]
    lines.append("")
    for finding in findings:
        lines.append(f"{finding.severity.value}: {finding.about}: {finding.text}")
        if finding.remedy:
            lines.append(f"    {finding.remedy}")
    errors = sum(finding.severity is Severity.ERROR for finding in findings)
    lines.append(f"{errors} error{'s' * (errors != 1)}" if errors else "Nothing is wrong.")
    return "\n".join(lines) + "\n"


def _facts(scene: Scene) -> Iterator[tuple[str, str]]:
    triggers = scene.course.triggers
    expected = "" if scene.expected is None else f" of {scene.expected} expected"
    yield "rows", f"{scene.rows}{expected}"
    if len(triggers.captured):
        first, last = (scene.since_arm(int(triggers.captured[place])) for place in (0, -1))
        yield "first, last", f"{show_time(first)}, {show_time(last)} after the arm"
    if triggers.smallest is not None and triggers.smallest_at is not None:
        at = show_time(scene.since_arm(triggers.smallest_at))
        yield (
            "triggers",
            f"at least {show_time(triggers.smallest)} apart (at {at}); PCAP can take"
            f" {show_time(max(triggers.words, 1))} ({triggers.words} words a row)",
        )
    if len(triggers.lost):
        yield "lost", f"{len(triggers.close)} too close, {len(triggers.late)} as ENABLE fell"
    yield "completion", _completion(scene)
    used = {block: text for block, text in healths(scene).items() if _matters(scene, block, text)}
    yield "health", ", ".join(f"{block} {text}" for block, text in used.items()) or "-"
    yield "simulated", show_time(scene.duration)


def _completion(scene: Scene) -> str:
    if scene.course.refused:
        return "not armed"
    by_itself = "" if scene.course.ended is not None else " (by the end of the rehearsal)"
    return f"{scene.reason or 'none'}{by_itself}"


def _matters(scene: Scene, block: str, text: str) -> bool:
    """Tell whether a block takes part, or is not well."""
    wires = scene.bench.wires()
    ends = {end.partition(".")[0] for wire in wires for end in (wire.source, wire.target)}
    return block in ends or text.upper() != "OK"


def as_json(layout: str, scene: Scene, findings: Sequence[Finding]) -> str:
    """Return the report for programs. Times are seconds after the arm."""
    return json.dumps(_data(layout, scene, findings), indent=2) + "\n"


def _data(layout: str, scene: Scene, findings: Sequence[Finding]) -> dict[str, Any]:
    triggers = scene.course.triggers
    captured = triggers.captured
    return {
        "layout": layout,
        "ok": not failed(findings),
        "rows": scene.rows,
        "rows_expected": scene.expected,
        "first_row": _seconds(scene, int(captured[0])) if len(captured) else None,
        "last_row": _seconds(scene, int(captured[-1])) if len(captured) else None,
        "smallest_distance_ticks": triggers.smallest,
        "least_distance_ticks": triggers.words,
        "triggers_too_close": len(triggers.close),
        "triggers_late": len(triggers.late),
        "lost_at": [_seconds(scene, tick) for tick in triggers.lost.tolist()],
        "triggers_before_enable": triggers.early,
        "triggers_after_end": triggers.after,
        "completion": None if scene.course.refused else scene.reason,
        "ended_by_itself": scene.course.ended is not None,
        "health": healths(scene),
        "simulated": scene.duration / TICKS_PER_SECOND,
        "findings": [
            {
                "severity": finding.severity.value,
                "about": finding.about,
                "text": finding.text,
                "remedy": finding.remedy,
            }
            for finding in findings
        ],
    }


def _seconds(scene: Scene, tick: int) -> float:
    return scene.since_arm(tick) / TICKS_PER_SECOND
