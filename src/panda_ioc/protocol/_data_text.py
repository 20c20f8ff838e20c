"""The parts of the data port that are text: lines, headers and the end of an acquisition."""

import logging
import re

from panda_ioc.errors import ProtocolError
from panda_ioc.protocol.responses import EndData, EndReason

log = logging.getLogger(__name__)

_END_LINE = re.compile(rb"END (\d{1,20}) (.*)\n")


class PartialText(bytearray):
    """Text whose end has not come yet."""

    def until(
        self, mark: bytes, limit: int, data: memoryview, position: int, what: str
    ) -> tuple[bytes | None, int]:
        """Gather text up to and including a mark.

        Args:
            mark: ends the text
            limit: the most bytes that it may have
            data: received
            position: of the first byte that has not been read
            what: is being read, for messages

        Returns:
            the text, or None until all of it is there; and the position behind what was taken

        Raises:
            ProtocolError: there is too much of it
        """
        had = len(self)
        self += data[position : position + limit + 1 - had]
        found = self.find(mark, max(0, had - len(mark)))
        if found < 0 and len(self) > limit:
            raise ProtocolError(
                f"data port: {limit} bytes and no end of {what}: {bytes(self[:80])!r}"
            )
        if found < 0:
            return None, len(data)
        size = found + len(mark)
        text = bytes(self[:size])
        self.clear()
        return text, position + size - had


def parse_end(line: bytes) -> EndData:
    """Parse how an acquisition ended.

    Raises:
        ProtocolError: this is no END line
    """
    found = _END_LINE.fullmatch(line)
    if found is None:
        raise ProtocolError(f"data port: {line!r} is not END, samples and a reason")
    return EndData(int(found[1]), _reason(found[2].decode("utf-8", "replace")))


def _reason(text: str) -> EndReason:
    try:
        return EndReason(text)
    except ValueError:
        log.warning("data port: acquisition ended with %r, which is not a reason known here", text)
        return EndReason.UNKNOWN_EXCEPTION
