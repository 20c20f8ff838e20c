"""Loading an application directory: what is read, and what is said about a bad one."""

from pathlib import Path

import pytest
from wire import control

from panda_ioc.errors import ConfigurationError
from panda_ioc.sim import SimulatedPandA
from panda_ioc.sim.application import PACKAGED, load

GOOD = {
    "config": "PULSE[2]\n    DELAY  time\n    MODE  param enum = 1\n        0  Off\n        1  On\n"
    "    OUT  bit_out\n",
    "registers": "PULSE 2\n    DELAY 0 1\n    MODE 2\n    OUT 0 1\n",
    "description": "PULSE  Pulses\n    DELAY  How late\n",
}


def write(directory: Path, **changed: str) -> Path:
    for name, text in {**GOOD, **changed}.items():
        (directory / name).write_text(text)
    return directory


def test_blocks_and_fields(tmp_path: Path) -> None:
    (block,) = load(write(tmp_path)).blocks
    assert (block.name, block.count, block.description) == ("PULSE", 2, "Pulses")
    delay, mode, out = block.fields.values()
    assert (delay.info, delay.description, delay.registers) == ("time", "How late", ("0", "1"))
    assert (mode.info, mode.default, mode.labels) == ("param enum", "1", ((0, "Off"), (1, "On")))
    assert (out.index, out.registers) == (2, ("0", "1"))


async def test_default_of_a_parameter_is_its_value_at_start(tmp_path: Path) -> None:
    async with SimulatedPandA(write(tmp_path)) as panda, control(panda) as client:
        assert await client.get("PULSE2.MODE") == "On"


async def test_an_enum_begins_at_0_whether_that_has_a_label_or_not(tmp_path: Path) -> None:
    """As a server 4.1 does: its labels are sorted by their numbers, and 272 is none of them."""
    enum = "PULSE\n    MODE  param enum\n        272 MHz\n        37 5Hz Event\n"
    async with SimulatedPandA(write(tmp_path, config=enum)) as panda, control(panda) as client:
        assert await client.ask("*ENUMS.PULSE.MODE?") == ["5Hz Event", "MHz"]
        assert await client.ask("PULSE.MODE?") == ["ERR No label for value"]
        assert await client.ask("*CHANGES.CONFIG?") == ["PULSE.MODE (error)"]
        assert await client.ask("PULSE.MODE=MHz") == ["OK"]
        assert await client.get("PULSE.MODE") == "MHz"


@pytest.mark.parametrize("block", ["PULSE", "CLOCK", "COUNTER", "TTLIN", "INENC", "BITS"])
async def test_a_block_with_other_fields_than_the_packaged_one_holds_still(
    tmp_path: Path, block: str
) -> None:
    application = {name: text.replace("PULSE", block) for name, text in GOOD.items()}
    directory = write(tmp_path, **application)
    async with SimulatedPandA(directory, alive=True) as panda, control(panda) as client:
        assert f"{block}2.DELAY=0" in await client.ask("*CHANGES?")
        assert await client.ask("*CHANGES?") == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"config": "PULSE[2]\n    DELAY\n"}, r"config, line 2: .*needs a type.*'DELAY'"),
        ({"config": "PULSE[0]\n"}, r"config, line 1: a block is written"),
        ({"config": "# nothing\n"}, "no blocks"),
        ({"config": "PULSE\n    DELAY  tome\n"}, "line 2: type tome is not one of param, read"),
        ({"config": "PULSE\n    DELAY  param ime\n"}, "subtype ime is not one of uint, int"),
        ({"config": "PULSE\n    delay  time\n"}, "a field name is made of"),
        ({"config": "PULSE\n    X  ext_out foo\n"}, "an ext_out is one of timestamp"),
        ({"config": "PULSE\n    DELAY  param enum\n        On\n"}, "line 3: a label of an enum"),
        (
            {"config": "PULSE\n    DELAY  param enum\n        1 On\n        1 Off\n"},
            "line 4: numbers and labels of an enum must not be repeated: '1 Off'",
        ),
        (
            {"config": "PULSE\n    DELAY  table 1\n        1 A\n"},
            "line 3: a table column is written",
        ),
        ({"config": "*METADATA\n    A sting\nPULSE\n"}, "constant, string, multiline: 'A sting'"),
        ({"registers": "# none\n"}, "block PULSE is missing in the registers file"),
        ({"registers": "PULSE 2\n    DELAY 0 1\n"}, "field MODE is missing in the registers file"),
    ],
)
def test_bad_files_are_refused_with_file_and_line(
    tmp_path: Path, changed: dict[str, str], said: str
) -> None:
    with pytest.raises(ConfigurationError, match=said):
        load(write(tmp_path, **changed))


@pytest.mark.parametrize(
    ("line", "register", "said"),
    [
        ("X  param uint lots", "0", "line 2: X: the maximum of a uint is a number, not 'lots'"),
        ("X  param uint = many", "0", "default 'many' is not a number"),
        ("X  param scalar a b", "0", "scalar scale offset"),
        ("X  read scalar 0 0", "0", "cannot be 0"),
        ("X  pos_out one", "0", "pos_out .scale"),
        ("X  bit_out", "", "not one bus index an instance"),
        ("X  table 0", "short 8 1", "the number of words in a row"),
        ("X  table 1", "wide 8 1", "short WORDS"),
    ],
)
def test_bad_fields_are_refused_with_file_and_line(
    tmp_path: Path, line: str, register: str, said: str
) -> None:
    write(tmp_path, config=f"B\n    {line}\n", registers=f"B 0\n    X {register}\n", description="")
    with pytest.raises(ConfigurationError, match=said):
        SimulatedPandA(tmp_path)


def test_missing_directory_and_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no such directory; it should hold the files"):
        load(tmp_path / "none")
    with pytest.raises(ConfigurationError, match="config: cannot be read"):
        load(tmp_path)
    (write(tmp_path) / "description").write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(ConfigurationError, match="description: cannot be read as UTF-8"):
        load(tmp_path)


def test_bad_state_is_refused(tmp_path: Path) -> None:
    write(tmp_path, state="PULSE1.DELAY=-1\n")
    with pytest.raises(ConfigurationError, match=r"'PULSE1.DELAY=-1': Time setting out of range"):
        SimulatedPandA(tmp_path)


async def test_unknown_types_are_served_when_asked_for(tmp_path: Path) -> None:
    write(
        tmp_path,
        config="B\n    X  vector 3\n    Y  param complex\n",
        registers="B 0\n    X 0\n    Y 1\n",
    )
    with pytest.raises(ConfigurationError, match="type vector"):
        load(tmp_path)
    async with SimulatedPandA(tmp_path, unknown_types=True) as panda, control(panda) as client:
        assert await client.ask("B.*?") == ["X 0 vector", "Y 1 param complex"]
        assert await client.ask("B.X.*?") == ["INFO"]
        assert await client.get("B.X") == "0"
        assert await client.ask("B.X=1") == ["ERR Field not writeable"]
        assert "B.X=0" in await client.ask("*CHANGES?")


def test_packaged_application_is_hard_for_a_bridge() -> None:
    application = load(PACKAGED)
    fields = [field for block in application.blocks for field in block.fields.values()]
    assert sum(block.count for block in application.blocks) > 70
    assert {field.type for field in fields} == {
        *("param", "read", "write", "time", "bit_out", "pos_out", "ext_out"),
        *("bit_mux", "pos_mux", "table"),
    }
    assert any(block.name[-1].isdigit() for block in application.blocks)
    assert any(len(field.description) > 40 for field in fields)
    assert any(len(field.labels) > 16 for field in fields)
    assert any(len(label) > 25 for field in fields for _, label in field.labels)
    assert any(len(" ".join(field.options[2:])) > 15 for field in fields)
    assert all(field.description for field in fields)
    assert all(column.description for field in fields for column in field.columns)
