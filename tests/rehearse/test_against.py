"""Comparison with a file that a real PandA wrote; a rehearsal of a changed layout stands for it."""

import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from panda_ioc.cli import main

EXAMPLE = ["rehearse", "--example", "exposure-train"]


@pytest.fixture
def real(tmp_path: Path) -> Path:
    """What a PandA captured."""
    path = tmp_path / "real.h5"
    assert main([*EXAMPLE, "-o", str(path)]) == 0
    return path


def compared(capsys: pytest.CaptureFixture[str], real: Path, *options: str) -> list[str]:
    """What differs, and by how much."""
    capsys.readouterr()
    status = main([*EXAMPLE, "--json", "--against", str(real), *options])
    findings = json.loads(capsys.readouterr().out)["findings"]
    wrong = [f["text"] + " " + f["remedy"] for f in findings if f["severity"] == "error"]
    assert status == bool(wrong)
    return wrong


def test_the_same_layout_agrees(capsys: pytest.CaptureFixture[str], real: Path) -> None:
    assert compared(capsys, real) == []


def test_a_longer_gate_differs(capsys: pytest.CaptureFixture[str], real: Path) -> None:
    change = ["--set", "PULSE1.WIDTH=9.001"]
    times, gates = compared(capsys, real, *change)
    assert times.startswith("PCAP.TS_TRIG: 10 of 10 rows differ by more than 96 ns, first row 0")
    assert "all rows differ by the same -1 us" in times
    assert gates.startswith("PCAP.GATE_DURATION: 10 of 10 rows differ")
    assert compared(capsys, real, *change, "--tolerance-time", "2us") == []


def test_rows_that_are_missing_are_found(capsys: pytest.CaptureFixture[str], real: Path) -> None:
    with h5py.File(real, "a") as file:
        for name in [name for name, one in file.items() if isinstance(one, h5py.Dataset)]:
            values, attributes = file[name][:], dict(file[name].attrs)
            del file[name]
            file[name] = np.delete(values, 4)
            file[name].attrs.update(attributes)
    rows, *others = compared(capsys, real)
    assert rows == "has 9 rows, the rehearsal 10 by PCAP.TS_TRIG they part at row 4"
    assert any("first row 4" in other for other in others)


def test_files_of_other_programs_are_read_by_the_names_of_their_columns(
    capsys: pytest.CaptureFixture[str], real: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.h5"
    with h5py.File(real) as file, h5py.File(other, "w") as made:
        made["PCAP.TS_TRIG.Value"] = file["PCAP.TS_TRIG.Value"][:]
    assert compared(capsys, other) == []
    with h5py.File(other, "a") as made:
        made["PCAP.TS_TRIG.Value"][3] += 1e-3
    [difference] = compared(capsys, other)
    assert "1 of 10 rows differ by more than 96 ns, first row 3" in difference
    assert "at most by 1 ms" in difference


def test_another_end_differs(capsys: pytest.CaptureFixture[str], real: Path) -> None:
    with h5py.File(real, "a") as file:
        file.attrs.modify("end_reason", np.bytes_("Disarmed"))
    assert compared(capsys, real) == ["ended with 'Disarmed', the rehearsal with 'Ok' "]


def test_a_file_that_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.h5").write_text("no")
    assert main([*EXAMPLE, "--against", str(tmp_path / "x.h5")]) == 1
    assert "cannot be read as HDF5" in capsys.readouterr().err
