"""`panda-ioc rehearse`: what it prints, writes and draws, and what it refuses."""

import json
import re
import subprocess
from pathlib import Path

import h5py
import numpy as np
import pytest

from panda_ioc.cli import main
from panda_ioc.examples import EXAMPLES
from support.servers import PROGRAM

TICK = 8e-9
LAYOUT = """\
# rehearse: --expect-rows 3 --for 1ms
PCAP.TS_TRIG.CAPTURE=Value
COUNTER1.OUT.CAPTURE=Value
SEQ1.REPEATS=1
SEQ1.ENABLE=PCAP.ACTIVE
COUNTER1.ENABLE=ONE
COUNTER1.TRIG=SEQ1.OUTA
PCAP.ENABLE=SEQ1.ACTIVE
PCAP.TRIG=SEQ1.OUTA
SEQ1.TABLE<
1048579
0
1000
250

"""


@pytest.fixture
def layout(tmp_path: Path) -> Path:
    """Three points of 10 us, as a file."""
    path = tmp_path / "layout.panda"
    path.write_text(LAYOUT)
    return path


def test_the_report_for_people(layout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rehearse", str(layout)]) == 0
    assert capsys.readouterr().out == (
        "Rehearsal of layout.panda\n"
        "\n"
        "rows        3 of 3 expected\n"
        "first, last 56 ns, 20.056 us after the arm\n"
        "triggers    at least 10 us apart (at 10.056 us); PCAP can take 24 ns (3 words a row)\n"
        "completion  Ok\n"
        "health      PCAP OK, SEQ1 OK\n"
        "simulated   1 ms\n"
        "\n"
        "Nothing is wrong.\n"
    )


def test_fewer_rows_than_expected_fail(layout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rehearse", str(layout), "--expect-rows", "4"]) == 1
    assert "error: rows: 3 rows were captured, 4 were expected" in capsys.readouterr().out


def test_the_file_is_that_of_a_capture(layout: Path, tmp_path: Path) -> None:
    file = tmp_path / "rows.h5"
    assert main(["rehearse", str(layout), "-o", str(file)]) == 0
    with h5py.File(file) as written:
        times = written["PCAP.TS_TRIG.Value"]
        assert times.attrs["panda_field"] == "PCAP.TS_TRIG"
        assert times.attrs["units"] == "s"
        np.testing.assert_allclose(np.diff(times[:]) / TICK, [1250, 1250], rtol=1e-9)
        # The counter still shows what it was before the trigger that it counts.
        assert written["COUNTER1.OUT.Value"][:].tolist() == [0, 1, 2]
        assert written.attrs["end_reason"] == b"Ok"
        assert written.attrs["samples"] == 3
        assert written["entry/data"].attrs["signal"] == "COUNTER1.OUT.Value"


def test_rows_are_plotted(layout: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    assert main(["rehearse", str(layout), "--plot", str(tmp_path / "rows.png")]) == 0
    assert (tmp_path / "rows.png").read_bytes().startswith(b"\x89PNG")


def test_a_saved_state_of_a_panda_is_a_layout(
    layout: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Settings that no PandA takes are left out, those of other blocks are named."""
    layout.write_text(LAYOUT.replace("SEQ1.REPEATS=1", "SEQ1.REPEATS=1\nFMC_IN.VAL1.CAPTURE=No"))
    assert main(["rehearse", str(layout), "--set", "SEQ1.REPEATS=1", "--json"]) == 0
    [finding] = json.loads(capsys.readouterr().out)["findings"]
    assert finding["severity"] == "warning"
    assert "FMC_IN" in finding["text"]


def test_a_setting_that_is_refused_fails(layout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    layout.write_text(LAYOUT.replace("SEQ1.REPEATS=1", "SEQ1.REPEATS=many"))
    assert main(["rehearse", str(layout)]) == 1
    assert "error: SEQ1.REPEATS: SEQ1.REPEATS=many: " in capsys.readouterr().out


def test_settings_after_the_arm(layout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    layout.write_text(LAYOUT.replace("SEQ1.ENABLE=PCAP.ACTIVE\n", ""))
    assert main(["rehearse", str(layout)]) == 1
    assert main(["rehearse", str(layout), "--after-arm", "SEQ1.ENABLE=ONE"]) == 0
    assert "rows        3 of 3 expected" in capsys.readouterr().out


def test_pcap_that_is_always_enabled_is_disarmed_in_the_end(
    layout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rehearse", str(layout), "--set", "PCAP.ENABLE=ONE", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["completion"], report["ended_by_itself"]) == ("Disarmed", False)
    assert "ENABLE is ONE" in report["findings"][0]["text"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere.panda"], "nowhere.panda: cannot be read: No such file"),
        (["LAYOUT", "--set", "PULSE9.WIDTH=1"], "PULSE9.WIDTH=1 -> ERR"),
        (
            ["LAYOUT", "--table", "PULSE1=x.csv"],
            "PULSE1.TABLE is no table; there are PGEN1.TABLE, ",
        ),
        (["LAYOUT", "--table", "SEQ1=x.csv"], "x.csv: cannot be read"),
        (["LAYOUT", "--trajectory", "INENC1=jump:1"], "--trajectory INENC1: 'jump:1' is no traj"),
        (["LAYOUT", "--trajectory", "SEQ1.OUTA=ramp:0,1,1s"], "SEQ1.OUTA cannot move"),
        (["LAYOUT", "--dead-time", "NOTHING=1ms"], "NOTHING.VAL is neither an output"),
        (["LAYOUT", "--svg", "x.svg", "--signals", "X.Y"], "X.Y is neither an output"),
        (["LAYOUT", "--svg", "x.svg", "--around", "SEQ1.OUTA rise 9"], "it does so 3 times only"),
        (["LAYOUT", "--svg", "x.svg", "--around", "SEQ1.OUTA up"], "no event; write SIGNAL rise"),
        (["LAYOUT", "--svg", "x.svg", "--from", "2s", "--to", "1s"], "--from has to be before"),
        (["LAYOUT", "--against", "no.h5"], "no.h5: no such file"),
    ],
)
def test_what_cannot_be_done_is_told(
    layout: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    given = [argument.replace("LAYOUT", str(layout)) for argument in arguments]
    assert main(["rehearse", *given]) == 1
    assert words in capsys.readouterr().err


def test_options_of_a_layout_that_make_no_sense_name_the_layout(
    layout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    layout.write_text(LAYOUT.replace("--for 1ms", "--for ever"))
    assert main(["rehearse", str(layout)]) == 1
    assert re.search(r"layout\.panda: # rehearse: .*'ever' is no time", capsys.readouterr().err)


def test_the_command_line_goes_before_the_layout(
    layout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rehearse", str(layout), "--for", "25us", "--expect-rows", "3", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["simulated"] == pytest.approx(25e-6)


def test_files_that_a_layout_names_are_found_beside_it(
    layout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "points.csv").write_text("repeats,time1,time2,outa1\n5,100,100,1\n")
    layout.write_text(f"# rehearse: --table SEQ1=points.csv --expect-rows 5\n{LAYOUT[38:]}")
    monkeypatch.chdir("/")
    assert main(["rehearse", str(layout)]) == 0


def test_tables_with_labels_and_without_columns(
    layout: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "points.csv"
    table.write_text(
        "# points\nTrigger, TIME1, time2, outa1\nImmediate, 10, 990, 1\nBITA=0,1,9,1\n"
    )
    assert main(["rehearse", str(layout), "--table", f"SEQ1={table}", "--expect-rows", "2"]) == 0
    table.write_text("trigger,colour\nImmediate,1\n")
    assert main(["rehearse", str(layout), "--table", f"SEQ1={table}"]) == 1
    assert "SEQ1.TABLE has no column 'COLOUR'; there are REPEATS" in capsys.readouterr().err
    table.write_text("time1,time2\n1,2\n3\n")
    assert main(["rehearse", str(layout), "--table", f"SEQ1={table}"]) == 1
    assert "points.csv, line 3: 1 values for 2 columns" in capsys.readouterr().err


def test_a_hundred_thousand_points_are_rehearsed(tmp_path: Path) -> None:
    table = tmp_path / "points.csv"
    table.write_text("repeats,time1,time2,outa1\n50000,5,5,1\n50000,6,6,1\n")
    options = (
        f"--table SEQ1={table} --set PULSE1.WIDTH.UNITS=us --set PULSE1.WIDTH=8"
        " --set PULSE2.WIDTH.UNITS=us --set PULSE2.WIDTH=6"
        " --dead-time TTLOUT1=1us --dead-time TTLOUT2=1us"
        f" --expect-rows 100000 -o {tmp_path / 'rows.h5'}"
    )
    assert main(["rehearse", "--example", "exposure-train", *options.split()]) == 0
    with h5py.File(tmp_path / "rows.h5") as file:
        assert len(file["PCAP.TS_TRIG.Value"]) == 100_000


def test_a_level_at_a_connector_starts_a_scan(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    layout = tmp_path / "gated.panda"
    text = (EXAMPLES / "exposure-train.panda").read_text()
    layout.write_text(text.replace("SEQ1.ENABLE=PCAP.ACTIVE", "SEQ1.ENABLE=TTLIN1.VAL"))
    assert main(["rehearse", str(layout), "--for", "1s"]) == 1
    assert "SEQ1: has a table, but was never enabled" in capsys.readouterr().out
    assert main(["rehearse", str(layout), "--for", "1s", "--after-arm", "TTLIN1.VAL=1"]) == 0


def test_settings_and_positions_of_inputs_can_be_set(
    layout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Only what comes from outside is a level: a termination is a setting as any other."""
    settings = ("TTLIN1.TERM=50-Ohm", "SFP2_SYNC_IN.BIT1=1", "INENC1.VAL=-7")
    assert main(["rehearse", str(layout), *(f"--set={s}" for s in settings)]) == 0
    assert main(["rehearse", str(layout), "--set", "TTLIN1.TERM=60-Ohm"]) == 1
    assert "TTLIN1.TERM" in capsys.readouterr().err


def test_it_is_a_command_with_a_progress_bar_on_terminals_only() -> None:
    done = subprocess.run(
        [*PROGRAM, "rehearse", "--example", "line-scan"], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "rows        100 of 100 expected" in done.stdout


def test_examples_are_saved_states_that_a_panda_takes(capsys: pytest.CaptureFixture[str]) -> None:
    for path in EXAMPLES.glob("*.panda"):
        assert main(["rehearse", str(path), "--json"]) == 0, path
        findings = json.loads(capsys.readouterr().out)["findings"]
        assert [f for f in findings if f["severity"] != "note"] == []


def test_an_example_is_copied_with_its_tables(tmp_path: Path) -> None:
    assert main(["rehearse", "--example", "snake-raster", "--copy-to", str(tmp_path)]) == 0
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["snake-raster-y.csv", "snake-raster.panda"]
    assert main(["rehearse", str(tmp_path / "snake-raster.panda")]) == 0


def test_layouts_of_the_simulator_have_motions(
    layout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """They start when a bit rises, and so do those of the command line."""
    lines = "*SIM.SPEED=0\n*SIM.TRAJECTORY=INENC1@PCAP.ACTIVE=ramp:0,100,1ms\n"
    wires = "PCOMP1.ENABLE=ONE\nPCOMP1.INP=INENC1.VAL\nPCOMP1.START=50\nPCOMP1.PULSES=1\n"
    wires += "PCOMP1.WIDTH=1\nPCOMP1.STEP=2\n"
    layout.write_text(LAYOUT.replace("SEQ1.REPEATS=1\n", f"SEQ1.REPEATS=1\n{wires}{lines}"))
    assert main(["rehearse", str(layout), "--for", "2ms"]) == 0
    motion = "INENC1@SEQ1.ACTIVE=ramp:0,40,1ms"
    assert main(["rehearse", str(layout), "--for", "2ms", "--trajectory", motion]) == 1
    assert "PCOMP1: made 0 of 1 pulses" in capsys.readouterr().out
