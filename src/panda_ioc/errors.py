"""Every exception that panda-ioc raises on purpose.

PandAError
|-- ProtocolError            the peer sent bytes that no PandA would send
|   `-- NoContextAvailable   a reply came that nobody had asked for
|-- CommandError             the PandA answered "ERR ..." (or not what was asked for)
|-- VersionError             the PandA's server is too old for a command
|-- ConnectionLost           the connection ended, or there is none   (also a ConnectionError)
|-- CommandTimeout           no reply in time                         (also a TimeoutError)
|-- BadValue                 a value that a field can not hold        (also a ValueError)
|-- CaptureError             data could not be captured or written
|-- ConfigurationError       the user asked for something impossible: option, file, directory
`-- TwinError                the digital twin has no such block, field or tick

The message of each names the thing, the value and, where there is one, the remedy.
"""


class PandAError(Exception):
    """Base of all errors of this package.

    Attributes:
        command: the protocol command that failed, where the error belongs to one
    """

    def __init__(self, message: str = "", command: object = None) -> None:
        super().__init__(message)
        self.command = command


class ProtocolError(PandAError):
    """Bytes from the peer do not follow the PandA protocol; the connection is of no more use."""


class NoContextAvailable(ProtocolError):
    """A reply arrived while no command was waiting for one."""


class CommandError(PandAError):
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
    """The connection to the PandA ended before the command did, or was never made."""


class CommandTimeout(PandAError, TimeoutError):
    """The PandA did not answer a command in time."""


class BadValue(PandAError, ValueError):
    """A value that the named field can not hold."""


class CaptureError(PandAError):
    """Captured data could not be received, understood or written."""


class ConfigurationError(PandAError):
    """The user asked for something impossible; the message says what to change."""


class TwinError(PandAError):
    """The digital twin has no such block or field, or the tick is past."""
