"""EPICS records in memory: post and refuse without processing.

* `Record.post` writes value, alarm and time under the record's lock and posts monitors: an output
  record follows the device without processing, so nothing is echoed back; and nothing passes
  through the callback queue, which loses updates when it is full. What a record shows already is
  not posted again, however often that is asked for.
* `Record.refuse` fails the put that an output record is processing: the client's put-callback
  (CA) or put (PVA) reports an error.
* `Locker` holds the locks of many records, so that a table changes as one.

Reading and writing fields is in `memory`.
"""

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from panda_ioc.ioc.epics import dbcore
from panda_ioc.ioc.epics.alarms import INVALID, NO_ALARM, READ, Alarm
from panda_ioc.ioc.epics.dbcore import DBE_LOG, DBE_PROPERTY, DBE_VALUE
from panda_ioc.ioc.epics.layouts import STRINGS
from panda_ioc.ioc.epics.memory import Memory, Value
from panda_ioc.ioc.epics.notify import fail_notify

log = logging.getLogger(__name__)

# What was posted last, by how much VAL has to differ from it ("": at all), and for whom.
_DEADBANDS = (("MLST", "MDEL", DBE_VALUE), ("ALST", "ADEL", DBE_LOG))
_ALWAYS = ("OVAL", "", 0)


class Record(Memory):
    """One record of the running database, as clients see it."""

    def __init__(self, name: str, rtype: str, ftvl: str = "") -> None:
        super().__init__(name, rtype, ftvl)
        self._is_reported = False
        rows = _DEADBANDS if self._has("MLST") else (_ALWAYS,)
        self._posted = tuple(
            (last, deadband if self._has(deadband) else "", bit)
            for last, deadband, bit in rows
            if self._has(last)
        )

    # -- with the lock held ---------------------------------------------------------------------

    def show(
        self, value: Value | None, alarm: Alarm, stamp: float, *, is_news: bool = False
    ) -> bool:
        """Show a value (None: the one it has) with this alarm; return whether that was news.

        Only news are posted. A value that the record cannot hold leaves VAL as it is, with an
        INVALID alarm that has its text; the log has it once.

        Args:
            value: of the PandA
            alarm: of the value
            stamp: when it was so, in seconds since 1970
            is_news: post it even if the record shows the same already
        """
        try:
            if is_news and value is not None:
                self.write(value)
            elif value is not None:
                is_news = self._replace(value)
        except OverflowError as error:
            alarm, is_news = self._not_held(value, error), False
        if not is_news and self._shows(alarm):
            return False
        self.set_alarm(alarm)
        if not self.is_processing:  # else its completion posts
            self.publish(stamp)
        return True

    def publish(self, stamp: float, mask: int = DBE_VALUE | DBE_LOG) -> None:
        """Apply the prepared alarm, set the time, and post VAL to monitors."""
        self._write_time(stamp)
        mask = self._remember(mask)
        mask |= dbcore.reset_alarms(self._address)
        self._tell(mask)

    # -- whole operations -----------------------------------------------------------------------

    def post(
        self,
        value: Value | None,
        alarm: Alarm = NO_ALARM,
        stamp: float | None = None,
        *,
        is_news: bool = False,
    ) -> bool:
        """Show a value (None: the one it has) with this alarm, without processing.

        Nothing is posted if the record shows both already, unless `is_news` or the value is an
        array: samples may be new and equal.

        Returns:
            False if a put is under way: its completion decides what the record shows.
        """
        is_array = value is not None and not isinstance(value, str | float | int)
        with self:
            if self.is_processing:
                return False
            self.show(
                value, alarm, time.time() if stamp is None else stamp, is_news=is_news or is_array
            )
        return True

    def set_fields(self, **fields: str | float) -> None:
        """Change fields that describe VAL (EGU, PREC, HOPR), as one, and tell monitors of it."""
        with self:
            before = [self._raw(field) for field in fields]
            for field, value in fields.items():
                if isinstance(value, str):
                    self._write_string(field, value)
                else:
                    self._write_limit(field, value)
            if [self._raw(field) for field in fields] != before:
                self._tell(DBE_PROPERTY)

    def settle(self, put: Value, shown: Value | None = None) -> None:
        """End a good put of `put`: no alarm; VAL becomes `shown` if the device made that of it.

        To be called while the record processes, before its completion. If a newer put has already
        replaced VAL, it is left alone: the record will process again with it.
        """
        with self:
            if shown is not None and _same(self.read(), put):
                self.write(shown)
            self.set_alarm(NO_ALARM)

    def refuse(self, put: Value, back_to: Value | None, alarm: Alarm) -> None:
        """Fail the put of `put` that the record is processing, and go back to the device's value.

        To be called while the record processes, before its completion. If a newer put has already
        replaced VAL, it is left alone: the record will process again with it.
        """
        with self:
            if back_to is not None and _same(self.read(), put):
                self.write(back_to)
                self._forget(put)
            self.set_alarm(alarm)
            fail_notify(self._int("PPN"))

    def read_put(self) -> Value:
        """Return what a client has put: VAL, or the number that did not fit into it."""
        return self.read()

    def post_at_completion(self) -> None:
        """Have the end of processing post VAL, whether it changed or not."""
        with self:
            self._forget(self.read() == 0)

    # -- details --------------------------------------------------------------------------------

    def _not_held(self, value: object, error: Exception) -> Alarm:
        if not self._is_reported:
            log.warning("%s: cannot show %.80r: %s", self.name, value, error)
            self._is_reported = True
        return Alarm(INVALID, READ, str(value))

    def _remember(self, mask: int) -> int:
        """Remember that VAL was posted, so that processing posts only changes; return the mask
        that the deadbands leave."""
        for last, deadband, bit in self._posted:
            if deadband and self._is_within(last, deadband):
                mask &= ~bit
            else:
                self._copy("VAL", last)
        return mask

    def _is_within(self, last: str, deadband: str) -> bool:
        """Whether VAL is within the deadband around what was posted last."""
        limit = self._number(deadband)
        return limit > 0 and abs(self._number("VAL") - self._number(last)) <= limit

    def _forget(self, put: Value) -> None:
        """Make processing post VAL even if unchanged: clients still show what they put."""
        if self._has("MLST"):
            self._write_number("MLST", put)
        elif self.rtype in STRINGS:
            self._write_string("OVAL", str(put))


def _same(one: Value, other: Value) -> bool:
    """Return whether two values are equal, also if both are not-a-number."""
    if isinstance(one, str) or isinstance(other, str):
        return str(one) == str(other)
    a, b = np.asarray(one), np.asarray(other)
    return a.shape == b.shape and bool(np.all((a == b) | ((a != a) & (b != b))))


class Locker:
    """The locks of several records, taken together."""

    def __init__(self, records: Sequence[Record]) -> None:
        served = [record._address for record in records if record._address]
        self._locker = dbcore.make_locker(served)

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Hold all the locks."""
        dbcore.lock_many(self._locker)
        try:
            yield
        finally:
            dbcore.unlock_many(self._locker)
