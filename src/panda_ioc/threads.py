"""Each thing is used from its own thread: checked in debug mode.

Debug mode is `python -X dev`, or PANDA_IOC_CHECK_THREADS=1 in the environment, as in the tests. An
object with an owner has a `ThreadOwner`, and calls `check` where others enter it. In debug mode the
first thread that comes is the owner, and any other gets `WrongThread`; else a check does nothing.
docs/explanations/threads.md says which thread owns what.
"""

import os
import sys
import threading


class WrongThread(RuntimeError):
    """A fault of the program: a thing was used from a thread that does not own it."""


class ThreadOwner:
    """The thread that a thing belongs to: the first that uses it."""

    __slots__ = ("_is_checked", "_name", "_thread")

    def __init__(self, name: str) -> None:
        self._name = name
        self._is_checked = sys.flags.dev_mode or "PANDA_IOC_CHECK_THREADS" in os.environ
        self._thread: threading.Thread | None = None

    def check(self) -> None:
        """Raise `WrongThread` in debug mode if this is not the owner's thread."""
        if not self._is_checked:
            return
        here = threading.current_thread()
        if self._thread is None:
            self._thread = here
        elif self._thread is not here:
            raise WrongThread(
                f"{self._name} belongs to thread {self._thread.name!r}, not to {here.name!r}:"
                " pass the work on with call_soon_threadsafe"
            )
