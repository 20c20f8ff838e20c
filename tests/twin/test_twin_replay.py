"""What replay says of files that are right and of files that are not."""

import json
from pathlib import Path
from typing import Any

import pytest

from twin.replay import main

VECTORS = {
    "block": "SRGATE",
    "signals": {"ENABLE": "bit_in", "SET": "bit_in", "RST": "bit_in", "OUT": "bit_out"},
    "strobes": [],
    "tables": {},
    "sequences": [
        {
            "name": "one edge",
            "steps": [
                {"tick": 5, "inputs": {"ENABLE": 1}, "outputs": {}},
                {"tick": 10, "inputs": {"SET": 1}, "outputs": {"OUT": 1}},
                {"tick": 20, "inputs": {"RST": 1}, "outputs": {"OUT": 0}},
            ],
        }
    ],
}
WIRED = {
    "name": "counted",
    "delays": {"PCAP.TRIG": 3},
    "tables": {},
    "until": 60,
    "wires": {"PCAP.ENABLE": "ONE", "PCAP.GATE": "ONE", "PCAP.TRIG": "EXT.B0"},
    "buses": {"bits": {"EXT.B0": 0}, "positions": {"EXT.P0": 0}},
    "start": {},
    "steps": [
        {"tick": 2, "inputs": {"PCAP.START_WRITE": 0}},
        {"tick": 3, "inputs": {"PCAP.WRITE": 0}},
        {"tick": 5, "inputs": {"PCAP.ARM": 0}},
        {"tick": 10, "inputs": {"EXT.P0": -7}},
        {"tick": 20, "inputs": {"EXT.B0": 1}},
    ],
    "changes": [[6, "PCAP.ACTIVE", 1]],
    "data": [[31, 2**32 - 7]],
}


def _replay(tmp_path: Path, content: dict[str, Any], *options: str) -> int:
    path = tmp_path / "file.json"
    path.write_text(json.dumps(content))
    return main([str(path), *options])


@pytest.mark.parametrize("content", [VECTORS, WIRED], ids=["vectors", "wired"])
@pytest.mark.parametrize("options", [(), ("--slices", "5")], ids=["whole", "sliced"])
def test_a_right_file(
    content: dict[str, Any],
    options: tuple[str, ...],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert _replay(tmp_path, content, *options) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "1 of 1 sequences"


@pytest.mark.parametrize(
    ("was", "now", "complaint"),
    [
        ('"OUT": 0', '"OUT": 1', "one edge: tick 20, SRGATE.OUT: expected 1, got 0"),
        (
            '[6, "PCAP.ACTIVE", 1]',
            '[7, "PCAP.ACTIVE", 1]',
            "6, PCAP.ACTIVE: expected 0, got 1",
        ),
        ("[31, 4294967289]", "[32, -7]", "tick 31, DATA: expected None, got 4294967289"),
        ("[31, 4294967289]", "[31, -8]", "tick 31, DATA: expected -8, got 4294967289"),
        ('"PCAP.TRIG": "EXT.B0"', '"PCAP.TRIG": "XYZ1.OUT"', "no block type 'XYZ'"),
    ],
)
def test_the_first_difference_is_told(
    was: str, now: str, complaint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = json.dumps(VECTORS if was in json.dumps(VECTORS) else WIRED)
    content = json.loads(text.replace(was, now))
    assert _replay(tmp_path, content) == 1
    out = capsys.readouterr().out
    assert complaint in out
    assert out.splitlines()[-1] == "0 of 1 sequences"


def test_a_file_that_is_not_there_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["nowhere.json"])
    assert "no such file: nowhere.json" in capsys.readouterr().err
