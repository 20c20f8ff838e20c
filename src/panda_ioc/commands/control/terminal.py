"""The prompt: history and completion by the readline of the standard library."""

import contextlib
import os
import readline
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

from panda_ioc.client.introspection import introspect_blocking
from panda_ioc.commands.control.completion import Completer
from panda_ioc.commands.control.session import Session
from panda_ioc.errors import PandAError

HISTORY_LINES = 2000

# A name is completed part by part, so that only the next parts are listed.
_DELIMITERS = ".=<"
_EDITLINE = "libedit" in (readline.__doc__ or "")


def talk(session: Session, prompt: str) -> int:
    """Read lines until the user leaves; returns the exit status, 0."""
    idn = _prepare(session)
    sys.stdout.write(f"{idn}\nhelp: what can be said; Tab completes; Ctrl-D leaves\n")
    with _history():
        while not session.ended:
            try:
                _step(session, prompt)
            except KeyboardInterrupt:
                sys.stdout.write("\n")
            except EOFError:
                sys.stdout.write("\n")
                break
            except PandAError as error:
                sys.stderr.write(f"{error}\n")
    return 0


def _prepare(session: Session) -> str:
    """Have Tab complete names; returns what the PandA says it is."""
    # Ctrl-C ends a line even where whoever started this ignores it for its children.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    device = introspect_blocking(session.client)
    completer = Completer(device)
    readline.set_completer_delims(_DELIMITERS)
    readline.set_completer(lambda text, state: _complete(completer, state))
    readline.parse_and_bind("bind ^I rl_complete" if _EDITLINE else "tab: complete")
    return device.idn


def _complete(completer: Completer, state: int) -> str | None:
    start = readline.get_begidx()
    found = completer.lines(readline.get_line_buffer()[: readline.get_endidx()])
    return found[state][start:] if state < len(found) else None


def _step(session: Session, prompt: str) -> None:
    line = input(prompt)
    if not session.client.is_connected():
        session.client.connect()
    session.execute(line, _more())


def _more() -> Iterator[str]:
    """Lines of a table; the end of input gives the whole table up."""
    with contextlib.suppress(EOFError):
        while True:
            yield input("... ")


@contextlib.contextmanager
def _history() -> Iterator[None]:
    """Lines of earlier sessions; a file that can not be read or written is done without."""
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    file = Path(state) / "panda-ioc" / "history"
    with contextlib.suppress(OSError):
        readline.read_history_file(file)
    readline.set_history_length(HISTORY_LINES)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            file.parent.mkdir(parents=True, exist_ok=True)
            readline.write_history_file(file)
