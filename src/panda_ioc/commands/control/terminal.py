"""History and completion at the prompt, by the standard library's readline."""

import contextlib
import os
import readline
from collections.abc import Iterator
from pathlib import Path

from panda_ioc.client.introspection import introspect_blocking
from panda_ioc.commands.control.completion import Completer
from panda_ioc.commands.control.session import CommandSession

HISTORY_LINES = 2000

# A name is completed part by part, so that only the next parts are listed.
_DELIMITERS = ".=<"
_EDITLINE = "libedit" in (readline.__doc__ or "")


@contextlib.contextmanager
def comfort(session: CommandSession) -> Iterator[None]:
    """Complete names with Tab, and save the lines for later sessions."""
    completer = Completer(introspect_blocking(session.client))
    readline.set_completer_delims(_DELIMITERS)
    readline.set_completer(lambda text, state: _complete(completer, state))
    readline.parse_and_bind("bind ^I rl_complete" if _EDITLINE else "tab: complete")
    with _history():
        yield


def _complete(completer: Completer, state: int) -> str | None:
    start = readline.get_begidx()
    found = completer.lines(readline.get_line_buffer()[: readline.get_endidx()])
    return found[state][start:] if state < len(found) else None


@contextlib.contextmanager
def _history() -> Iterator[None]:
    """Load lines of earlier sessions; ignore a file that cannot be read or written."""
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
