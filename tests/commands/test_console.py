"""`panda-ioc control`: pipes, arguments, and a real prompt in a pseudo-terminal."""

import os
import pty
import re
import select
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from panda_ioc.client.panda import Panda
from panda_ioc.commands.control.completion import Completer
from support.boxes import Do, FaultyBox
from support.servers import PROGRAM, Sim, Starter


def control(address: str, text: str = "", *arguments: str) -> tuple[str, str, int]:
    """What came out, what was complained about, and the exit status."""
    done = subprocess.run(
        [*PROGRAM, "control", address, *arguments],
        input=text.encode(errors="surrogateescape"),
        capture_output=True,
        check=False,
    )
    return done.stdout.decode(), done.stderr.decode(), done.returncode


# -- pipes and scripts -----------------------------------------------------------------------------


def test_a_pipe_prints_just_the_reply(sim: Sim) -> None:
    sim.put("PULSE1.DELAY=2.5")
    assert control(sim.address, "PULSE1.DELAY?\n") == ("OK =2.5\n", "", 0)
    assert control(sim.address, "PULSE1.DELAY?") == ("OK =2.5\n", "", 0)


def test_arguments_are_lines(sim: Sim) -> None:
    out, _, status = control(sim.address, "", "PULSE1.STEP=3", "PULSE1.STEP?")
    assert (out, status) == ("OK\nOK =3\n", 0)


def test_arguments_need_no_standard_input(sim: Sim) -> None:
    command = f"{' '.join(PROGRAM)} control {sim.address}"
    for arguments, out in (("'*ECHO on?'", "OK =on\n"), ("", "")):
        shell = ["bash", "-c", f"{command} {arguments} <&-"]
        done = subprocess.run(shell, capture_output=True, text=True, check=True)
        assert (done.stdout, done.stderr) == (out, "")


def test_a_script(sim: Sim) -> None:
    script = "# a comment\n\nSEQ1.TABLE<\n1 2\n3\n4\n\nSEQ1.TABLE?\r\nSEQ1.TABLE<\n\nSEQ1.TABLE?\n"
    assert control(sim.address, script) == ("OK\n!1\n!2\n!3\n!4\n.\nOK\n.\n", "", 0)


def test_lines_after_quit_are_not_sent(sim: Sim) -> None:
    assert control(sim.address, "*ECHO a?\nquit\n*ECHO b?\n") == ("OK =a\n", "", 0)


def test_an_error_is_printed_and_is_the_exit_status(sim: Sim) -> None:
    out, complaint, status = control(sim.address, "NOPE.X?\n*ECHO on?\n")
    assert out.startswith("ERR ")
    assert out.endswith("OK =on\n")
    assert (complaint, status) == ("", 1)


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("SEQ1.TABLE<\n1\n2\n", "not sent, the input ended before the empty line"),
        ("\udcff?\n", "is not text"),
        ("watch NO.SUCH\n", "watch NO.SUCH: nothing that the PandA reports has this name"),
    ],
)
def test_what_can_not_be_sent(sim: Sim, script: str, message: str) -> None:
    before = sim.ask("SEQ1.TABLE?")
    out, complaint, status = control(sim.address, script)
    assert (out, status) == ("", 1)
    assert message in complaint
    assert "Traceback" not in complaint
    assert sim.ask("SEQ1.TABLE?") == before


def test_a_saved_state_can_be_piped_in(sim: Sim) -> None:
    sim.put("PULSE2.PULSES=11")
    state = [f"{line[1:]}\n" for line in sim.ask("*CHANGES.CONFIG?")[:-1]]
    sim.put("PULSE2.PULSES=12")
    out, _, status = control(sim.address, "".join(state))
    assert (set(out.splitlines()), status) == ({"OK"}, 0)
    assert sim.ask("PULSE2.PULSES?") == ["OK =11"]


def test_nobody_there() -> None:
    out, complaint, status = control("127.0.0.1:1", "*IDN?\n")
    assert (out, status) == ("", 1)
    assert "127.0.0.1:1: cannot connect" in complaint


@pytest.mark.parametrize("action", [Do.CLOSE, b"what\n"])
def test_a_box_at_fault(action: Do | bytes) -> None:
    with FaultyBox(b"OK =1\n", action) as box:
        out, complaint, status = control(f"127.0.0.1:{box.port}", "A?\nB?\nC?\n")
    assert (out, status) == ("OK =1\n", 1)
    assert "B?: " in complaint
    assert "Traceback" not in complaint


def test_who_reads_has_seen_enough(sim: Sim) -> None:
    command = f"{' '.join(PROGRAM)} control {sim.address} watch | head -n 1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert (done.stdout.count("\n"), done.stderr) == (1, "")


# -- completion ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def completer(sim: Sim) -> Completer:
    with Panda.open("127.0.0.1", sim.port) as panda:
        return Completer(panda.device)


@pytest.mark.parametrize(
    ("line", "some"),
    [
        ("", ["PULSE1.", "PCAP.", "watch "]),
        ("PULS", ["PULSE1.", "PULSE2.", "PULSE3.", "PULSE4."]),
        ("PULSE1.D", ["PULSE1.DELAY", "PULSE1.DROPPED"]),
        ("PULSE1.DELAY.", ["PULSE1.DELAY.UNITS", "PULSE1.DELAY.RAW", "PULSE1.DELAY.INFO"]),
        ("PULSE1.DELAY.UNITS=m", ["PULSE1.DELAY.UNITS=min", "PULSE1.DELAY.UNITS=ms"]),
        ("PULSE1.TRIG_EDGE=", [f"PULSE1.TRIG_EDGE={e}" for e in ("Rising", "Falling", "Either")]),
        ("PULSE1.TRIG=PULSE2", ["PULSE1.TRIG=PULSE2.OUT"]),
        ("INENC1.VAL.CAPTURE=Min Ma", ["INENC1.VAL.CAPTURE=Min Max"]),
        ("watch PCAP.AC", ["watch PCAP.ACTIVE"]),
        ("watch PCAP.ACTIVE PULSE1.DE", ["watch PCAP.ACTIVE PULSE1.DELAY"]),
        ("*DESC.PULSE1.DE", ["*DESC.PULSE1.DELAY"]),
        ("*PCAP.A", ["*PCAP.ARM="]),
        ("*CHANGES.A", ["*CHANGES.ATTR?", "*CHANGES.ATTR="]),
        ("*METADATA.LABEL_PULSE1", ["*METADATA.LABEL_PULSE1"]),
        ("NOPE.", []),
        ("NOPE.X.", []),
        ("PULSE1.NOPE.", []),
        ("PULSE1.DELAY=", []),
        ("NOPE=", []),
        ("PULSE1.DELAY.UNITS.X", []),
        ("nothing here", []),
    ],
)
def test_completion(completer: Completer, line: str, some: list[str]) -> None:
    found = completer.lines(line)
    assert set(some) <= set(found)
    assert all(each.startswith(line) for each in found)
    assert bool(found) == bool(some)


# -- the prompt ------------------------------------------------------------------------------------

_CONTROL = re.compile(r"\x1b\[[?0-9;]*[A-Za-z]|\x07|\r")


class Terminal:
    """The program in a pseudo-terminal."""

    def __init__(self, address: str, state: Path, *options: str) -> None:
        terminal, inside = pty.openpty()
        self.process = subprocess.Popen(
            [*PROGRAM, "control", address, *options],
            stdin=inside,
            stdout=inside,
            stderr=inside,
            env={
                **os.environ,
                "XDG_STATE_HOME": str(state),
                "TERM": "xterm",
                "INPUTRC": "/dev/null",
            },
            start_new_session=True,
            preexec_fn=lambda: os.close(os.open(os.ttyname(0), os.O_RDWR)),
        )
        os.close(inside)
        self._terminal = terminal
        self._seen = ""

    def type(self, text: str) -> None:
        os.write(self._terminal, text.encode())

    def see(self, text: str, seconds: float = 30) -> str:
        """Wait until this is on the screen, after what was seen before; returns all up to it."""
        deadline = time.monotonic() + seconds
        while text not in self._seen:
            left = deadline - time.monotonic()
            if left < 0 or not select.select([self._terminal], [], [], left)[0]:
                raise AssertionError(f"no {text!r} in {self._seen!r}")
            self._seen += _CONTROL.sub("", self._read())
        before, _, self._seen = self._seen.partition(text)
        return before + text

    def _read(self) -> str:
        try:
            return os.read(self._terminal, 4096).decode(errors="replace")
        except OSError:
            raise AssertionError(f"it ended, after {self._seen!r}") from None

    def leave(self) -> int:
        try:
            return self.process.wait(10)
        finally:
            self.process.kill()
            self.process.wait()
            os.close(self._terminal)


@pytest.fixture
def terminal(sim: Sim, tmp_path: Path) -> Iterator[Terminal]:
    made = Terminal(sim.address, tmp_path)
    made.see("127.0.0.1> ")
    yield made
    made.process.kill()
    made.process.wait()


def test_another_prompt_and_no_readline(sim: Sim, tmp_path: Path) -> None:
    made = Terminal(sim.address, tmp_path, "--prompt", "panda < ", "--no-readline")
    made.see("panda < ")
    made.type("*ECHO plain?\n")
    made.see("OK =plain")
    made.type("SEQ1.TABLE<\n")
    made.see("... ")
    made.type("\x04")
    made.see("not sent")
    made.see("panda < ")
    made.type("PULSE1.TRIG_E\t\n")  # Tab is a character like any other
    made.see("ERR ")
    made.type("quit\n")
    assert made.leave() == 0
    assert not (tmp_path / "panda-ioc" / "history").exists()


def test_a_prompt_says_nothing_in_a_pipe(sim: Sim) -> None:
    assert control(sim.address, "*ECHO a?\n", "--prompt", "< ") == ("OK =a\n", "", 0)


def test_a_conversation(terminal: Terminal) -> None:
    terminal.type("PULSE1.STEP=7\n")
    terminal.see("OK")
    terminal.type("PULSE1.STEP?\n")
    terminal.see("OK =7")
    terminal.type("NOPE.X?\n")
    terminal.see("ERR ")
    terminal.type("help\n")
    terminal.see("watch NAME")
    terminal.see("127.0.0.1> ")
    terminal.type("\x04")
    assert terminal.leave() == 0


def test_tab_completes(terminal: Terminal) -> None:
    terminal.type("PULSE1.TRIG_E\t")
    terminal.see("PULSE1.TRIG_EDGE")
    terminal.type("=Fal\t\n")
    terminal.see("=Falling")
    terminal.see("OK")
    terminal.type("PULSE1.TRIG_EDGE?\n")
    terminal.see("OK =Falling")
    terminal.type("PULSE1.\t\t")
    assert "DELAY" in terminal.see("WIDTH")
    terminal.type("\x15quit\n")
    assert terminal.leave() == 0


def test_a_table_takes_several_lines(terminal: Terminal, sim: Sim) -> None:
    terminal.type("SEQ2.TABLE<\n")
    for row in ("9", "8", "7", "6"):
        terminal.see("... ")
        terminal.type(f"{row}\n")
    terminal.see("... ")
    terminal.type("\n")
    terminal.see("OK")
    assert sim.ask("SEQ2.TABLE?") == ["!9", "!8", "!7", "!6", "."]
    terminal.type("SEQ2.TABLE<\n")
    terminal.see("... ")
    terminal.type("5\n")
    terminal.see("... ")
    terminal.type("\x03")
    terminal.see("127.0.0.1> ")
    assert sim.ask("SEQ2.TABLE?") == ["!9", "!8", "!7", "!6", "."]
    terminal.type("SEQ2.TABLE<\n")
    terminal.see("... ")
    terminal.type("\x04")
    terminal.see("not sent, the input ended")


def test_watch_shows_changes_live(terminal: Terminal, sim: Sim) -> None:
    sim.put("PULSE3.PULSES=1")
    terminal.type("watch PULSE3 SYSTEM.TEMP_ZYNQ\n")
    terminal.see("PULSE3.PULSES 1\n")
    sim.put("PULSE3.PULSES=2")
    assert "COUNTER" not in terminal.see("PULSE3.PULSES 2\n")
    sim.put("*SIM.ERROR=SYSTEM.TEMP_ZYNQ")
    terminal.see("SYSTEM.TEMP_ZYNQ (error)\n")
    sim.put("PULSE3.PULSES=3")
    assert "(error)" not in terminal.see("PULSE3.PULSES 3\n")
    sim.put("*SIM.OK=")
    terminal.type("\x03")
    terminal.see("127.0.0.1> ")
    terminal.type("*ECHO still here?\n")
    terminal.see("OK =still here")


def test_history_survives(sim: Sim, tmp_path: Path) -> None:
    first = Terminal(sim.address, tmp_path)
    first.see("127.0.0.1> ")
    first.type("*ECHO to remember?\n")
    first.see("OK =to remember")
    first.type("quit\n")
    assert first.leave() == 0
    again = Terminal(sim.address, tmp_path)
    again.see("127.0.0.1> ")
    again.type("\x1b[A\x1b[A\n")
    again.see("OK =to remember")
    again.see("127.0.0.1> ")
    again.type("\x04")
    assert again.leave() == 0


def test_a_directory_that_can_not_be_written_is_done_without(sim: Sim, tmp_path: Path) -> None:
    (tmp_path / "panda-ioc").write_text("in the way")
    terminal = Terminal(sim.address, tmp_path)
    terminal.see("127.0.0.1> ")
    terminal.type("quit\n")
    assert terminal.leave() == 0


def test_it_connects_again(start_sim: Starter[Sim], tmp_path: Path) -> None:
    sim = start_sim()
    terminal = Terminal(sim.address, tmp_path)
    terminal.see("127.0.0.1> ")
    sim.put("*SIM.DROP=CONTROL")
    terminal.type("*ECHO one?\n")
    terminal.see("127.0.0.1> ")
    terminal.type("*ECHO two?\n")
    terminal.see("OK =two")
    sim.stop()
    terminal.type("*ECHO three?\n")
    terminal.see("127.0.0.1> ")
    terminal.type("*ECHO four?\n")
    terminal.see("cannot connect")
    terminal.see("127.0.0.1> ")
    terminal.type("\x04")
    assert terminal.leave() == 0
