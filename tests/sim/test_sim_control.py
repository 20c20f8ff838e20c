"""The control port of the packaged application, over sockets."""

import asyncio

import pytest
from wire import Wire, control

from panda_ioc.sim import SimulatedPandA


async def test_pipelined_commands_are_answered_in_order(client: Wire) -> None:
    client.writer.write(b"".join(b"*ECHO %d?\n" % number for number in range(5000)))
    for number in range(5000):
        assert await client.line() == f"OK ={number}"


async def test_commands_in_pieces(client: Wire) -> None:
    for byte in b"SEQ1.TABLE<\n1\n2\n3\n4\n\n*ECHO x?\n":
        client.writer.write(bytes([byte]))
        await client.writer.drain()
    assert await client.line() == "OK"
    assert await client.line() == "OK =x"


async def test_every_connection_has_its_own_changes(panda: SimulatedPandA, client: Wire) -> None:
    async with control(panda) as other:
        await client.ask("*CHANGES?")
        await other.put("*CHANGES=")
        await client.put("PULSE1.DELAY=1", "*METADATA.LABEL_PULSE1=first")
        expected = ["PULSE1.DELAY=1", "*METADATA.LABEL_PULSE1=first"]
        assert await client.ask("*CHANGES?") == expected
        assert await client.ask("*CHANGES?") == []
        assert await other.ask("*CHANGES.CONFIG?") == expected[:1]
        assert await other.ask("*CHANGES?") == expected[1:]
        await other.put("*CHANGES.CONFIG=S")
        assert "PULSE1.DELAY=1" in await other.ask("*CHANGES?")


async def test_changes_that_give_no_value(client: Wire) -> None:
    await client.put("*CHANGES=")
    assert await client.ask("PGEN1.TABLE<", "1", "2", "") == ["OK"]
    assert await client.ask("*METADATA.LAYOUT<", "line", "") == ["OK"]
    assert await client.ask("*CHANGES?") == ["PGEN1.TABLE<", "*METADATA.LAYOUT<"]


async def test_changing_units_keeps_the_time(client: Wire) -> None:
    await client.put("PULSE1.DELAY=1.5", "PULSE1.DELAY.UNITS=ms")
    assert await client.get("PULSE1.DELAY") == "1500"
    assert await client.get("PULSE1.DELAY.RAW") == "187500000"


async def test_block_name_that_ends_in_a_digit(client: Wire) -> None:
    await client.put("EQU2.GAIN=0.25")
    assert await client.get("EQU21.GAIN") == "0.25"
    assert await client.ask("EQU22.GAIN?") == ["ERR Invalid block number"]
    assert "EQU2 1" in await client.ask("*BLOCKS?")


async def test_pulsed_bit_is_reported_though_unchanged(client: Wire) -> None:
    await client.put("*CHANGES=", "*SIM.PULSE=TTLIN1.VAL")
    assert await client.ask("*CHANGES.BITS?") == ["TTLIN1.VAL=0"]
    assert await client.ask("*CHANGES.BITS?") == []


async def test_field_in_error_is_reported_at_every_poll_until_it_recovers(client: Wire) -> None:
    await client.put("*CHANGES=", "*SIM.ERROR=EQU2.TEMP_HEAD")
    for _ in range(2):
        assert await client.ask("*CHANGES?") == ["EQU2.TEMP_HEAD (error)"]
    (reply,) = await client.ask("EQU2.TEMP_HEAD?")
    assert reply.startswith("ERR ")
    await client.put("*SIM.OK=EQU2.TEMP_HEAD")
    assert await client.ask("*CHANGES?") == ["EQU2.TEMP_HEAD=-273.15"]


async def test_values_can_be_held(client: Wire) -> None:
    await client.put("*CHANGES=", "*SIM.SET=TTLIN1.VAL=1", "*SIM.SET=INENC1.VAL=-7")
    await client.put("*SIM.SET=SEQ1.STATE=PHASE1", "*SIM.SET=SYSTEM.TEMP_ZYNQ=50")
    assert sorted(await client.ask("*CHANGES?")) == [
        *("INENC1.VAL=-7", "SEQ1.STATE=PHASE1", "SYSTEM.TEMP_ZYNQ=50", "TTLIN1.VAL=1")
    ]
    await client.put("*SIM.ALIVE=1")
    await asyncio.sleep(0.05)
    assert await client.get("INENC1.VAL") == "-7"
    await client.put("*SIM.FREE=")
    await asyncio.sleep(0.05)
    assert await client.get("INENC1.VAL") != "-7"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("*SIM.NOPE=1", "*SIM.NOPE is unknown, only RATE SAMPLES"),
        ("*SIM.END?", "*SIM.END cannot be read, only RATE SAMPLES"),
        ("*SIM.END=Fire", "*SIM.END=Fire is not one of Ok, Disarmed"),
        ("*SIM.RATE=-1", "*SIM.RATE=-1 is not between 0 and"),
        ("*SIM.RATE=fast", "Number missing"),
        ("*SIM.ERROR=NOPE", "NOPE is not a field"),
        ("*SIM.SET=PULSE1.DELAY=1", "PULSE1.DELAY is not a bit_out, pos_out or read field"),
        ("*SIM.SET=TTLIN1.VAL=2", "Invalid bit value"),
        ("*SIM.PULSE=PULSE1.DELAY", "PULSE1.DELAY is not a bit_out"),
        ("*SIM.DROP=ALL", "*SIM.DROP=ALL is not one of CONTROL, DATA"),
    ],
)
async def test_errors_say_what_is_wrong(client: Wire, command: str, said: str) -> None:
    (reply,) = await client.ask(command)
    assert reply.startswith(f"ERR {said}")


async def test_table_without_end_is_taken_in_without_being_kept(client: Wire) -> None:
    client.writer.write(b"PGEN1.TABLE<\n" + (b"1 " * 500 + b"1\n") * 20_000)
    assert await client.ask("") == ["ERR Too many points for table"]
    assert await client.get("PGEN1.TABLE.LENGTH") == "0"


async def test_large_table_goes_through(client: Wire) -> None:
    line = "3 " * 255 + "3"
    assert await client.ask("PGEN1.TABLE<", *[line] * (1048576 // 256), "") == ["OK"]
    assert await client.get("PGEN1.TABLE.LENGTH") == "1048576"
    assert len(await client.ask("PGEN1.TABLE.B?")) == -(-4 * 1048576 // 48)


async def test_client_that_does_not_read_holds_up_nobody(panda: SimulatedPandA) -> None:
    async with control(panda) as greedy, control(panda) as other:
        for _ in range(20_000):
            greedy.writer.write(b"*ENUMS.PCAP.TRIG?\n")
        assert await other.get("*ECHO still here") == "still here"


async def test_stalled_and_dropped_connections(panda: SimulatedPandA, client: Wire) -> None:
    async with control(panda) as other:
        await other.put("*CHANGES=")
        loop = asyncio.get_running_loop()
        before = loop.time()
        await client.put("*SIM.STALL=0.2")
        assert await other.get("*ECHO x") == "x"
        assert loop.time() - before > 0.1
        await client.put("*SIM.DROP=CONTROL")
        with pytest.raises(ConnectionError):
            await other.line()
        assert await client.get("*ECHO mine stays") == "mine stays"
