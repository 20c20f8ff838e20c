"""Every exception that panda-ioc raises on purpose.

PandAError
|-- ProtocolError            the peer sent bytes that its protocol does not have
|   `-- NoContextAvailable   a reply came that nobody had asked for
|-- CommandError             the PandA answered "ERR ...", or not what was asked for
|                            (also an AssertionError, as commands for `pandablocks` expect)
|-- VersionError             the PandA's server is too old for a command
|-- ConnectionLost           the connection ended, or there is none   (also a ConnectionError,
|                            and what the system raised: ConnectionRefusedError, gaierror, ...)
|-- CommandTimeout           no reply in time                         (also a TimeoutError)
|-- BadValue                 a value that a field cannot hold         (also a ValueError)
|-- CaptureError             data could not be captured or written
|   `-- HDFDataOverrunError  an acquisition that was to be written ended in an overrun
|-- ConfigurationError       the user asked for something impossible: option, file, directory
|-- TwinError                the digital twin has no such block, field or tick
`-- ServerFailed             a process of a test ended, or was not ready in time

The message of each names the thing, the value and, where there is one, the remedy.
"""

from typing import Self


class PandAError(Exception):
    """Base of all errors of this package.

    Attributes:
        command: the protocol command that failed, where the error belongs to one
    """

    def __init__(self, message: str = "", command: object = None) -> None:
        super().__init__(message)
        self.command = command

    def again(self, message: str, command: object) -> Self:
        """Return a copy of an error, for one more command."""
        return type(self)(message, command)


class ProtocolError(PandAError):
    """Bytes from the peer do not follow its protocol; the connection is useless now."""


class NoContextAvailable(ProtocolError):
    """A reply arrived while no command was waiting for one."""


class CommandError(PandAError, AssertionError):
    """A command failed on the PandA; the message holds what was sent and what came back.

    Attributes:
        reason: the PandA's own words, as in ``ERR reason``; empty for a reply of the wrong kind
    """

    def __init__(self, message: str = "", command: object = None, reason: str = "") -> None:
        super().__init__(message, command)
        self.reason = reason


class VersionError(PandAError):
    """The PandA's server is older than a command needs."""


class ConnectionLost(PandAError, ConnectionError):
    """The connection to the PandA ended before the command did, or was never made.

    An instance made by `caused_by` is of a class that also derives from that of the cause.
    """

    _cause: type[OSError] = ConnectionError

    @classmethod
    def caused_by(cls, cause: OSError, message: str) -> "ConnectionLost":
        """The error for what the system raised; who catches `cause` catches it as well.

        Args:
            cause: its number and words are taken over as `errno` and `strerror`
            message: the text of the error
        """
        error = _class_with(type(cause))(message)
        error.errno, error.strerror = cause.errno, cause.strerror
        return error

    def again(self, message: str, command: object) -> Self:
        error = super().again(message, command)
        error.errno, error.strerror = self.errno, self.strerror
        return error

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""

    def __reduce__(self) -> tuple[object, ...]:
        state = {"command": self.command, "errno": self.errno, "strerror": self.strerror}
        return _make_again, (self._cause, *self.args), state


def _class_with(cause: type[OSError]) -> type[ConnectionLost]:
    """The class that also derives from `cause`."""
    if issubclass(ConnectionLost, cause):
        return ConnectionLost
    return type("ConnectionLost", (ConnectionLost, cause), {"_cause": cause})


def _make_again(cause: type[OSError], *args: str) -> ConnectionLost:
    """Rebuild a copied or unpickled error."""
    return _class_with(cause)(*args)


class CommandTimeout(PandAError, TimeoutError):
    """The PandA did not answer a command in time."""


class BadValue(PandAError, ValueError):
    """A value that the named field cannot hold."""


class CaptureError(PandAError):
    """Captured data could not be received, understood or written."""


class HDFDataOverrunError(CaptureError):
    """An acquisition that was to be written ended in an overrun."""


class ConfigurationError(PandAError):
    """The user asked for something impossible; the message says what to change."""


class TwinError(PandAError):
    """The digital twin has no such block or field, or the tick is past."""


def describe(error: BaseException) -> str:
    """The kind of an error that nobody raised on purpose, and its message if it has one."""
    name = type(error).__name__
    return f"{name}: {error}" if str(error) else name


class ServerFailed(PandAError):
    """A process that a test started ended, or was not ready in time; its log is in the message."""
