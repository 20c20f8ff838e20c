"""The prompt: reads lines from a user at a terminal."""

import contextlib
import signal
import sys
from collections.abc import Callable, Iterator

from panda_ioc.commands.control.session import CommandSession
from panda_ioc.errors import PandAError
from panda_ioc.protocol.commands import GetLine

Prepare = Callable[[CommandSession], contextlib.AbstractContextManager[None]]
"""What makes the terminal comfortable while a session lasts."""


def talk(session: CommandSession, prompt: str, prepare: Prepare) -> int:
    """Read lines until the user leaves; return the exit status, 0."""
    # Ctrl-C ends a line even if the program that started this ignores it for its children.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.stdout.write(f"{session.client.send(GetLine('*IDN'))}\n")
    sys.stdout.write("help: what can be said; Ctrl-D leaves\n")
    with prepare(session):
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


@contextlib.contextmanager
def plain(session: CommandSession) -> Iterator[None]:
    """Leave the terminal unchanged."""
    yield


def _step(session: CommandSession, prompt: str) -> None:
    line = input(prompt)
    if not session.client.is_connected():
        session.client.connect()
    session.execute(line, _more())


def _more() -> Iterator[str]:
    """Read the lines of a table; the end of input cancels the table."""
    with contextlib.suppress(EOFError):
        while True:
            yield input("... ")
