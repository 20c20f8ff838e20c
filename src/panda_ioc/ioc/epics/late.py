"""PVA puts that are answered when the PandA has answered, without holding up the PVA server.

QSRV answers a put of a structure as soon as its records have processed, in the one thread that
serves all PVA clients. `Late.hold`, called while such a record processes, takes the operation away
from it: QSRV's own answer is ignored, and `Answer` gives another one later, from any thread.

How that is done to pvxs, the library of QSRV, is in `pvxs`.
"""

import logging
import threading
from collections.abc import Callable

from panda_ioc.ioc.epics.pvxs import Pvxs

log = logging.getLogger(__name__)


class Answer:
    """The answer to one PVA put, still to be given; once, by either method, from any thread."""

    def __init__(self, finish: Callable[[str], None]) -> None:
        self._finish = finish
        self._lock = threading.Lock()
        self._is_let_go = False
        self._text: str | None = None

    def accept(self) -> None:
        """Tell the client that the put is done."""
        self._give("")

    def refuse(self, text: str) -> None:
        """Tell the client why the put failed."""
        self._give(text or "refused")

    def _give(self, text: str) -> None:
        with self._lock:
            self._text = text
            is_let_go = self._is_let_go
        if is_let_go:
            self._finish(text)

    def let_go(self) -> None:
        """QSRV has done with the operation, which is ours from now on."""
        with self._lock:
            self._is_let_go = True
            text = self._text
        if text is not None:
            self._finish(text)


class Late:
    """Holds PVA puts, to answer them late."""

    def __init__(self) -> None:
        self._pvxs: Pvxs | None = None
        self._is_unknown = False
        self._held: dict[int, Answer] = {}

    def hold(self) -> Answer | None:
        """The answer to the PVA put that the calling thread executes.

        Returns:
            None if it executes none, or one that waits in another way (`record[block=true]`), or if
            this pvxs is not known: QSRV then answers at once.
        """
        if self._is_unknown:
            return None
        if self._pvxs is None:
            self._pvxs = Pvxs.load(self._let_go)
        if self._pvxs is None:
            self._give_up("its version")
            return None
        operation = self._pvxs.current()
        if not operation or operation in self._held:
            return None
        if not self._pvxs.take(operation):
            self._give_up("the class of its operations")
            return None
        pvxs = self._pvxs
        answer = Answer(lambda text: self._finish(pvxs, operation, text))
        self._held[operation] = answer
        return answer

    def _give_up(self, what: str) -> None:
        self._is_unknown = True
        log.warning(
            "pvxs: %s is not known, so PVA puts of tables and NTEnums are answered before the"
            " PandA has; alarms tell of refused ones",
            what,
        )

    def _let_go(self, operation: int) -> None:
        self._held[operation].let_go()

    def _finish(self, pvxs: Pvxs, operation: int, text: str) -> None:
        del self._held[operation]
        pvxs.finish(operation, text)
