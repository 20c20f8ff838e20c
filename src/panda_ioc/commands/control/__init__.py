"""`panda-ioc control`: commands as they are on the wire, from people, pipes and scripts."""

import sys
from collections.abc import Iterator, Sequence

from panda_ioc.client.blocking import BlockingClient
from panda_ioc.commands.control.session import Session

__all__ = ["run"]


def run(host: str, port: int, timeout: float, lines: Sequence[str] = ()) -> int:
    """Send lines and print replies: the lines given, or typed at a prompt, or piped in.

    Returns the exit status: 1 if any reply was an error (but 0 from the prompt).
    """
    with BlockingClient(host, port, timeout=timeout) as client:
        session = Session(client, lambda: BlockingClient(host, port, timeout=timeout))
        if not lines and sys.stdin.isatty():
            from panda_ioc.commands.control.terminal import talk

            return talk(session, f"{host}> ")
        session.run(iter(lines) if lines else _piped())
        return int(session.failed)


def _piped() -> Iterator[str]:
    """Lines of the standard input."""
    # What is not UTF-8 is refused as a command, it does not end the program.
    sys.stdin.reconfigure(errors="surrogateescape")  # type: ignore[union-attr]
    yield from sys.stdin
