"""Arming, and captured data in waveforms: they hold what the box sends, scaled."""

import asyncio
import itertools
import math
import socket
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from watching import CaSeen, caught_up, until

from support.servers import Ioc, Sim, Starter, free_ports

ECA_PUTFAIL = 160
NO_ALARM, MAJOR, INVALID, WRITE, COMM = 0, 2, 3, 2, 9
SAMPLES = itertools.count(500)
KINDS = ("Value", "Diff", "Sum", "Mean", "Min", "Max", "StdDev")
DEFAULTS = {"ENABLE": 1, "KEEP": 0, "LENGTH": 1000, "PERIOD": 0.05}


@pytest.fixture(autouse=True)
async def ready(sim: Sim, ioc: Ioc, ca: Any) -> None:
    """Nothing runs and nothing is captured; the bridge listens at the data port."""
    sim.ask("*PCAP.DISARM=")
    sim.put("*CAPTURE=", "*SIM.RATE=20000", "*SIM.SAMPLES=100", "*SIM.PERIOD=0.01")
    sim.put("INENC1.VAL.SCALE=0.5", "INENC1.VAL.OFFSET=-3", "INENC1.VAL.UNITS=mm")
    for name, value in DEFAULTS.items():
        await ca.caput(ioc.pv(f"DATA:LIVE:{name}"), value, wait=True)
    await _until_readers(sim, 1)


async def _until_readers(sim: Sim, count: int) -> None:
    await until(
        lambda: sim.ask("*PCAP.STATUS?")[0].split()[2] == str(count), f"{count} data clients"
    )


async def _arm(ca: Any, ioc: Ioc, value: int = 1) -> Any:
    return await ca.caput(ioc.pv("PCAP:ARM"), value, wait=True, timeout=20, throw=False)


async def _run(sim: Sim, ca: Any, ioc: Ioc) -> int:
    """One whole acquisition; how many samples it had: never the same number twice."""
    samples = next(SAMPLES)
    sim.put(f"*SIM.SAMPLES={samples}")
    with (
        CaSeen(ca, ioc.pv("DATA:LIVE:RECEIVED")) as received,
        CaSeen(ca, ioc.pv("DATA:LIVE:STATE")) as state,
    ):
        assert (await _arm(ca, ioc)).ok
        await received.until(lambda update: update == samples)
        await until(lambda: state.updates[-1] == "Ended: Ok", "the end")
    return samples


class OtherClient:
    """A plain socket at the data port: what the box itself says in scaled numbers."""

    def __init__(self, sim: Sim) -> None:
        self._socket = socket.create_connection((sim.host, sim.data_port), 20)
        self._socket.sendall(b"ASCII SCALED ONE_SHOT\n")
        self._lines = self._socket.makefile()
        assert self._lines.readline() == "OK\n"

    def columns(self) -> dict[str, list[float]]:
        """All that comes, by "FIELD KIND"."""
        lines = [line.rstrip("\n") for line in self._lines]
        self._socket.close()
        start = lines.index("fields:") + 1
        blank = lines.index("", start)
        names = [" ".join((words := line.split())[:1] + words[2:3]) for line in lines[start:blank]]
        rows = [[float(x) for x in line.split()] for line in lines[blank + 1 :] if line[:1] != "E"]
        return {name: [row[i] for row in rows] for i, name in enumerate(names)}


async def test_waveforms_hold_what_the_box_sends(sim: Sim, ioc: Ioc, ca: Any) -> None:
    sim.put(f"INENC1.VAL.CAPTURE={' '.join(KINDS)}", "INENC2.VAL.CAPTURE=Value")
    sim.put("PCAP.TS_TRIG.CAPTURE=Value", "PCAP.BITS0.CAPTURE=Value")
    other = OtherClient(sim)
    samples = await _run(sim, ca, ioc)
    sent = await asyncio.to_thread(other.columns)
    wanted = {f"INENC1.VAL {kind}" for kind in KINDS}
    assert wanted | {"INENC2.VAL Value", "PCAP.TS_TRIG Value", "PCAP.BITS0 Value"} <= set(sent)
    for name, values in sent.items():
        field, kind = name.split()
        waveform = await ca.caget(ioc.pv(f"{field.replace('.', ':')}:DATA:{kind.upper()}"))
        assert len(waveform) == len(values) == samples, name
        np.testing.assert_allclose(waveform, values, rtol=1e-9, atol=1e-9, err_msg=name)
    assert await ca.caget(ioc.pv("DATA:LIVE:RECEIVED")) == samples
    assert await ca.caget(ioc.pv("DATA:LIVE:DROPPED")) == 0


async def test_waveforms_are_what_the_hardware_measured(sim: Sim, ioc: Ioc, ca: Any) -> None:
    """Mean and standard deviation are exact: the simulator documents them."""
    sim.put("INENC1.VAL.CAPTURE=Value Mean StdDev Min Max")
    samples = await _run(sim, ca, ioc)
    value, mean, deviation, low, high = await ca.caget(
        [ioc.pv(f"INENC1:VAL:DATA:{k}") for k in ("VALUE", "MEAN", "STDDEV", "MIN", "MAX")]
    )
    spread = 1 + np.arange(samples) % 7
    np.testing.assert_allclose(mean, value)
    np.testing.assert_allclose(deviation, 0.5 * spread)
    np.testing.assert_allclose(high - value, 0.5 * spread)
    np.testing.assert_allclose(value - low, 0.5 * spread)
    assert await ca.caget(ioc.pv("INENC1:VAL:DATA:STDDEV.EGU")) == "mm"
    assert await ca.caget(ioc.pv("PCAP:TS_TRIG:DATA:VALUE.EGU")) == "s"


async def test_columns_that_are_captured_no_more_become_empty(sim: Sim, ioc: Ioc, ca: Any) -> None:
    sim.put("INENC1.VAL.CAPTURE=Value Min")
    samples = await _run(sim, ca, ioc)
    assert len(await ca.caget(ioc.pv("INENC1:VAL:DATA:MIN"))) == samples
    sim.put("INENC1.VAL.CAPTURE=Value")
    samples = await _run(sim, ca, ioc)
    assert len(await ca.caget(ioc.pv("INENC1:VAL:DATA:VALUE"))) == samples
    assert len(await ca.caget(ioc.pv("INENC1:VAL:DATA:MIN"))) == 0


# -- arming -------------------------------------------------------------------------------------


async def test_arm_is_done_when_the_box_is_active(sim: Sim, ioc: Ioc, ca: Any) -> None:
    sim.put("INENC1.VAL.CAPTURE=Value", "*SIM.SAMPLES=0")
    assert (await _arm(ca, ioc)).ok
    assert sim.ask("PCAP.ACTIVE?") == ["OK =1"]
    assert await ca.caget(ioc.pv("PCAP:ARM")) == 1
    with CaSeen(ca, ioc.pv("DATA:LIVE:STATE")) as state:
        await state.until(lambda update: update == "Running")
        assert (await _arm(ca, ioc, 0)).ok
        assert sim.ask("PCAP.ACTIVE?") == ["OK =0"]
        assert await ca.caget(ioc.pv("PCAP:ARM")) == 0
        ended = await state.until(lambda update: update == "Ended: Disarmed")
        assert ended.severity == NO_ALARM


async def test_arm_goes_back_when_the_acquisition_ends_by_itself(
    sim: Sim, ioc: Ioc, ca: Any
) -> None:
    sim.put("INENC1.VAL.CAPTURE=Value", "*SIM.RATE=1000")
    with CaSeen(ca, ioc.pv("PCAP:ARM")) as seen:
        await seen.first()
        assert (await _arm(ca, ioc)).ok
        await seen.until(lambda update: update == 1)
        await until(lambda: seen.updates[-1] == 0, "ARM back at 0")


async def test_an_acquisition_that_is_over_at_once_is_armed_all_the_same(
    sim: Sim, ioc: Ioc, ca: Any
) -> None:
    sim.put("INENC1.VAL.CAPTURE=Value", "*SIM.RATE=1000000", "*SIM.SAMPLES=1")
    assert (await _arm(ca, ioc)).ok
    await until(lambda: sim.ask("PCAP.ACTIVE?") == ["OK =0"], "the end")
    with CaSeen(ca, ioc.pv("PCAP:ARM")) as seen:
        await until(lambda: seen.updates[-1:] == [0], "ARM at 0")


async def _wait(ca: Any, ioc: Ioc) -> Any:
    return await ca.caput(ioc.pv("PCAP:WAIT"), 1, wait=True, timeout=20, throw=False)


async def test_a_put_to_wait_is_done_when_the_acquisition_is(sim: Sim, ioc: Ioc, ca: Any) -> None:
    sim.put("INENC1.VAL.CAPTURE=Value", "*SIM.RATE=1000", "*SIM.SAMPLES=500")
    assert (await _wait(ca, ioc)).ok  # at once: nothing runs
    assert (await _arm(ca, ioc)).ok
    start = time.monotonic()
    assert (await _wait(ca, ioc)).ok
    assert sim.ask("PCAP.ACTIVE?") == ["OK =0"]
    assert time.monotonic() - start > 0.3
    assert await ca.caget(ioc.pv("PCAP:WAIT")) == 0


@pytest.mark.parametrize("reason", ["Data overrun", "Framing error"])
async def test_a_put_to_wait_fails_if_the_acquisition_does(
    sim: Sim, ioc: Ioc, ca: Any, reason: str
) -> None:
    sim.put("INENC1.VAL.CAPTURE=Value", "*SIM.SAMPLES=0")
    assert (await _arm(ca, ioc)).ok
    waiting = asyncio.create_task(_wait(ca, ioc))
    await caught_up(sim, ioc, ca)
    assert not waiting.done()
    sim.put(f"*SIM.END={reason}")
    failed = await waiting
    assert failed.errorcode == ECA_PUTFAIL
    assert reason in str(await ca.caget(ioc.pv("ERROR"), datatype=ca.DBR_CHAR_STR))


async def test_arm_by_another_client_is_shown(sim: Sim, ioc: Ioc, ca: Any) -> None:
    sim.put("INENC1.VAL.CAPTURE=Value", "*SIM.SAMPLES=0")
    with CaSeen(ca, ioc.pv("PCAP:ARM")) as seen:
        await seen.until(lambda update: update == 0)
        sim.put("*PCAP.ARM=")
        await seen.until(lambda update: update == 1)
        sim.put("*PCAP.DISARM=")
        await until(lambda: seen.updates[-1] == 0, "ARM at 0")


async def test_refused_arms_fail_with_the_box_s_words(
    sim: Sim, ioc: Ioc, ca: Any, pva: Any
) -> None:
    name = ioc.pv("PCAP:ARM")
    assert (await _arm(ca, ioc)).errorcode == ECA_PUTFAIL
    shown = await ca.caget(name, format=ca.FORMAT_TIME)
    assert (shown, shown.severity, shown.status) == (0, INVALID, WRITE)
    assert await ca.caget(f"{name}.AMSG") == "Nothing configured for capture"

    sim.put("INENC1.VAL.CAPTURE=Value", "*SIM.SAMPLES=0")
    assert (await _arm(ca, ioc)).ok
    assert (await _arm(ca, ioc)).errorcode == ECA_PUTFAIL
    shown = await ca.caget(name, format=ca.FORMAT_TIME)
    assert (shown, shown.severity) == (1, INVALID)
    assert "already in progress" in await ca.caget(ioc.pv("ERROR"), datatype=ca.DBR_CHAR_STR)
    with pytest.raises(Exception, match=r".+"):
        pva.put(name, {"value": {"index": 1}}, request="record[block=true]", timeout=20)
    assert (await _arm(ca, ioc, 0)).ok
    shown = await ca.caget(name, format=ca.FORMAT_TIME)
    assert (shown, shown.severity) == (0, NO_ALARM)


@pytest.mark.parametrize(
    "reason", ["Data overrun", "DMA data error", "Framing error", "Driver data overrun"]
)
async def test_bad_ends_are_said(sim: Sim, ioc: Ioc, ca: Any, reason: str) -> None:
    sim.put("INENC1.VAL.CAPTURE=Value", "*SIM.SAMPLES=0")
    assert (await _arm(ca, ioc)).ok
    with CaSeen(ca, ioc.pv("DATA:LIVE:STATE")) as state:
        await state.until(lambda update: update == "Running")
        sim.put(f"*SIM.END={reason}")
        ended = await state.until(lambda update: update == f"Ended: {reason}")
        assert ended.severity == MAJOR


# -- controls -----------------------------------------------------------------------------------


async def test_the_first_or_the_latest_samples_are_kept(sim: Sim, ioc: Ioc, ca: Any) -> None:
    sim.put("INENC1.VAL.CAPTURE=Value")
    await _run(sim, ca, ioc)
    name = ioc.pv("INENC1:VAL:DATA:VALUE")
    whole = list(await ca.caget(name))
    await ca.caput(ioc.pv("DATA:LIVE:LENGTH"), 100, wait=True)
    samples = await _run(sim, ca, ioc)
    assert list(await ca.caget(name))[: 100 - 1] == whole[samples - 100 :]
    await ca.caput(ioc.pv("DATA:LIVE:KEEP"), 1, wait=True)
    await _run(sim, ca, ioc)
    assert list(await ca.caget(name)) == whole[:100]


async def test_data_are_received_only_while_enabled(sim: Sim, ioc: Ioc, ca: Any) -> None:
    await ca.caput(ioc.pv("DATA:LIVE:ENABLE"), 0, wait=True)
    await _until_readers(sim, 0)
    with CaSeen(ca, ioc.pv("DATA:LIVE:STATE")) as state:
        await state.until(lambda update: update == "Off")
        await ca.caput(ioc.pv("DATA:LIVE:ENABLE"), 1, wait=True)
        await _until_readers(sim, 1)
        await until(lambda: state.updates[-1] == "Waiting for an acquisition", "waiting")


async def test_off_is_shown_though_a_file_still_receives_data(
    sim: Sim, ioc: Ioc, ca: Any, tmp_path: Path
) -> None:
    sim.put("INENC1.VAL.CAPTURE=Value")
    for name, text in (("HDF_DIRECTORY", str(tmp_path)), ("HDF_FILE_NAME", "off.h5")):
        await ca.caput(ioc.pv(f"DATA:{name}"), text, datatype=ca.DBR_CHAR_STR, wait=True)
    await ca.caput(ioc.pv("DATA:CAPTURE"), 1, wait=True, timeout=20)
    with CaSeen(ca, ioc.pv("DATA:LIVE:STATE")) as state:
        await ca.caput(ioc.pv("DATA:LIVE:ENABLE"), 0, wait=True)
        await state.until(lambda update: update == "Off")
        assert (await _arm(ca, ioc)).ok
        await ca.caput(ioc.pv("DATA:CAPTURE"), 0, wait=True, timeout=20)
        assert state.updates[-1] == "Off"


async def test_a_data_port_that_never_was_there_is_said(
    sim: Sim, start_ioc: Starter[Ioc], ca: Any
) -> None:
    (port,) = free_ports(1)
    ioc = start_ioc(f"{sim.host}:{sim.port}:{port}")
    with CaSeen(ca, ioc.pv("DATA:LIVE:STATE")) as state:
        shown = await state.until(lambda update: update == "Disconnected")
        assert (shown.severity, shown.status) == (INVALID, COMM)
    amsg = str(await ca.caget(ioc.pv("DATA:LIVE:STATE.AMSG")))
    assert amsg.startswith(f"data port {sim.host}:{port}: ")


@pytest.mark.parametrize(
    ("control", "good", "bad"),
    [
        ("ENABLE", 1, [2]),
        ("KEEP", 1, [2, 15]),
        ("LENGTH", 17, [0, -1, 100_001]),
        ("PERIOD", 0.5, [0, -1, 0.001, math.nan, math.inf]),
    ],
)
async def test_bad_values_of_controls_are_refused(
    ioc: Ioc, ca: Any, control: str, good: float, bad: list[float]
) -> None:
    name = ioc.pv(f"DATA:LIVE:{control}")
    await ca.caput(name, good, wait=True)
    for value in bad:
        result = await ca.caput(name, value, wait=True, throw=False)
        assert result.errorcode == ECA_PUTFAIL, value
        shown = await ca.caget(name, format=ca.FORMAT_TIME)
        assert (shown, shown.severity, shown.status) == (good, INVALID, WRITE)
        assert await ca.caget(ioc.pv("ERROR"), datatype=ca.DBR_CHAR_STR) != ""
    await ca.caput(name, good, wait=True)
    assert (await ca.caget(name, format=ca.FORMAT_TIME)).severity == NO_ALARM


async def test_the_period_holds_however_fast_frames_come(sim: Sim, ioc: Ioc, ca: Any) -> None:
    sim.put("INENC1.VAL.CAPTURE=Value", "*SIM.SAMPLES=0", "*SIM.PERIOD=0.001", "*SIM.FRAME=20")
    period = 0.2
    await ca.caput(ioc.pv("DATA:LIVE:PERIOD"), period, wait=True)
    assert (await _arm(ca, ioc)).ok
    with CaSeen(ca, ioc.pv("INENC1:VAL:DATA:VALUE")) as seen:
        await until(lambda: len(seen.updates) > 2, "updates")
        start, count = time.monotonic(), len(seen.updates)
        await until(lambda: len(seen.updates) >= count + 8, "more updates")
        elapsed, updates = time.monotonic() - start, len(seen.updates) - count
        assert updates <= elapsed / period + 2
    assert (await _arm(ca, ioc, 0)).ok


async def test_times_of_waveforms_and_order_of_updates(sim: Sim, ioc: Ioc, ca: Any) -> None:
    """A window that moves on shows later samples each time, and never old ones again."""
    sim.put("COUNTER8.OUT.CAPTURE=Value", "COUNTER8.STEP=1", "*SIM.SAMPLES=0", "*SIM.RATE=2000")
    await ca.caput(ioc.pv("DATA:LIVE:LENGTH"), 50, wait=True)
    with CaSeen(ca, ioc.pv("COUNTER8:OUT:DATA:VALUE")) as seen:
        assert (await _arm(ca, ioc)).ok
        await until(lambda: len(seen.updates) > 6, "updates")
        assert (await _arm(ca, ioc, 0)).ok
        updates = [update for update in seen.updates if len(update) == 50]
        for earlier, later in itertools.pairwise(updates):
            assert later.timestamp >= earlier.timestamp
            assert later[-1] >= earlier[-1]
            assert np.all(np.diff(later) == 1)
