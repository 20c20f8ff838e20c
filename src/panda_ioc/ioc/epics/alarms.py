"""Alarms: why a record's value is not to be trusted, and how much so."""

from typing import NamedTuple

from softioc import alarm

from panda_ioc.errors import CommandError, ConnectionLost, PandAError

MINOR, MAJOR, INVALID = alarm.MINOR_ALARM, alarm.MAJOR_ALARM, alarm.INVALID_ALARM
COMM, READ, STATE, UDF, WRITE = (
    alarm.COMM_ALARM,
    alarm.READ_ALARM,
    alarm.STATE_ALARM,
    alarm.UDF_ALARM,
    alarm.WRITE_ALARM,
)


class Alarm(NamedTuple):
    """The alarm of a record: SEVR, STAT and AMSG (of which EPICS keeps 39 bytes)."""

    severity: int = alarm.NO_ALARM
    status: int = alarm.NO_ALARM
    message: str = ""


NO_ALARM = Alarm()
UNDEFINED = Alarm(INVALID, UDF)
DISCONNECTED = Alarm(INVALID, COMM, "no connection to PandA")
UNREADABLE = Alarm(INVALID, READ, "PandA cannot read it")


def refusal(error: PandAError) -> Alarm:
    """Return the alarm of a record whose put was refused."""
    is_lost = isinstance(error, ConnectionLost | TimeoutError)
    return Alarm(INVALID, COMM if is_lost else WRITE, reason(error))


def reason(error: PandAError) -> str:
    """Return why something failed, in the PandA's own words where it gave any."""
    own = error.reason if isinstance(error, CommandError) else ""
    return own or str(error)
