"""The same behaviour of both clients: against the simulator, and against boxes at fault."""

from itertools import islice
from typing import Any

import pytest

from panda_ioc.client.blocking import BlockingClient
from panda_ioc.errors import (
    BadValue,
    CommandError,
    CommandTimeout,
    ConnectionLost,
    ProtocolError,
    VersionError,
)
from panda_ioc.protocol.commands import (
    Append,
    Disarm,
    Get,
    GetBlockInfo,
    GetFieldInfo,
    GetMultiline,
    GetState,
    Put,
    SetState,
)
from panda_ioc.protocol.responses import Data, EndData, EndReason, FrameData, ReadyData, StartData
from support.arming import arm
from support.boxes import Do, FaultyBox
from support.eitherclient import HOST, Client, Make
from support.servers import Sim


@pytest.fixture
def client(make: Make, sim: Sim) -> Client:
    """A client that is connected to the simulator."""
    made = make(sim.port, sim.data_port)
    made.connect()
    return made


# With a box that is well


def test_commands_of_all_kinds(client: Client) -> None:
    client.send(Put("PULSE1.DELAY", "2.5"))
    assert client.send(Get("PULSE1.DELAY")) == "2.5"
    client.send(Put("SEQ1.TABLE", ["1", "2", "3", "4"]))
    assert client.send(GetMultiline("SEQ1.TABLE")) == ["1", "2", "3", "4"]
    blocks = client.send(GetBlockInfo())
    infos = dict(zip(blocks, client.send([GetFieldInfo(name) for name in blocks]), strict=True))
    assert infos["SEQ"]["TABLE"].has_mode
    assert not any(info.unanswered for block in infos.values() for info in block.values())


def test_a_refused_command_is_one_error(client: Client) -> None:
    with pytest.raises(CommandError) as raised:
        client.send(Put("PULSE1.DELAY", "-1"))
    assert raised.value.reason
    assert raised.value.command == Put("PULSE1.DELAY", "-1")
    assert client.is_connected()
    assert client.send(Get("*ECHO still here")) == "still here"


def test_several_commands_give_a_list(client: Client) -> None:
    commands = [Get(f"*ECHO {number}") for number in range(300)]
    assert client.send(commands) == [str(number) for number in range(300)]
    assert client.send(iter(commands[:2])) == ["0", "1"]
    assert client.send([]) == []
    again = Get("*ECHO again")
    assert client.send([again, again]) == ["again", "again"]


def test_the_first_failure_of_several_is_raised_when_all_are_done(client: Client) -> None:
    commands = [Put("PULSE1.STEP", "1"), Put("NO.SUCH", "1"), Put("PULSE1.STEP", "3"), Put("X\n")]
    with pytest.raises(CommandError, match=r"NO\.SUCH=1 -> ERR"):
        client.send(commands)
    assert client.send(Get("PULSE1.STEP")) == "3"


def test_a_command_that_can_not_be_sent_harms_nothing(client: Client) -> None:
    with pytest.raises(BadValue):
        client.send(Put("A\nB", "1"))
    assert client.send(Get("*ECHO x")) == "x"


def test_a_command_that_asks_nothing_is_done_at_once(client: Client) -> None:
    assert client.send(SetState([])) is None
    assert client.send([SetState([]), Get("*ECHO x"), SetState([])]) == [None, "x", None]


def test_the_largest_table_passes_both_ways(client: Client) -> None:
    client.send(Put("PGEN1.TABLE", ["7"] * 100_000))
    client.send(Put("PGEN1.TABLE", [str(word) for word in range(200_000)], base64=True))
    assert client.send(GetMultiline("PGEN1.TABLE"))[-2:] == ["199998", "199999"]


def test_the_state_is_saved_and_loaded(client: Client) -> None:
    client.send([Put("PULSE2.DELAY.UNITS", "ms"), Put("PULSE2.DELAY", "2")])
    client.send(Put("SEQ2.TABLE", ["1", "2", "3", "4"]))
    state = client.send(GetState())
    assert client.send(GetState()) == state
    client.send([Put("PULSE2.DELAY.UNITS", "s"), Put("PULSE2.DELAY", "9"), Put("SEQ2.TABLE", [])])
    assert client.send(SetState(state)) is None
    assert client.send(GetState()) == state
    assert client.send(Get("PULSE2.DELAY")) == "2"


def test_the_version_of_the_server_is_known(make: Make, sim: Sim) -> None:
    with FaultyBox(b"OK =PandA SW: 3.0 FPGA: 1 rootfs: x\n", identify=False) as box:
        old = make(box.port)
        old.connect()
        with pytest.raises(VersionError):
            old.send(Append("T", ["1"], last=True))
    with FaultyBox(b"OK =something else\n", identify=False) as box:
        odd = make(box.port)
        odd.connect()
        assert odd.send(Get("A")) == "A?"


def capture(client: Client, events: int, **options: Any) -> list[Data]:
    """One acquisition, disarmed after so many events."""
    seen: list[Data] = []

    def until(event: Data) -> bool:
        seen.append(event)
        if isinstance(event, ReadyData):
            arm(client_of_its_own)
        if len(seen) == events:
            client_of_its_own.send(Disarm())
        return isinstance(event, EndData)

    client_of_its_own = BlockingClient(HOST, *options.pop("ports"))
    with client_of_its_own:
        return client.data(until, **options)


@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize("flush_period", [None, 0.03])
def test_an_acquisition(client: Client, sim: Sim, scaled: bool, flush_period: float | None) -> None:
    client.send(Put("*CAPTURE"))
    client.send(Put("COUNTER1.OUT.CAPTURE", "Value"))
    options = {"scaled": scaled, "flush_period": flush_period, "frame_timeout": 5}
    ready, start, *frames, end = capture(client, 5, ports=(sim.port, sim.data_port), **options)
    assert ready == ReadyData()
    assert isinstance(start, StartData)
    assert start.process == ("Scaled" if scaled else "Raw")
    assert isinstance(end, EndData)
    assert end.reason is EndReason.DISARMED
    assert all(isinstance(frame, FrameData) for frame in frames)
    assert sum(len(frame.data) for frame in frames) == end.samples  # type: ignore[attr-defined]
    assert end.samples > 0


def test_control_and_data_do_not_need_each_other(make: Make, sim: Sim) -> None:
    unconnected = make(sim.port, sim.data_port)
    assert unconnected.data(lambda event: True) == [ReadyData()]
    assert not unconnected.is_connected()


def test_silence_on_the_data_port(client: Client) -> None:
    with pytest.raises(CommandTimeout, match=r"no data for 0\.05 s"):
        client.data(lambda event: False, frame_timeout=0.05, flush_period=0.02)


# Without a connection


def test_before_connect_and_after_close(make: Make, sim: Sim) -> None:
    unconnected = make(sim.port, sim.data_port)
    with pytest.raises(ConnectionLost, match=f"{HOST}:{sim.port}: the client is not connected"):
        unconnected.send(Get("A"))
    unconnected.connect()
    assert unconnected.is_connected()
    unconnected.close()
    unconnected.close()
    assert not unconnected.is_connected()
    with pytest.raises(ConnectionLost):
        unconnected.send(Get("A"))
    unconnected.connect()
    assert unconnected.send(Get("*ECHO x")) == "x"


def test_nobody_listens(make: Make) -> None:
    with FaultyBox() as box:
        port = box.port
    nobody = make(port, port)
    with pytest.raises(ConnectionLost, match=f"{HOST}:{port}: cannot connect: "):
        nobody.connect()
    with pytest.raises(ConnectionLost, match=f"{HOST}:{port}: cannot connect: "):
        nobody.data(lambda event: True)


# Boxes at fault: what happens, what the command in flight gets, what it says

FAULTS = {
    "end of file": (Do.CLOSE, ConnectionLost, "the PandA closed the connection"),
    "end of file in a line": ((b"OK =12", Do.CLOSE), ConnectionLost, "closed the connection"),
    "end of file in lines": ((b"!1\n!2\n", Do.CLOSE), ConnectionLost, "closed the connection"),
    "reset": (Do.RESET, ConnectionLost, "reset by peer"),
    "garbage": (b"hello\n", ProtocolError, "'hello', which is not a reply"),
    "garbage in lines": (b"!1\nOK\n", ProtocolError, "'OK' among lines that begin with '!'"),
    "endless line": (b"x" * (1 << 21), ProtocolError, "and no end"),
    "endless lines": (Do.FLOOD, ProtocolError, "of more than 2097152 lines"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_fault(make: Make, fault: str) -> None:
    action, error, message = FAULTS[fault]
    with FaultyBox(b"OK =1\n", action) as box:
        client = make(box.port, timeout=20 if fault == "endless lines" else 0.3)
        client.connect()
        assert client.send(Get("A")) == "1"
        with pytest.raises(error, match=message) as raised:  # type: ignore[call-overload]
            client.send([Get("B"), Get("C")])
        assert raised.value.command == Get("B")
        assert "B?: " in str(raised.value)
        assert not client.is_connected()
        with pytest.raises((ConnectionLost, ProtocolError)):
            client.send(Get("D"))
        box.actions.clear()
        client.connect()
        assert client.send(Get("E")) == "E?"


@pytest.mark.parametrize("action", [Do.CLOSE, Do.HANG, b"hello\n"])
def test_fault_while_connecting(make: Make, action: Do | bytes) -> None:
    with FaultyBox(action, identify=False) as box:
        client = make(box.port, timeout=0.2)
        with pytest.raises((ConnectionLost, CommandTimeout, ProtocolError), match=r"^\*IDN\?: "):
            client.connect()
        assert not client.is_connected()


def test_a_slow_reply_in_pieces(make: Make) -> None:
    with FaultyBox((b"O", b"K =", b"1\n"), (b"!a", b"\n!b\n", b".", b"\n")) as box:
        client = make(box.port)
        client.connect()
        assert client.send([Get("A"), Get("B"), Get("C")]) == ["1", ["a", "b"], "C?"]


def test_a_reply_that_nobody_asked_for(make: Make) -> None:
    with FaultyBox(b"OK =1\nOK =2\n") as box:
        client = make(box.port)
        client.connect()
        assert client.send(Get("A")) == "1"
        with pytest.raises((ProtocolError, ConnectionLost)):
            client.send([Get("B"), Get("C")])


DATA_FAULTS = {
    "end of file": (Do.CLOSE, ConnectionLost, "closed by the PandA"),
    "end of file when ready": ((b"OK\n", Do.CLOSE), ConnectionLost, "closed the connection"),
    "reset": (Do.RESET, ConnectionLost, "reset by peer"),
    "bad options": (b"ERR Bad options\n", CommandError, "Bad options"),
    "garbage": (b"OK\n" + b"hello\n" * 100, ProtocolError, "hello"),
}


@pytest.mark.parametrize("fault", DATA_FAULTS)
def test_fault_on_the_data_port(make: Make, fault: str) -> None:
    action, error, message = DATA_FAULTS[fault]
    with FaultyBox(action) as box:
        client = make(1, box.port)
        with pytest.raises(error, match=message):
            client.data(lambda event: False, frame_timeout=5)


def test_data_that_is_left_is_closed(make: Make, sim: Sim) -> None:
    client = make(sim.port, sim.data_port)
    for _ in range(3):
        assert list(islice(client.data(lambda event: True), 1)) == [ReadyData()]


def test_a_box_that_answers_in_two_small_writes(client: Client) -> None:
    client.send(Put("*SIM.SPLIT", "1"))
    try:
        assert client.send([Get("*SIM.SPLIT"), *(Get(f"*ECHO {n}") for n in range(50))])[1:] == [
            str(n) for n in range(50)
        ]
        assert client.send(GetMultiline("*CAPTURE.OPTIONS"))[0] == "Value"
    finally:
        client.send(Put("*SIM.SPLIT", "0"))
