"""The options of a bridge: each is one row here, and nowhere else.

The command line makes its arguments from these rows; `Bridge` and the server take the whole.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from panda_ioc.errors import ConfigurationError
from panda_ioc.ioc.recsync.place import Place
from panda_ioc.numbers import positive, positive_int
from panda_ioc.records.limits import TABLE_ROWS

if TYPE_CHECKING:
    from panda_ioc.client.address import Address

_ROW = "row"


@dataclass(frozen=True, kw_only=True)
class Row:
    """The command line argument of an option.

    Attributes:
        flag: `--name`
        help: what it does; the default is added where there is one to show
        metavar: what its value is called; "" for a switch, which turns the default over
        kind: makes the value of a text
        several: may be given several times
        run_only: makes no sense for a simulated PandA
        check: raises `ConfigurationError` or `OSError` before anything is started
    """

    flag: str
    help: str
    metavar: str = ""
    kind: Callable[[str], Any] = str
    several: bool = False
    run_only: bool = False
    check: Callable[[Path], None] | None = None


def _row(flag: str, what: str, **more: Any) -> Mapping[str, Row]:
    return {_ROW: Row(flag=flag, help=what, **more)}


def _file(path: Path) -> None:
    if not path.is_file():
        raise ConfigurationError(f"{path}: no such access security file")


def _directory(path: Path) -> None:
    if not path.is_dir():
        raise ConfigurationError(f"{path}: no such directory, create it")


def _in_directory(path: Path) -> None:
    _directory(path.parent)


def _made(path: Path) -> None:
    path.mkdir(parents=True, exist_ok=True)


@dataclass(frozen=True)
class Options:
    """The options that the command line sets.

    Attributes:
        address: of the PandA
        prefix: of all PVs, without the last colon
    """

    address: "Address"
    prefix: str
    cache: Path | None = field(
        default=None,
        metadata=_row(
            "--cache",
            "keep what the PandA is in FILE, to serve its records even while it is off",
            metavar="FILE",
            kind=Path,
            run_only=True,
            check=_in_directory,
        ),
    )
    replace: bool = field(
        default=True,
        metadata=_row(
            "--exit-if-different",
            "exit with status 3 when a different PandA answers, instead of beginning anew",
            run_only=True,
        ),
    )
    poll_period: float = field(
        default=0.1,
        metadata=_row(
            "--poll-period", "seconds between polls of changes", metavar="S", kind=positive
        ),
    )
    attentive_period: float = field(
        default=0.015,
        metadata=_row(
            "--attentive-period",
            "seconds between polls while PCAP is armed, and for 1 s after a change or a put",
            metavar="S",
            kind=positive,
        ),
    )
    table_rows: int = field(
        default=TABLE_ROWS,
        metadata=_row(
            "--table-rows",
            "rows that are served of a table, at most",
            metavar="N",
            kind=positive_int,
        ),
    )
    access_security: Path | None = field(
        default=None,
        metadata=_row(
            "--access-security",
            "EPICS access security file",
            metavar="FILE",
            kind=Path,
            check=_file,
        ),
    )
    log_puts: bool = field(
        default=False, metadata=_row("--log-puts", "log who puts what, from where")
    )
    iocsh: bool = field(
        default=False,
        metadata=_row("--iocsh", "run the shell of EPICS on standard input; exit ends the bridge"),
    )
    bind: str = field(
        default="",
        metadata=_row("--bind", "serve on this address only, default: on all", metavar="ADDR"),
    )
    autosave_dir: Path | None = field(
        default=None,
        metadata=_row(
            "--autosave-dir",
            "keep the settings of the bridge in DIR, so that they survive a restart",
            metavar="DIR",
            kind=Path,
            check=_made,
        ),
    )
    data_roots: tuple[Path, ...] = field(
        default=(),
        metadata=_row(
            "--data-root",
            "write files in DIR only (may be given several times), default: anywhere",
            metavar="DIR",
            kind=Path,
            several=True,
            check=_directory,
        ),
    )
    pv_list: Path | None = field(
        default=None,
        metadata=_row(
            "--pv-list",
            "write the names of small PVs to FILE, others to FILE-large, -aliases, -pva, -left-out",
            metavar="FILE",
            kind=Path,
            check=_in_directory,
        ),
    )
    alarm_config: Path | None = field(
        default=None,
        metadata=_row(
            "--alarm-config",
            "write the alarm tree of this PandA to FILE, for the alarm server of Phoebus",
            metavar="FILE",
            kind=Path,
            check=_in_directory,
        ),
    )
    recsync: bool = field(
        default=False,
        metadata=_row("--recsync", "tell RecCeivers of ChannelFinder of all records"),
    )
    recsync_listen: Place | None = field(
        default=None,
        metadata=_row(
            "--recsync-listen",
            f"listen for RecCeivers there, default: {Place()}; has --recsync included",
            metavar="ADDR[:PORT]",
            kind=Place.parse,
        ),
    )
    design_dir: Path | None = field(
        default=None,
        metadata=_row(
            "--design-dir",
            "save and load all settings of the PandA in DIR, by the PVs DESIGN:*",
            metavar="DIR",
            kind=Path,
            check=_directory,
        ),
    )
    screens_dir: Path | None = field(
        default=None,
        metadata=_row("--screens-dir", "write Phoebus screens into DIR", metavar="DIR", kind=Path),
    )

    @property
    def recsync_place(self) -> Place | None:
        """Where to listen for RecCeivers; None if they are not to be told of anything."""
        return self.recsync_listen or (Place() if self.recsync else None)

    def check(self) -> None:
        """Check files and directories before anything is started.

        Raises:
            ConfigurationError: an option names what is not there
            OSError: a directory cannot be made
        """
        for name, (row, _) in rows().items():
            value = getattr(self, name)
            if row.check is not None and value is not None:
                for path in value if row.several else (value,):
                    row.check(path)


def rows() -> dict[str, tuple[Row, Any]]:
    """How each option is given, and its default, by the name of the field."""
    return {
        each.name: (each.metadata[_ROW], each.default)
        for each in fields(Options)
        if _ROW in each.metadata
    }
