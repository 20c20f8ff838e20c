"""Connections: lines, tables under way, who is there, and the file that outlives it all."""

import re
from contextlib import suppress
from pathlib import Path

import pytest
from wire import Wire, control, data

from panda_ioc.sim import SimulatedPandA

# Lines


async def test_the_longest_line_is_answered_and_a_longer_one_closes(client: Wire) -> None:
    (reply,) = await client.ask("x" * 1022)
    assert reply == "ERR Unknown command"
    client.writer.write(b"*ECHO 1?\n" + b"x" * 1023)
    assert await client.rest() == b"OK =1\n"


async def test_a_table_line_that_is_too_long_closes_too(client: Wire) -> None:
    client.writer.write(b"PGEN1.TABLE<\n" + b"1 " * 600 + b"\n\n")
    assert await client.rest() == b""


@pytest.mark.parametrize("junk", [b"x" * 1023, b"x" * 5000 + b"\n"])
async def test_options_that_are_too_long_close_the_data_port(
    panda: SimulatedPandA, junk: bytes
) -> None:
    stream = await Wire.connect(panda.host, panda.data_port)
    stream.writer.write(junk)
    # What was not read makes the end a reset.
    with suppress(ConnectionResetError):
        assert await stream.rest() == b""
    await stream.close()


async def test_a_line_ends_at_a_nul(client: Wire) -> None:
    await client.put("PULSE1.PULSES=7\0 and more")
    assert await client.get("PULSE1.PULSES") == "7"


@pytest.mark.parametrize("text", ["x" * 255, "é" * 127, "x" * 256, "é" * 128])
async def test_a_text_that_is_too_long_to_be_shown(client: Wire, text: str) -> None:
    fits = len(text.encode()) < 256
    await client.put("*CHANGES=", f"INENC1.VAL.UNITS={text}")
    (reply,) = await client.ask("INENC1.VAL.UNITS?")
    assert reply == (f"OK ={text}" if fits else "ERR Result too long")
    assert await client.ask("*CHANGES?") == ["INENC1.VAL.UNITS (error)"]


async def test_metadata_that_is_too_long_is_reported_in_part(client: Wire) -> None:
    await client.put("*CHANGES=", f"*METADATA.DESIGN={'x' * 300}")
    (line,) = await client.ask("*CHANGES?")
    assert line == "*METADATA.DESIGN=" + "x" * (255 - len("*METADATA.DESIGN="))


# Changes


@pytest.mark.parametrize("field", ["PULSE1.DELAY", "OUTENC1.QPERIOD"])
async def test_other_units_are_a_change_of_the_number_too(client: Wire, field: str) -> None:
    await client.put(f"{field}=1", "*CHANGES=", f"{field}.UNITS=ms")
    assert sorted(await client.ask("*CHANGES?")) == [f"{field}.UNITS=ms", f"{field}=1000"]


async def test_changes_list_an_attribute_that_cannot_be_written(client: Wire) -> None:
    assert "SEQ1.TABLE.QUEUED_LINES=0" in await client.ask("*CHANGES.ATTR?")
    assert await client.ask("SEQ1.TABLE.QUEUED_LINES=0") == ["ERR Attribute not writeable"]


# Tables


async def test_a_table_is_written_by_one_at_a_time(panda: SimulatedPandA, client: Wire) -> None:
    async with control(panda) as other:
        other.writer.write(b"PGEN1.TABLE<\n1\n")
        await other.writer.drain()
        await client.get_until("*ECHO x", "x".__eq__)
        busy = ["ERR Table currently being written"]
        while await client.ask("PGEN1.TABLE<", "2", "") != busy:
            pass
        assert await other.ask("3", "") == ["OK"]
        assert await client.ask("PGEN1.TABLE?") == ["1", "3"]
        other.writer.write(b"PGEN1.TABLE<\n5\n")
        while await client.ask("PGEN1.TABLE<", "1", "3", "") != busy:
            pass
    while await client.ask("PGEN1.TABLE<", "4", "") == busy:
        pass
    assert await client.ask("PGEN1.TABLE?") == ["4"]


async def test_base64_comes_in_lines_of_whole_words(client: Wire) -> None:
    await client.ask("PGEN1.TABLE<", *map(str, range(100)), "")
    lines = await client.ask("PGEN1.TABLE.B?")
    assert [len(line) for line in lines] == [64] * 8 + [24]
    assert await client.ask("PGEN1.TABLE<B", *lines, "") == ["OK"]
    assert await client.ask("PGEN1.TABLE?") == [str(number) for number in range(100)]


async def test_a_chunk_for_a_fixed_table_is_refused(client: Wire) -> None:
    await client.ask("PGEN1.TABLE<", "1", "")
    assert await client.ask("PGEN1.TABLE<<", "2", "") == ["ERR Table is in fixed mode"]
    assert await client.get("PGEN1.TABLE.MODE") == "FIXED"


async def test_a_short_table_does_not_stream(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("B\n    T  table 1\n        31:0 A\n")
    (tmp_path / "registers").write_text("B 0\n    T  short 16 0 1 2\n")
    (tmp_path / "description").write_text("B  Block\n    T  Table\n")
    async with SimulatedPandA(tmp_path) as panda, control(panda) as client:
        refused = "ERR Table do not support streaming mode"
        assert await client.ask("B.T<<", "1", "") == [refused]
        assert await client.ask("B.T<", "1 " * 16 + "1", "") == ["ERR Too many points for table"]
        too_long = "ERR Input string too long for output buffer"
        assert await client.ask("B.T<B", "A" * 88, "") == [too_long]
        assert await client.ask("*DESC.B.T[].A?") == ["ERR No description for table sub-field"]


# Who is there


async def test_who_lists_both_ports(panda: SimulatedPandA, client: Wire) -> None:
    async with data(panda, "XML FRAMED RAW") as stream:
        await stream.line()
        lines = await client.ask("*WHO?")
        own = ":".join(map(str, client.writer.get_extra_info("sockname")))
        taker = ":".join(map(str, stream.writer.get_extra_info("sockname")))
    time = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
    assert re.fullmatch(rf"{time} data {re.escape(taker)} ", lines[0])
    assert re.fullmatch(rf"{time} config {re.escape(own)} ", lines[1])
    while len(await client.ask("*WHO?")) > 1:
        pass


async def test_commands_are_logged_when_asked_for(
    client: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    await client.put("*VERBOSE=1", "PULSE1.PULSES=7", "*VERBOSE=0", "PULSE1.PULSES=8")
    assert [r.getMessage() for r in caplog.records] == ["< PULSE1.PULSES=7", "< *VERBOSE=0"]


# The file


async def test_without_a_file_nothing_can_be_saved(client: Wire) -> None:
    assert await client.ask("*SAVESTATE=") == ["ERR No persistence state configured"]


SETTINGS = ["PULSE1.DELAY.UNITS=ms", "PULSE1.DELAY=7", "LUT1.FUNC=A&B", "*METADATA.DESIGN=µ"]


async def test_settings_outlive_a_restart(tmp_path: Path) -> None:
    state = tmp_path / "state"
    async with SimulatedPandA(alive=False, state=state) as panda, control(panda) as client:
        await client.put(*SETTINGS)
        await client.ask("PGEN1.TABLE<", "1", "2", "")
        await client.ask("*METADATA.LAYOUT<", "one", "two", "")
        await client.put("*SAVESTATE=")
        saved = state.read_text()
        before = sorted(await client.ask("*CHANGES?"))
    assert state.read_text() == saved
    async with SimulatedPandA(alive=False, state=state) as panda, control(panda) as client:
        assert sorted(await client.ask("*CHANGES?")) == before
        assert await client.ask("PGEN1.TABLE?") == ["1", "2"]
        assert await client.ask("*METADATA.LAYOUT?") == ["one", "two"]


async def test_the_file_has_attributes_first_and_tables_in_base64(tmp_path: Path) -> None:
    state = tmp_path / "state"
    async with SimulatedPandA(alive=False, state=state) as panda, control(panda) as client:
        await client.ask("PGEN1.TABLE<", "1", "2", "")
    lines = state.read_text().split("\n")
    assert lines.index("PULSE1.DELAY.UNITS=s") < lines.index("PULSE1.DELAY=0")
    assert "SEQ1.TABLE.QUEUED_LINES=0" in lines
    table = lines.index("PGEN1.TABLE<B")
    assert lines[table : table + 3] == ["PGEN1.TABLE<B", "AQAAAAIAAAA=", ""]
    assert lines[-3:] == ["*METADATA.LAYOUT<", "", ""] or lines[-1] == ""


async def test_lines_that_are_refused_are_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    state = tmp_path / "state"
    state.write_bytes(b"PULSE1.PULSES=7\nnothing\nSEQ1.TABLE.QUEUED_LINES=0\nPULSE1.PULSES=x\n")
    async with SimulatedPandA(alive=False, state=state) as panda, control(panda) as client:
        assert await client.get("PULSE1.PULSES") == "7"
    assert "3 lines are not taken back" in caplog.text
