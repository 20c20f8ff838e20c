"""The control port at fault: what clients see meanwhile, and that everything comes back."""

import asyncio
import time
from collections.abc import Callable

import proxy as faults
import pytest
from proxy import Do, Port, Welcome
from scene import CANARY, CANARY_WIRE, Scene

from support.truth import COMM, INVALID

Fault = Callable[[Port], object]
ENDLESS = b"!" + b"PULSE1.DELAY=" + b"9" * 1000 + b"\n"
MEMORY = 150 << 20  # bytes that the worst of a wire may cost for a moment

ENDS: dict[str, Fault] = {
    "reset": lambda port: port.end(Do.RESET),
    "reset of commands": lambda port: port.end(Do.RESET, "commands"),
    "reset of changes": lambda port: port.end(Do.RESET, "changes"),
    "end of file": lambda port: port.end(Do.CLOSE),
    "half close": lambda port: port.end(Do.HALF_CLOSE),
    "half close of commands": lambda port: port.end(Do.HALF_CLOSE, "commands"),
}

NONSENSE: dict[str, bytes] = {
    "garbage": bytes(range(256)) * 4 + b"\n",
    "an unasked OK": b"OK\nOK\nOK\n",
    "an unasked value": b"OK =42\nOK =42\n",
    "an unasked multi-line reply": b"!PULSE1.DELAY=42\n.\n",
    "an unasked error": b"ERR No such thing\nERR again\n",
    "HTTP": b"HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n",
    "empty lines": b"\n" * 50,
    "zeros": b"\0" * 5000 + b"\n",
    "a line of 2 MB": b"x" * (2 << 20) + b"\n",
}

RULES: dict[str, faults.Rule] = {
    "reset in the middle of a reply": faults.cut(7, Do.RESET),
    "end of file in the middle of a reply": faults.cut(7, Do.CLOSE),
    "half closed in the middle of a reply": faults.cut(7, Do.HALF_CLOSE),
    "replies that stop in the middle": faults.instead(b"!PULSE1.DELAY=42\n!PULSE2.DEL"),
    "one byte at a time": faults.trickled(0.2),
    "replies that are lost": faults.swallow,
    "all replies are OK": faults.instead(b"OK\n" * 2),
    "all replies are lists of nothing known": faults.instead(b"!NO.SUCH=1\n!THING<\n.\n" * 2),
    "a value where changes were asked for": faults.instead(b"OK =1\n"),
    "changes that are not changes": faults.instead(b"!\n!=\n!<\n!(error)\n.\n"),
}


async def lost_and_found(scene: Scene, fault: Fault, *, heal: bool = True) -> None:
    """A fault is shown, invents no value, fails puts at once, and is over when it is over."""
    with scene.see("STATUS", datatype=str) as status, scene.see(CANARY) as canary:
        await status.until(lambda state: state == "CONNECTED")
        before = await canary.until(lambda value: value.severity == 0)
        fault(scene.proxy.control)
        await canary.lost()
        since = len(status.updates)
        if heal:
            scene.proxy.heal()
        await asyncio.to_thread(scene.sim.put, f"{CANARY_WIRE}=7.5")
        await status.until(lambda state: state == "CONNECTED", since)
        await canary.until(lambda value: value == 7.5 and value.severity == 0)
        assert {float(value) for value in canary.values()} <= {float(before), 7.5}
        assert {str(state) for state in status.updates} <= {
            "CONNECTED",
            "CONNECTING",
            "DISCONNECTED",
        }
    assert len(scene.problems()) <= 12, scene.problems()
    assert scene.is_alive()


@pytest.mark.parametrize("name", ENDS)
async def test_a_connection_that_ends_is_made_again(scene: Scene, name: str) -> None:
    await lost_and_found(scene, ENDS[name])


@pytest.mark.parametrize("name", NONSENSE)
@pytest.mark.parametrize("role", ["commands", "changes"])
async def test_nonsense_ends_the_connection_and_shows_nothing_untrue(
    scene: Scene, name: str, role: str
) -> None:
    def inject(port: Port) -> None:
        assert port.inject(NONSENSE[name], role) == 1

    await lost_and_found(scene, inject)


@pytest.mark.parametrize("name", RULES)
async def test_a_box_that_answers_wrongly_is_left(scene: Scene, name: str) -> None:
    def answer(port: Port) -> None:
        port.down = RULES[name]

    await lost_and_found(scene, answer)


@pytest.mark.parametrize("piece", [ENDLESS, b"!x\n" * 20000, b"y" * 65536])
async def test_a_reply_that_never_ends_takes_little_memory(scene: Scene, piece: bytes) -> None:
    peak = scene.peak_memory()

    def answer(port: Port) -> None:
        port.down = faults.only("changes", faults.flood(piece))

    await lost_and_found(scene, answer)
    assert scene.peak_memory() - peak < MEMORY


async def test_silence_is_noticed_and_ends_well_when_the_cable_is_back(scene: Scene) -> None:
    await lost_and_found(scene, lambda port: port.hold())


@pytest.mark.parametrize("welcome", [Welcome.REFUSE, Welcome.IGNORE, Welcome.HANG_UP])
async def test_a_box_that_does_not_take_us_is_tried_again(scene: Scene, welcome: Welcome) -> None:
    def away(port: Port) -> None:
        port.welcome(welcome)
        port.end(Do.RESET)

    with scene.see("STATUS", datatype=str) as status:
        away(scene.proxy.control)
        await status.until(lambda state: state == "DISCONNECTED")
        await asyncio.sleep(1)
        assert (await scene.get("STATUS", datatype=str)) != "CONNECTED"
        attempts = scene.proxy.control.accepted
    assert len(scene.problems()) <= 8, scene.problems()
    await scene.recover()
    assert scene.proxy.control.accepted - attempts < 40  # not again and again without a pause


async def test_while_away_every_pv_of_a_field_is_invalid_and_puts_fail_at_once(
    scene: Scene,
) -> None:
    scene.proxy.control.welcome(Welcome.REFUSE)
    scene.proxy.control.end(Do.RESET)
    await scene.until(lambda: is_lost(scene), f"{CANARY} is not known")
    values = await scene.ca.caget(await names(scene), format=scene.ca.FORMAT_TIME, timeout=30)
    wrong = [v.name for v in values if (v.severity, v.status) != (INVALID, COMM)]
    assert len(values) > 500
    assert wrong == []
    status = await scene.get("STATUS", format=scene.ca.FORMAT_TIME)
    assert (status, status.severity) == (0, 2)

    for name, value in ((CANARY, 3), ("TTLOUT1:VAL", "ZERO"), ("PCAP:ARM", 1), ("SEQ1:REPEATS", 2)):
        started = time.monotonic()
        assert not await scene.put(name, value)
        assert time.monotonic() - started < 1
    assert "no connection" in await scene.get("ERROR", datatype=scene.ca.DBR_CHAR_STR)

    await scene.recover()
    assert await scene.frozen_truth() == []
    assert await scene.put(CANARY, 3)
    assert scene.sim.ask(f"{CANARY_WIRE}?") == ["OK =3"]


async def is_lost(scene: Scene) -> bool:
    value = await scene.get(CANARY, format=scene.ca.FORMAT_TIME)
    return (value.severity, value.status) == (INVALID, COMM)


async def names(scene: Scene) -> list[str]:
    from support.truth import Truth

    return (await Truth.of(scene.sim, scene.ioc)).names


async def test_only_what_changed_meanwhile_is_another_value_afterwards(scene: Scene) -> None:
    watched = ["PULSE2:DELAY", "PULSE2:WIDTH", "TTLOUT1:VAL", "INENC1:BITS", "SEQ1:REPEATS"]
    monitors = [scene.see(name) for name in watched]
    for monitor in monitors:
        await monitor.until(lambda value: value.severity == 0)
    scene.proxy.control.welcome(Welcome.REFUSE)
    scene.proxy.control.end(Do.RESET)
    for monitor in monitors:
        await monitor.lost()
    scene.sim.put("INENC1.BITS=17")
    since = [len(monitor.updates) for monitor in monitors]
    await scene.recover()
    for monitor, start in zip(monitors, since, strict=True):
        await monitor.until(lambda value: value.severity == 0, start)
    with scene.see(CANARY) as canary:  # what is shown before it has come before it
        for value in (3, 4):
            scene.sim.put(f"{CANARY_WIRE}={value}")
            await canary.until(lambda update, value=value: update == value)
    for monitor, start in zip(monitors, since, strict=True):
        assert len(monitor.updates) == start + 1  # once, to clear the alarm
        same = monitor.updates[start] == monitor.updates[start - 1]
        assert same == (monitor.name != scene.ioc.pv("INENC1:BITS"))
        monitor.__exit__()


async def test_a_put_under_way_when_the_connection_is_reset_fails(scene: Scene) -> None:
    scene.proxy.control.down = faults.only("commands", faults.swallow)
    put = asyncio.create_task(scene.put(CANARY, 4))
    await asyncio.sleep(0.3)
    assert not put.done()
    scene.proxy.control.end(Do.RESET)
    assert not await asyncio.wait_for(put, 2)
    await scene.recover()


async def test_a_put_that_is_not_answered_fails_in_time(scene: Scene) -> None:
    scene.proxy.control.down = faults.only("commands", faults.swallow)
    started = time.monotonic()
    assert not await scene.put(CANARY, 4)
    assert 1 < time.monotonic() - started < 5
    await scene.recover()


async def test_puts_behind_one_that_is_not_answered_fail_too(scene: Scene) -> None:
    scene.proxy.control.down = faults.only("commands", faults.swallow)
    puts = [scene.put(f"PULSE{n}:WIDTH", 1) for n in (1, 2, 3, 4)]
    assert await asyncio.gather(*puts) == [False] * 4
    await scene.recover()
    assert await scene.frozen_truth() == []


@pytest.mark.parametrize("rule", [faults.chopped, faults.delayed(0.1)], ids=["chopped", "delayed"])
async def test_a_poor_network_is_good_enough(scene: Scene, rule: faults.Rule) -> None:
    with scene.see("STATUS", datatype=str) as status:
        await status.until(lambda state: state == "CONNECTED")
        scene.proxy.control.down = scene.proxy.control.up = rule
        for value in (2, 3, 4):
            assert await scene.put(CANARY, value)
            assert scene.sim.ask(f"{CANARY_WIRE}?") == [f"OK ={value}"]
            assert await scene.get(CANARY) == value
        assert [str(state) for state in status.updates] == ["CONNECTED"]
    assert scene.problems() == []


async def test_damaged_bytes_do_no_lasting_harm(scene: Scene) -> None:
    scene.proxy.control.down = faults.corrupted(0.001)
    until = time.monotonic() + 1.5
    while time.monotonic() < until:
        await scene.put("PULSE3:WIDTH", 1)
    scene.proxy.heal()
    # TCP has checksums and the protocol has none: what passed for a value is shown until everything
    # is read again.
    scene.proxy.control.end(Do.RESET)
    await scene.recover()
    await scene.disconnect()
    assert await scene.frozen_truth() == []
    assert scene.is_alive()


async def test_a_box_that_is_slow_for_long_comes_back(scene: Scene) -> None:
    with scene.see(CANARY) as canary:
        await canary.until(lambda value: value.severity == 0)
        scene.sim.put("*SIM.STALL=4")
        await canary.lost()
        await canary.until(lambda value: value.severity == 0, len(canary.updates))
    await scene.recover()
    assert await scene.frozen_truth() == []
    assert len(scene.problems()) <= 12, scene.problems()


async def test_connections_that_flap_cost_no_flood_and_end_well(scene: Scene) -> None:
    for _ in range(30):
        scene.proxy.control.end(Do.RESET)
        await asyncio.sleep(0.1)
    assert len(scene.problems()) <= 40, scene.problems()
    await scene.recover()
    assert await scene.frozen_truth() == []


async def test_a_put_whose_consequences_are_not_reported_fails(scene: Scene) -> None:
    scene.proxy.control.down = faults.only("changes", faults.swallow)
    assert not await scene.put("PULSE2:DELAY:UNITS", "ms")
    scene.proxy.heal()
    await scene.disconnect()
    await scene.recover()
    assert await scene.get("PULSE2:DELAY:UNITS", datatype=str) == "ms"  # the box had taken it
    assert "Traceback" not in scene.log()
