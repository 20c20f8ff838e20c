"""`panda-ioc control`: commands as they are on the wire, from people, pipes and scripts."""

import sys
from collections.abc import Iterator, Sequence

from panda_ioc.client.blocking import BlockingClient
from panda_ioc.commands.control.prompt import Prepare, plain, talk
from panda_ioc.commands.control.session import CommandSession

__all__ = ["run"]


def run(
    host: str,
    port: int,
    timeout: float,
    lines: Sequence[str] = (),
    prompt: str | None = None,
    readline: bool = True,
) -> int:
    """Send lines and print replies: the lines given, or typed at a prompt, or piped in.

    Args:
        host: name or address of the PandA
        port: control port
        timeout: seconds that it may take to answer
        lines: to be sent; none: read them
        prompt: shown before each line that is typed; None: the host
        readline: complete names, and keep a history

    Returns:
        the exit status: 1 if any reply was an error (but 0 from the prompt)
    """
    with BlockingClient(host, port, timeout=timeout) as client:
        session = CommandSession(client, lambda: BlockingClient(host, port, timeout=timeout))
        if not lines and sys.stdin.isatty():
            return talk(session, f"{host}> " if prompt is None else prompt, _comfort(readline))
        session.run(iter(lines) if lines else _piped())
        return int(session.failed)


def _comfort(readline: bool) -> Prepare:
    if not readline:
        return plain  # the terminal module would change what `input` does
    from panda_ioc.commands.control.terminal import comfort

    return comfort


def _piped() -> Iterator[str]:
    """Yield the lines of standard input."""
    # What is not UTF-8 is refused as a command, it does not end the program.
    sys.stdin.reconfigure(errors="surrogateescape")  # type: ignore[union-attr]
    yield from sys.stdin
