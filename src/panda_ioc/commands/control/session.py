"""Lines in, replies out: shared by the prompt and by pipes.

A line is sent as it is. After ``NAME<`` follow the lines of a table, up to an empty one. Words that
no PandA knows are commands of the console: see `HELP`.
"""

import sys
from collections.abc import Callable, Iterator

from panda_ioc.client.blocking import BlockingClient
from panda_ioc.commands.control.watch import watch
from panda_ioc.errors import BadValue, CommandError
from panda_ioc.protocol.commands import Raw, is_table

HELP = """\
NAME?            ask for a field, attribute or list: PULSE1.DELAY?  *IDN?  *BLOCKS?  PULSE.*?
NAME=VALUE       set it; actions have no value: *PCAP.ARM=
NAME<            write a table: its numbers on any number of lines, then an empty line
NAME<B           the same in base64;  NAME<<  NAME<<|  append rows, the last rows
watch NAME ...   show changes until Ctrl-C: of fields, blocks, patterns (PULSE*.OUT)
help             this
quit             leave, as does Ctrl-D
"""


class CommandSession:
    """Runs lines on a connected client.

    Args:
        client: connected
        new_client: makes another one, for what shall not disturb the first

    Attributes:
        failed: a reply was an error, or a line could not be sent
        ended: the user wants to leave
    """

    def __init__(self, client: BlockingClient, new_client: Callable[[], BlockingClient]) -> None:
        self.client = client
        self.failed = self.ended = False
        self._new_client = new_client
        self._words: dict[str, Callable[[list[str]], None]] = {
            "help": lambda names: _write(HELP),
            "quit": self._quit,
            "exit": self._quit,
            "watch": self._watch,
        }

    def run(self, lines: Iterator[str]) -> None:
        """Run all lines; raise errors of the connection."""
        for line in lines:
            self.execute(line, lines)
            if self.ended:
                return

    def execute(self, line: str, more: Iterator[str]) -> None:
        """Run one line; `more` yields the lines after it, for tables."""
        line = line.strip("\r\n")
        word, _, rest = line.strip().partition(" ")
        if not word or word.startswith("#"):
            return
        try:
            if word in self._words:
                self._words[word](rest.split())
            else:
                self._send([line, *_data(line, more)])
        except (BadValue, CommandError) as error:
            self.failed = True
            sys.stderr.write(f"{error}\n")

    def _send(self, request: list[str]) -> None:
        reply = self.client.send(Raw(request))
        self.failed = self.failed or reply[0].startswith("ERR")
        _write("".join(f"{line}\n" for line in reply))

    def _watch(self, names: list[str]) -> None:
        with self._new_client() as client:
            for line in watch(client, names):
                _write(f"{line}\n")

    def _quit(self, names: list[str]) -> None:
        self.ended = True


def _data(line: str, more: Iterator[str]) -> Iterator[str]:
    """Return the lines that belong to the command in `line`."""
    if not is_table(line):
        return
    for each in more:
        yield each.strip("\r\n")
        if not each.strip("\r\n"):
            return
    raise BadValue(f"{line}: not sent, the input ended before the empty line that ends a table")


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
