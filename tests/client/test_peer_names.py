"""Scripts as they are written for the `pandablocks` library, with only the imports changed."""

import asyncio
import socket

import numpy as np
import pytest

from panda_ioc.client.asyncio import AsyncioClient
from panda_ioc.client.blocking import BlockingClient
from panda_ioc.device.tables import table_to_words, words_to_table
from panda_ioc.protocol.commands import (
    Append,
    ChangeGroup,
    Command,
    CommandError,
    CommandException,
    Disarm,
    Get,
    GetBlockInfo,
    GetChanges,
    GetFieldInfo,
    GetLine,
    GetMultiline,
    GetPcapBitsLabels,
    GetState,
    Identify,
    Put,
    Raw,
    SetState,
    VersionError,
)
from panda_ioc.protocol.connections import (
    Buffer,
    ControlConnection,
    DataConnection,
    NeedMoreDataError,
    NoContextAvailableError,
)
from panda_ioc.protocol.responses import (
    BitMuxFieldInfo,
    BlockInfo,
    Changes,
    EndData,
    EndReason,
    FieldCapture,
    FrameData,
    ReadyData,
    StartData,
    TableFieldInfo,
)
from support.arming import arm, arm_async
from support.servers import Sim


async def test_script_introspect_with_asyncio(sim: Sim) -> None:
    async with AsyncioClient("127.0.0.1", sim.port, sim.data_port) as client:
        assert client.is_connected()
        identity, blocks = await asyncio.gather(
            client.send(Identify()), client.send(GetBlockInfo())
        )
        assert identity.software_api() >= (4, 0)
        assert all(isinstance(info, BlockInfo) for info in blocks.values())
        fields = await asyncio.gather(*(client.send(GetFieldInfo(block)) for block in blocks))
        infos = dict(zip(blocks, fields, strict=True))
        trig = infos["PCAP"]["TRIG"]
        assert isinstance(trig, BitMuxFieldInfo)
        assert "ZERO" in trig.labels
        assert trig.max_delay is not None
        bits = await client.send(GetPcapBitsLabels())
        assert set(bits) == {f"PCAP.BITS{number}" for number in range(4)}


def test_script_configure_and_read_back_with_blocking(sim: Sim) -> None:
    client = BlockingClient("127.0.0.1", sim.port, sim.data_port)
    client.connect()
    try:
        client.send(Put("PCAP.TRIG", "PULSE1.OUT"))
        client.send(Put("PCAP.TRIG", value="PULSE2.OUT"), timeout=5)
        assert client.send([Get("PCAP.TRIG"), GetLine("PCAP.ACTIVE")]) == ["PULSE2.OUT", "0"]
        assert client.send(Raw(["PCAP.ACTIVE?"])) == ["OK =0"]
        assert client.send(Raw(["PCAP.NOPE?"]))[0].startswith("ERR")
        with pytest.raises(CommandError):
            client.send(Put("PCAP.TRIG", "NOWHERE"))
        with pytest.raises(CommandException):
            client.send(GetMultiline("PCAP.ACTIVE"))
    finally:
        client.close()


async def test_script_tables(sim: Sim) -> None:
    async with AsyncioClient("127.0.0.1", sim.port, sim.data_port) as client:
        info = (await client.send(GetFieldInfo("SEQ")))["TABLE"]
        assert isinstance(info, TableFieldInfo)
        rows = 3
        table = {name: np.zeros(rows, np.uint32) for name in info.fields}
        table["REPEATS"] = np.array([1, 2, 3], np.uint16)
        table["POSITION"] = np.array([-1, 0, 1], np.int32)
        await client.send(Put("SEQ1.TABLE", table_to_words(table, info)))
        words = await client.send(GetMultiline("SEQ1.TABLE"))
        again = words_to_table(words, info, convert_enum_indices=True)
        assert again["TRIGGER"] == ["Immediate"] * rows
        assert list(again["POSITION"]) == [-1, 0, 1]
        await client.send(Put("PGEN1.TABLE", []))
        await client.send(Append("PGEN1.TABLE", ["1", "2"]))
        await client.send(Append("PGEN1.TABLE", ["3"], last=True))
        await client.send(Put("PGEN1.TABLE", []))


def test_script_follow_changes(sim: Sim) -> None:
    with (
        BlockingClient("127.0.0.1", sim.port, sim.data_port) as client,
        BlockingClient("127.0.0.1", sim.port, sim.data_port) as other,
    ):
        everything = client.send(GetChanges())
        assert isinstance(everything, Changes)
        other.send(Put("PULSE1.PULSES", "77"))
        changes = client.send(GetChanges(ChangeGroup.CONFIG))
        assert changes.values["PULSE1.PULSES"] == "77"
        assert (changes.no_value, changes.multiline_values) == ([], {})
        other.send(Put("SEQ2.TABLE", ["1", "2", "3", "4"]))
        tables = client.send(GetChanges(ChangeGroup.TABLE, get_multiline=True))
        assert tables.multiline_values["SEQ2.TABLE"] == ["1", "2", "3", "4"]
        state = client.send(GetState())
        client.send(SetState(state))


async def test_script_capture_with_asyncio(sim: Sim) -> None:
    async with AsyncioClient("127.0.0.1", sim.port, sim.data_port) as client:
        await client.send(Put("COUNTER1.OUT.CAPTURE", "Value"))
        samples = 0
        async for data in client.data(scaled=False, flush_period=0.05, frame_timeout=10):
            match data:
                case ReadyData():
                    await arm_async(client)
                case StartData():
                    names = [f"{field.name}.{field.capture}" for field in data.fields]
                    assert "COUNTER1.OUT.Value" in names
                    assert all(isinstance(field, FieldCapture) for field in data.fields)
                case FrameData():
                    assert data.column_names == tuple(names)
                    assert len(data.data["COUNTER1.OUT.Value"]) == len(data.data)
                    samples += len(data.data)
                    await client.send(Disarm())
                case EndData():
                    assert data.reason == EndReason.DISARMED
                    assert data.samples == samples
                    break


def test_script_capture_with_blocking(sim: Sim) -> None:
    with BlockingClient("127.0.0.1", sim.port, sim.data_port) as client:
        client.send(Put("COUNTER1.OUT.CAPTURE", "Value"))
        for data in client.data(scaled=True, frame_timeout=10):
            if isinstance(data, ReadyData):
                arm(client)
            elif isinstance(data, FrameData):
                client.send(Disarm())
            elif isinstance(data, EndData):
                break
        with pytest.raises(TimeoutError):
            for _ in client.data(frame_timeout=0.05):
                pass


def test_script_own_io(sim: Sim) -> None:
    """The connections without I/O, driven by hand."""
    command: Command[str] = GetLine("*IDN")
    connection = ControlConnection()
    connection.set_api((4, 0))
    with socket.create_connection(("127.0.0.1", sim.port)) as sock:
        sock.sendall(connection.send(command))
        results: list[object] = []
        while not results:
            sock.sendall(connection.receive_bytes(sock.recv(4096)))
            results = [(each is command, result) for each, result in connection.responses()]
    ((same, text),) = results  # type: ignore[misc]
    assert same
    assert str(text).startswith("PandA SW: ")
    data = DataConnection()
    with socket.create_connection(("127.0.0.1", sim.data_port)) as sock:
        sock.sendall(data.connect(scaled=True))
        assert list(data.receive_bytes(sock.recv(4096), flush_every_frame=True)) == [ReadyData()]
        assert list(data.flush()) == []


def test_script_errors() -> None:
    connection = ControlConnection()
    with pytest.raises(VersionError):
        connection.send(Append("SEQ1.TABLE", ["1"], last=True))
    with pytest.raises(NoContextAvailableError):
        connection.receive_bytes(b"OK\n")
    buffer = Buffer()
    buffer += b"hello\nthere"
    assert list(buffer) == [b"hello"]
    with pytest.raises(NeedMoreDataError):
        buffer.read_line()
    assert buffer.peek_bytes(2) == b"th"
    assert buffer.read_bytes(5) == b"there"
