"""Set-ups of timing files, put to a simulated PandA over its control port."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.servers import SHARED

WIRED = SHARED / "twin" / "wired"
SCANS = SHARED / "twin" / "scans"
# By mode of an entry: the capture, and which of its words.
KINDS = [("Value", 0), ("Diff", 0), ("Sum", 0), ("Sum", 1), ("Min", 0), ("Max", 0)]
KINDS += [("StdDev", 0), ("StdDev", 1), ("StdDev", 2)]
EXTERNAL = [(f"TS_{name}", word) for name in ("START", "END", "TRIG") for word in (0, 1)]
EXTERNAL += [("GATE_DURATION", 0)]
WORDS = {"uint32": 1, "int32": 1, "int64": 2, "int96": 3}
# The word of bits that is captured for the one of the files, whose bus is another.
BITS = "PCAP.BITS1"
TIMES = ("PULSE1.DELAY", "PULSE1.WIDTH", "PULSE1.STEP", "CLOCK1.PERIOD", "CLOCK1.WIDTH")
LABELS = {
    "TRIG_EDGE": ("Rising", "Falling", "Either"),
    "DIR": ("Positive", "Negative", "Either"),
    "RELATIVE": ("Absolute", "Relative"),
}
POSITIONS = {"EXT.P0": "INENC1.VAL", "EXT.P1": "INENC2.VAL"}
STROBES = ("PCAP.START_WRITE", "PCAP.WRITE", "PCAP.ARM", "PCAP.DISARM")
# Ticks that a command that arms or disarms takes.
SPACING = 25

# Field, capture, and which of its words.
Word = tuple[str, str, int]


@dataclass
class Wired:
    """One file.

    Attributes:
        words: what a row consists of
        rows: complete rows
    """

    content: dict[str, Any]
    words: list[Word]
    rows: list[list[int]]

    @property
    def armed_at(self) -> int:
        return self._tick_of("PCAP.ARM")

    def _tick_of(self, name: str) -> int:
        return next(int(s["tick"]) for s in self.content["steps"] if name in s["inputs"])

    def setup(self) -> Iterator[str]:
        """Yield the commands to be put before it is armed, but for those of tables."""
        yield "*CAPTURE="
        # They run from the start, and are in the word of bits.
        yield from ("CLOCK2.ENABLE=ZERO", "COUNTER2.TRIG=ZERO")
        for name, delay in self.content["delays"].items():
            yield f"{name}.DELAY={delay}"
        for name, source in self.content["wires"].items():
            yield f"{name}={self.outside(source)}"
        yield "PCAP.TRIG_EDGE=Rising"
        for step in self.content["steps"]:
            for name, value in step["inputs"].items():
                if "TABLE" not in name and name not in STROBES and not name.startswith("EXT"):
                    yield setting(name, value)
        captures: dict[str, set[str]] = {}
        for name, kind, _ in self.words:
            captures.setdefault(name, set()).add(kind)
        for name, kinds in captures.items():
            yield f"{name}.CAPTURE={' '.join(sorted(kinds))}"

    def outside(self, name: str) -> str:
        """Name the input of a PandA that stands for one of the file."""
        if name.startswith("EXT.B"):
            return f"TTLIN{int(name[5:]) + 1}.VAL"
        return POSITIONS.get(name, name)

    def tables(self) -> Iterator[list[str]]:
        """Yield the lines of the commands that write tables."""
        for step in self.content["steps"]:
            for name, length in step["inputs"].items():
                if name.endswith("TABLE_LENGTH"):
                    (words,) = self.content["tables"].values()
                    field = name.removesuffix("_LENGTH")
                    yield [f"{field}<", *map(str, words[:length]), ""]

    def events(self) -> Iterator[str]:
        """Yield the commands after it is armed, at rest: each at its tick."""
        now = self.armed_at + SPACING
        for step in self.content["steps"]:
            if step["tick"] <= self.armed_at:
                continue
            (item,) = step["inputs"].items()
            yield f"*SIM.STEP={step['tick'] - now}"
            yield "*PCAP.DISARM=" if item[0] == "PCAP.DISARM" else self._level(*item)
            now = step["tick"] + (SPACING if item[0] == "PCAP.DISARM" else 1)
        yield f"*SIM.STEP={max(0, self.content['until'] - now)}"

    def _level(self, name: str, value: int) -> str:
        return f"*SIM.SET={self.outside(name)}={value}"


def setting(name: str, value: int) -> str:
    field = name.removesuffix("_L")
    return f"{field}.RAW={value}" if field in TIMES else f"{field}={_label(field, value)}"


def _label(field: str, value: int) -> str:
    if field.endswith("FUNC"):
        return f"0x{value:08X}"
    kind = field.rpartition(".")[2]
    return LABELS[kind][value] if kind in LABELS else str(value)


def load(name: str, directory: Path = WIRED) -> Wired:
    content = json.loads((directory / f"{name}.json").read_text())
    entries = [s["inputs"]["PCAP.WRITE"] for s in content["steps"] if "PCAP.WRITE" in s["inputs"]]
    positions = {index: name for name, index in content["buses"]["positions"].items()}
    words = [word % 2**32 for _, word in content["data"]]
    width = len(entries)
    whole = len(words) // width
    rows = [words[n * width : (n + 1) * width] for n in range(whole)]
    return Wired(content, [_word(entry, positions) for entry in entries], rows)


def _word(entry: int, positions: dict[int, str]) -> Word:
    index, mode = entry >> 4, entry & 0xF
    if index >= 32 + len(EXTERNAL):
        return BITS, "Value", 0
    if index >= 32:
        field, word = EXTERNAL[index - 32]
        return f"PCAP.{field}", "Value", word
    return POSITIONS.get(positions[index], positions[index]), *KINDS[mode]


def chosen(wired: Wired, columns: list[tuple[str, str, str]], row: list[int]) -> list[int]:
    """Take from a raw row the words that a row of the file has, in its order.

    Args:
        wired: a file
        columns: field, type and kind of each column of the row
        row: words as the data port sends them
    """
    words: dict[Word, int] = {}
    place = 0
    for name, type_, kind in columns:
        for number in range(WORDS[type_]):
            words.setdefault((name, kind, number), row[place])
            place += 1
    return [words[word] for word in wired.words]


def signed(row: list[int], wired: Wired) -> dict[tuple[str, str], int]:
    """Return the numbers of a row of the file, by field and capture."""
    numbers: dict[tuple[str, str], int] = {}
    sizes: dict[tuple[str, str], int] = {}
    for (name, kind, number), word in zip(wired.words, row, strict=True):
        numbers[name, kind] = numbers.get((name, kind), 0) | word << 32 * number
        sizes[name, kind] = 32 * (number + 1)
    return {key: value - (value >> sizes[key] - 1 << sizes[key]) for key, value in numbers.items()}


def moved(word: int, bits: dict[str, int], names: list[str]) -> int:
    """Return a word of bits with each bit where `names` has its name, from 0 up."""
    return sum((word >> bits.get(name, 32) & 1) << bit for bit, name in enumerate(names))
