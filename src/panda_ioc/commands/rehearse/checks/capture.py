"""PCAP: whether it began, whether it ended, and which triggers it lost."""

from collections.abc import Iterator

from panda_ioc.commands.rehearse.checks.factor import units_hint
from panda_ioc.commands.rehearse.finding import Finding, Scene, error, note
from panda_ioc.commands.rehearse.triggers import NEAR
from panda_ioc.timing.times import show_time

_GOOD = ("Ok", "Disarmed")


def check(scene: Scene) -> Iterator[Finding]:
    """Find what is wrong with the capture."""
    if scene.course.refused:
        yield error("PCAP", f"it cannot be armed: {scene.course.refused}", _why_refused(scene))
        return
    if scene.course.interrupted:
        yield error("rehearsal", "interrupted; what follows is about the time until then")
    yield from _beginning(scene)
    yield from _end(scene)
    yield from _lost(scene)
    yield from _count(scene)


def _why_refused(scene: Scene) -> str:
    if "Nothing configured" in scene.course.refused:
        return (
            "set CAPTURE of a position, or of a timestamp of PCAP: --set PCAP.TS_TRIG.CAPTURE=Value"
        )
    return ""


def _beginning(scene: Scene) -> Iterator[Finding]:
    enable = scene.bench.wire("PCAP.ENABLE").source
    if scene.course.triggers.enabled is None:
        yield error(
            "PCAP",
            f"ENABLE ({enable}) never rose, so nothing was captured",
            "wire PCAP.ENABLE to what is high during the scan, as SEQ1.ACTIVE"
            if enable == "ZERO"
            else "",
        )
    elif scene.course.triggers.early:
        yield note(
            "PCAP", f"{scene.course.triggers.early} triggers came before ENABLE ({enable}) rose"
        )


def _end(scene: Scene) -> Iterator[Finding]:
    triggers, enable = scene.course.triggers, scene.bench.wire("PCAP.ENABLE").source
    if scene.course.ended is None and triggers.enabled is not None:
        after = show_time(scene.duration)
        if enable == "ONE":
            yield note("PCAP", f"ENABLE is ONE, so it never ends by itself; disarmed after {after}")
        else:
            idle = scene.course.idle
            since = f"; nothing happens after {show_time(scene.since_arm(idle))}" if idle else ""
            yield error("PCAP", f"ENABLE ({enable}) was still high after {after}{since}")
    if scene.reason and scene.reason not in _GOOD and not len(triggers.close):
        yield error("PCAP", f"the acquisition ended with {scene.reason!r}")


def _lost(scene: Scene) -> Iterator[Finding]:
    triggers = scene.course.triggers
    source = scene.bench.wire("PCAP.TRIG").source
    if len(triggers.close):
        at = show_time(scene.since_arm(int(triggers.close[0])))
        yield error(
            "PCAP",
            f"capture too close: at {at} a trigger ({source}) came {triggers.smallest} ticks"
            f" after the one before, a row of {triggers.words} words takes {triggers.words} ticks;"
            f" this ends the acquisition with {scene.reason!r}",
            "capture fewer fields, or trigger less often",
        )
    if len(triggers.late) and scene.course.ended is not None:
        yield _late(scene, source)


def _late(scene: Scene, source: str) -> Finding:
    late = scene.course.triggers.late
    fall = scene.course.triggers.disabled
    end = scene.course.ended or 0
    distance = int(late[0]) - (end if fall is None else fall)
    enable = scene.bench.wire("PCAP.ENABLE").source
    when = (
        f"{-distance} ticks before"
        if distance < 0
        else f"{distance} ticks after"
        if distance
        else "in the tick in which"
    )
    many = f"{len(late)} triggers ({source}) are" if len(late) > 1 else f"a trigger ({source}) is"
    return error(
        "PCAP",
        f"the last point is lost: {many} lost, {when} ENABLE ({enable}) falls",
        f"trigger earlier (PCAP.TRIG_EDGE, a shorter pulse), or let ENABLE fall later: a DELAY of"
        f" {min(distance + 4, NEAR)} ticks or more at PCAP.ENABLE",
    )


def _count(scene: Scene) -> Iterator[Finding]:
    if scene.course.triggers.enabled is not None and not scene.rows:
        source = scene.bench.wire("PCAP.TRIG").source
        yield error("PCAP", f"no row was captured: TRIG is {source}")
    if scene.expected is None or scene.rows == scene.expected:
        return
    hint = units_hint(scene.rows / scene.expected, "times and positions") if scene.rows else ""
    yield error("rows", f"{scene.rows} rows were captured, {scene.expected} were expected", hint)
