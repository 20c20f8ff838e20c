"""Keep the bridge's own settings in a file, so that they survive a restart.

What is kept is what the records show: a setting tells its value once it has taken it, so that a
put that is refused or still under way is never kept. A value in the file that cannot be used, or
whose record is gone since the application changed, stays there until its record is put to.
"""

import asyncio
import logging
import threading
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

import yaml

from panda_ioc.files import write_atomically
from panda_ioc.ioc.parts.base import Part

SUFFIX = ".softsav"
PAUSE = 0.5
"""Seconds between two saves, at least."""
_PLAIN = "+;<>[]{}"
"""What names of files hold as it is, apart from letters, digits and `_-~`."""
_NAMED = 10
"""Settings without a record that the log names."""

log = logging.getLogger(__name__)


class Autosave(Part):
    """The settings that are saved.

    Args:
        directory: of the file; None keeps nothing
        prefix: of all PVs
        names: of the records of kept settings, without the prefix
    """

    def __init__(self, directory: Path | None, prefix: str, names: Iterable[str]) -> None:
        self.path = directory / file_name(prefix) if directory else None
        self._names = {name: f"{prefix}:{name}" for name in names}
        self._saved = _read(self.path) if self.path else {}
        self._state = dict(self._saved)
        self._changed = asyncio.Event()
        self._writing = threading.Lock()
        self._complaint = ""
        self._report_unknown()

    def kept(self, name: str) -> object:
        """Return the saved value of a record, or None."""
        return self._state.get(self._names[name]) if name in self._names else None

    def keep(self, name: str, value: object) -> None:
        """Remember the value of a setting, if it is one of those that are saved."""
        if name in self._names and self.path:
            self._state = {**self._state, self._names[name]: value}
            self._changed.set()

    async def run(self) -> None:
        """Save changes, for the last time when the bridge ends."""
        try:
            while True:
                await self._changed.wait()
                self._changed.clear()
                await asyncio.to_thread(self._save)
                await asyncio.sleep(PAUSE)
        finally:
            self._save()

    def _save(self) -> None:
        with self._writing:
            state = self._state
            if self.path is None or state == self._saved:
                return
            try:
                write_atomically(self.path, yaml.safe_dump(state, allow_unicode=True))
            except OSError as error:
                self._complain(f"{self.path}: settings are not saved: {error.strerror}")
            else:
                self._saved = state
                self._complaint = ""

    def _complain(self, complaint: str) -> None:
        """Log an error once; the next change tries again."""
        if complaint != self._complaint:
            log.error("%s", complaint)
        self._complaint = complaint

    def _report_unknown(self) -> None:
        gone = sorted(self._saved.keys() - set(self._names.values()))
        if gone:
            more = f" and {len(gone) - _NAMED} more" if len(gone) > _NAMED else ""
            names = ", ".join(gone[:_NAMED])
            log.warning("%s: no such records now, values stay there: %s%s", self.path, names, more)


def file_name(prefix: str) -> str:
    """Return the name of the file for a prefix; characters that cannot be in it become %XX."""
    return f"{quote(prefix.replace(':', '-'), safe=_PLAIN)}{SUFFIX}"


def _read(path: Path) -> dict[str, object]:
    """Return the content of a file; set a damaged file aside."""
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
        if not isinstance(found, dict):
            raise ValueError("it holds no settings")
    except FileNotFoundError:
        return {}
    except (ValueError, yaml.YAMLError) as error:
        aside = path.with_suffix(".damaged")
        log.warning("%s is damaged, moved to %s and skipped: %s", path, aside.name, error)
        path.rename(aside)
        return {}
    return {str(name): value for name, value in found.items()}
