"""Mistakes of scans are caught: each is one change of a layout that works."""

import json
from pathlib import Path
from typing import Any

import pytest

from panda_ioc.cli import main
from panda_ioc.examples import examples

Report = dict[str, Any]


def rehearse(capsys: pytest.CaptureFixture[str], *arguments: str) -> Report:
    """The report of a rehearsal, as programs get it; status and report agree."""
    status = main(["rehearse", *arguments, "--json"])
    captured = capsys.readouterr()
    assert captured.out, captured.err
    report: Report = json.loads(captured.out)
    assert status == (0 if report["ok"] else 1)
    return report


def errors(report: Report) -> list[str]:
    """What is wrong, with what to do about it."""
    return [
        f"{f['about']}: {f['text']}; {f['remedy']}"
        for f in report["findings"]
        if f["severity"] == "error"
    ]


def changed(example: str, *settings: str) -> list[str]:
    options = [option for setting in settings for option in ("--set", setting)]
    return ["--example", example, *options]


@pytest.mark.parametrize("name", examples())
def test_the_examples_work(capsys: pytest.CaptureFixture[str], name: str) -> None:
    report = rehearse(capsys, "--example", name)
    assert errors(report) == []
    assert report["rows"] == report["rows_expected"] > 0
    assert report["completion"] == "Ok"
    assert report["ended_by_itself"]
    assert report["lost_at"] == []


def test_there_are_the_examples_that_are_promised() -> None:
    assert examples() == [
        "exposure-train",
        "gated-mean",
        "line-scan",
        "long-table",
        "position-compare",
        "snake-raster",
    ]


MISTAKES = [
    pytest.param(
        changed("exposure-train", "PULSE1.WIDTH=10.5"),
        5,
        ["PULSE1: dropped 5 of 10 triggers (SEQ1.OUTA): a pulse takes 10.5 ms", "10 ms apart"],
        id="the exposure is longer than the point",
    ),
    pytest.param(
        changed("exposure-train", "PULSE2.WIDTH=8"),
        10,
        ["TTLOUT2.VAL: 9 of 9 times it is low for only 2 ms", "its detector needs 3.5 ms"],
        id="the dead time is forgotten",
    ),
    pytest.param(
        changed("position-compare", "PCOMP1.STEP=5"),
        1,
        ["PCOMP1: STEP (5) is not larger than WIDTH (10)", "made 1 of 60 pulses"],
        id="the step of PCOMP is smaller than its width",
    ),
    pytest.param(
        changed("position-compare", "PCAP.TRIG_EDGE=Falling"),
        59,
        ["PCAP: the last point is lost: a trigger (PCOMP1.OUT) is lost, in the tick in which"],
        id="the last point is lost",
    ),
    pytest.param(
        changed("exposure-train", "PCAP.ENABLE.DELAY=0", "PULSE1.WIDTH.RAW=1249996"),
        9,
        ["PCAP: the last point is lost: a trigger (PULSE1.OUT) is lost, 1 ticks before ENABLE"],
        id="the last row does not get out in time",
    ),
    pytest.param(
        changed("position-compare", "PCOMP1.DIR=Negative"),
        0,
        ["PCOMP1: made 0 of 60 pulses", "the position moves the other way"],
        id="the direction of PCOMP is wrong",
    ),
    pytest.param(
        ["--example", "position-compare", "--trajectory", "INENC1=move:8000,0,1s,0.1s"],
        0,
        ["PCOMP1: made 0 of 60 pulses", "the position moves the other way"],
        id="the motion goes the other way",
    ),
    pytest.param(
        ["--example", "line-scan", "--trajectory", "INENC1=move:13000,0,1.4s,0.1s"],
        100,
        ["SEQ1: line 1 does not wait for POSA>=1000: INENC1.VAL is 13000 when it begins"],
        id="a sequence begins at once, as the motion comes from the other side",
    ),
    pytest.param(
        ["--example", "snake-raster", "--trajectory", "INENC1=ramp:0,10000,0.5s"],
        20,
        [
            "SEQ1: waits for ever at line 3 of 4, repeat 1, for POSA<=8990",
            "line 4 is never reached",
        ],
        id="the stage does not come back",
    ),
    pytest.param(
        changed("exposure-train", "PULSE1.WIDTH.UNITS=s", "PULSE1.WIDTH=9"),
        0,
        ["a pulse takes 9 s", "are the units of PULSE1.WIDTH (s) right?"],
        id="a time is wrong by 1000",
    ),
    pytest.param(
        ["--example", "position-compare", "--trajectory", "INENC1=move:0,8,1s,0.1s"],
        0,
        ["PCOMP1: made 0 of 60", "a factor of about 1000: are the units of PCOMP1.START"],
        id="positions are wrong by 1000",
    ),
    pytest.param(
        changed("exposure-train", "SEQ1.PRESCALE.UNITS=ms", "SEQ1.PRESCALE=1"),
        6,
        ["SEQ1: is still at line 1 of 1, repeat 6", "are the units of SEQ1.PRESCALE"],
        id="the prescaler is wrong by 1000",
    ),
    pytest.param(
        changed("line-scan", "PCAP.ENABLE=ZERO"),
        0,
        ["PCAP: ENABLE (ZERO) never rose"],
        id="PCAP is never enabled",
    ),
    pytest.param(
        changed("line-scan", "SEQ1.ENABLE=ZERO"),
        0,
        ["SEQ1: has a table, but was never enabled"],
        id="SEQ is never enabled",
    ),
    pytest.param(
        changed("line-scan", "PCAP.TRIG=ZERO"),
        0,
        ["PCAP: no row was captured: TRIG is ZERO"],
        id="nothing triggers",
    ),
    pytest.param(
        changed(
            "line-scan",
            *("PCAP.TRIG=CLOCK1.OUT", "CLOCK1.ENABLE=ONE"),
            *("CLOCK1.PERIOD.RAW=4", "PCAP.TRIG_EDGE=Rising"),
        ),
        1,
        ["capture too close", "4 ticks after the one before, a row of 5 words takes 5 ticks"],
        id="rows are longer than the distance of the triggers",
    ),
    pytest.param(
        changed(
            "gated-mean",
            *(
                f"{field}=No"
                for field in (
                    "INENC1.VAL.CAPTURE",
                    "PCAP.TS_TRIG.CAPTURE",
                    "PCAP.GATE_DURATION.CAPTURE",
                )
            ),
        ),
        0,
        ["PCAP: it cannot be armed: Nothing configured for capture"],
        id="nothing is captured",
    ),
]


@pytest.mark.parametrize(("arguments", "rows", "words"), MISTAKES)
def test_a_mistake_is_caught(
    capsys: pytest.CaptureFixture[str], arguments: list[str], rows: int, words: list[str]
) -> None:
    report = rehearse(capsys, *arguments)
    assert report["rows"] == rows
    found = "\n".join(errors(report))
    assert [each for each in words if each not in found] == [], found


def test_without_an_arm_nothing_else_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    settings = ("PCAP.TS_TRIG.CAPTURE=No", "INENC1.VAL.CAPTURE=No")
    report = rehearse(capsys, *changed("position-compare", *settings))
    assert len(errors(report)) == 1


def write_table(path: Path, rows: int, times: str) -> str:
    path.write_text("time1,time2,outa1\n" + f"{times},1\n" * rows)
    return f"SEQ1={path}"


def test_a_table_that_is_too_long_to_be_written_whole(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    table = write_table(tmp_path / "long.csv", 262_145, "5,5")
    assert main(["rehearse", "--example", "exposure-train", "--table", table]) == 1
    assert "262145 lines are too many to be written whole" in capsys.readouterr().err


def test_a_streaming_table_that_is_played_faster_than_it_comes(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    table = write_table(tmp_path / "fast.csv", 6000, "1,1")
    settings = ["--set", "SEQ1.PRESCALE.RAW=0"]
    report = rehearse(
        capsys, "--example", "exposure-train", *settings, "--stream", table, "--for", "100ms"
    )
    assert "SEQ1: HEALTH: DMA underrun" in "\n".join(errors(report))


def test_a_long_fixed_table_that_is_to_be_repeated_is_doubtful(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    table = write_table(tmp_path / "table.csv", 4096, "30,30")
    report = rehearse(
        capsys, *changed("exposure-train", "SEQ1.REPEATS=2"), "--table", table, "--for", "1s"
    )
    warnings = [f["text"] for f in report["findings"] if f["severity"] == "warning"]
    assert any("4096 lines does not stay in the block" in text for text in warnings)


def test_a_streaming_table_is_played_once(capsys: pytest.CaptureFixture[str]) -> None:
    report = rehearse(capsys, *changed("long-table", "SEQ1.REPEATS=3"))
    warnings = [f["text"] for f in report["findings"] if f["severity"] == "warning"]
    assert warnings == ["REPEATS is 3, but a streaming table is played once"]
    assert report["rows"] == 5000
