"""Write the pages under docs/reference that follow from tables in the code.

    python docs/generate.py            write them
    python docs/generate.py --check    exit with status 1 if they are not current

Which records a field gets is read from those made for the application of the simulated PandA.
"""

import argparse
import asyncio
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from panda_ioc import cli
from panda_ioc.client.asyncio import AsyncioClient
from panda_ioc.client.introspection import introspect
from panda_ioc.device.codecs import CodecName
from panda_ioc.device.kinds import KINDS, Access, FieldKind
from panda_ioc.device.model import Device, Field
from panda_ioc.records.build import RecordSet, build_records
from panda_ioc.records.mapping import INPUTS, OUTPUTS
from panda_ioc.records.specs import RecordSpec, pv_name
from panda_ioc.sim import SimulatedPandA

REFERENCE = Path(__file__).parent / "reference"
HEAD = "<!-- Written by docs/generate.py from the tables of the code: change those. -->\n\n"
ACCESS = {
    Access.NONE: "none",
    Access.READ: "read",
    Access.WRITE: "write",
    Access.READ_WRITE: "read, write",
}
GROUPS = (
    ("The bridge", ("STATUS", "ERROR")),
    ("What the PandA is", ("SYSTEM:",)),
    ("Position capture", ("PCAP:",)),
    ("Live waveforms", ("DATA:LIVE:",)),
    ("Files", ("DATA:",)),
    ("Designs", ("DESIGN:",)),
    ("Health", ("IOC:",)),
)
EXITS = (
    (0, "a good end; SIGTERM or SIGINT to `run`, `sim` and `demo`"),
    (
        1,
        "an error, which is the last line on stderr; what the PandA refused to `load`, or to"
        " `control` without a prompt; an output that nobody reads any more",
    ),
    (2, "wrong arguments"),
    (3, "`run --exit-if-different`: a different PandA answers"),
    (4, "`run` and `demo`: a part of the bridge failed, start it again; the log says which"),
    (130, "SIGINT to any other command"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check; returns the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing")
    check = parser.parse_args(arguments).check
    device = asyncio.run(_device())
    records = build_records(device, "PREFIX")
    pages = {
        "fields.md": "".join(_fields(device, records)),
        "records.md": "".join(_own(device, records)),
        "command-line.md": "".join(_command_line()),
    }
    stale = [name for name, text in pages.items() if _differs(REFERENCE / name, HEAD + text)]
    for name in stale:
        if check:
            sys.stderr.write(f"docs/reference/{name} is not current\n")
        else:
            (REFERENCE / name).write_text(HEAD + pages[name])
    return int(check and bool(stale))


async def _device() -> Device:
    panda = SimulatedPandA()
    await panda.start()
    async with AsyncioClient(panda.host, panda.control_port, panda.data_port) as client:
        device = await introspect(client)
    await panda.stop()
    return device


def _differs(path: Path, text: str) -> bool:
    return not path.exists() or path.read_text() != text


def _table(*head: str, rows: Iterable[Sequence[object]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |\n|{'---|' * len(head)}\n"
    for row in rows:
        cells = (str(cell).replace("|", "\\|").replace("\n", " ") for cell in row)
        yield f"| {' | '.join(cells)} |\n"
    yield "\n"


# -- fields -------------------------------------------------------------------------------------


def _fields(device: Device, records: RecordSet) -> Iterator[str]:
    yield (
        "# From field type to record\n\n"
        "`BLOCK.FIELD` of the PandA is the record `PREFIX:BLOCK:FIELD`. If there are several such"
        " blocks, the name has a number, as in `PREFIX:PULSE1:DELAY`. Beside it are the records of"
        " the attributes, and those that the bridge adds. A field of a type that is not in this"
        " table, from newer firmware, becomes a read-only string, with one warning in the log."
        "\n\n"
    )
    yield from _table(
        "type",
        "clients may",
        "record",
        "attributes",
        rows=(
            (_link(key, device), ACCESS[kind.access], _brief(kind), ", ".join(_attributes(kind)))
            for key, kind in KINDS.items()
        ),
    )
    yield (
        "`mbbo` holds 16 states of 25 characters: an enumeration with more, or longer, labels is a"
        " `stringout`. Every `stringout` of a choice has an NTEnum beside it, `NAME:ENUM`, for PVA"
        " clients.\n\nThe sections below show all records of one field of each type that the"
        " simulated application has.\n\n"
    )
    for key in KINDS:
        field = _example(key, device, records)
        if field is not None:
            yield from _type_section(key, field, device, records)


def _type(key: tuple[str, str | None]) -> str:
    return " ".join(filter(None, key))


def _anchor(key: tuple[str, str | None]) -> str:
    return _type(key).replace(" ", "-")


def _link(key: tuple[str, str | None], device: Device) -> str:
    is_shown = any((f.info.type, f.info.subtype) == key for f in device.fields.values())
    return f"[`{_type(key)}`](#{_anchor(key)})" if is_shown else f"`{_type(key)}`"


def _brief(kind: FieldKind) -> str:
    """The record type of a field's value."""
    rows = OUTPUTS if Access.WRITE in kind.access else INPUTS
    if kind.codec is CodecName.TABLE:
        return "a `waveform` for each column, an NTTable"
    return f"`{rows[kind.codec].rtype}`" if kind.codec else "none"


def _attributes(kind: FieldKind) -> Iterator[str]:
    for attribute in kind.attributes:
        rows = OUTPUTS if Access.WRITE in attribute.access else INPUTS
        yield f"`:{attribute.name}` `{rows[attribute.codec].rtype}`"


def _type_section(
    key: tuple[str, str | None], field: Field, device: Device, records: RecordSet
) -> Iterator[str]:
    name = pv_name(field.wire)
    yield f"## {_type(key)} {{#{_anchor(key)}}}\n\n`{field.wire}`:\n\n"
    yield from _table(
        "record",
        "type",
        "clients may",
        "what",
        rows=(
            (f"`{name}`{_suffix(spec, name)}", _rtype(spec), _may(spec), spec.desc)
            for spec in _records_of(field, device, records)
        ),
    )


def _example(key: tuple[str, str | None], device: Device, records: RecordSet) -> Field | None:
    """The field of this type with the most records."""
    found = [f for f in device.fields.values() if (f.info.type, f.info.subtype) == key]
    if not found:
        return None
    most = max(len(list(_records_of(field, device, records))) for field in found)
    return next(f for f in found if len(list(_records_of(f, device, records))) == most)


def _records_of(field: Field, device: Device, records: RecordSet) -> Iterator[RecordSpec]:
    own = pv_name(field.wire)
    others = [pv_name(wire) for wire in device.fields if pv_name(wire).startswith(f"{own}:")]
    for spec in records.specs:
        is_ours = spec.name == own or spec.name.startswith(f"{own}:")
        if is_ours and not any(_below(spec.name, other) for other in others):
            yield spec


def _below(name: str, other: str) -> bool:
    return name == other or name.startswith(f"{other}:")


def _suffix(spec: RecordSpec, name: str) -> str:
    rest = spec.name.removeprefix(name)
    return f"**`{rest}`**" if rest else ""


def _rtype(spec: RecordSpec) -> str:
    if spec.rtype != "waveform":
        return f"`{spec.rtype}`"
    if spec.ftvl == "CHAR":
        return "long string"
    return f"`waveform` of {spec.ftvl}"


def _may(spec: RecordSpec) -> str:
    return "read, put" if spec.writable else "read"


# -- the bridge's own ---------------------------------------------------------------------------


def _own(device: Device, records: RecordSet) -> Iterator[str]:
    yield (
        "# The bridge's own records\n\n"
        "These records show no field of the PandA. Names are without the prefix. Records that are"
        " *kept* survive a restart if `--autosave-dir` is given. Names in brackets are aliases,"
        " which `pandablocks-ioc` uses.\n\n"
        "Not listed are the records of devIocStats under `IOC:` (CPU, memory, uptime and so on),"
        " the rows `POSITIONS:n:*` and `BITS:n:*`, which are names and aliases for tables on"
        " screens, and a `PVI` structure for each block.\n\n"
    )
    own = [spec for spec in records.specs if not spec.wire and _is_own(spec, device)]
    for title, prefixes in GROUPS:
        mine = [spec for spec in own if spec.name.startswith(prefixes)]
        own = [spec for spec in own if spec not in mine]
        if mine:
            yield f"## {title}\n\n"
            yield from _table(
                "record", "type", "clients may", "what", "at first", "kept", rows=map(_row, mine)
            )


def _is_own(spec: RecordSpec, device: Device) -> bool:
    """Not what belongs to a field, nor to the PVI tree."""
    return (
        spec.block in ("STATUS", "ERROR", "SYSTEM", "PCAP", "DATA", "DESIGN", "IOC")
        and not any(_below(spec.name, pv_name(wire)) for wire in device.fields)
        and ":PVI" not in spec.name
    )


def _row(spec: RecordSpec) -> tuple[str, ...]:
    aliases = f" (`{'`, `'.join(spec.aliases)}`)" if spec.aliases else ""
    unit = spec.fields.get("EGU")
    choices = f": {', '.join(spec.labels)}" if spec.labels else ""
    return (
        f"`{spec.name}`{aliases}",
        _rtype(spec),
        _may(spec),
        f"{spec.desc}{choices}{f', in {unit}' if unit else ''}",
        _first(spec),
        "kept" if spec.saved else "",
    )


def _first(spec: RecordSpec) -> str:
    if not spec.writable or spec.value in (None, ""):
        return ""
    return spec.labels[int(str(spec.value))] if spec.labels else str(spec.value)


# -- the command line ---------------------------------------------------------------------------


def _command_line() -> Iterator[str]:
    yield "# Command line\n\n"
    parser = cli.make_parser()
    commands = next(a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    helps = {choice.dest: choice.help or "" for choice in commands._choices_actions}
    for name, command in commands.choices.items():
        positional = [a for a in command._actions if not a.option_strings]
        words = " ".join(_word(action) for action in positional)
        yield f"## panda-ioc {name}\n\n{_sentence(helps.get(name, ''))}\n\n"
        yield f"```text\npanda-ioc {name} [options] {words}".rstrip() + "\n```\n\n"
        rows = [_option(a) for a in (*positional, *_options(command)) if a.dest != "help"]
        yield from _table("argument", "what", "default", rows=rows)
    yield "## Exit status\n\n"
    yield from _table("status", "after", rows=EXITS)
    yield "`capture` has [more](capture.md#exit-status-of-panda-ioc-capture).\n"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _options(command: argparse.ArgumentParser) -> list[argparse.Action]:
    return [action for action in command._actions if action.option_strings]


def _word(action: argparse.Action) -> str:
    word = str(action.metavar or action.dest.upper())
    return f"[{word}]" if action.nargs in ("?", "*") else word


def _option(action: argparse.Action) -> tuple[str, ...]:
    choices = "{" + ",".join(map(str, action.choices)) + "}" if action.choices else ""
    value = "" if action.nargs == 0 else str(action.metavar or choices or action.dest.upper())
    if isinstance(action, argparse.BooleanOptionalAction):
        value = ""
    name = " ".join(filter(None, [", ".join(action.option_strings), value]))
    text = (action.help or "").replace("%%", "%").partition(", default:")[0]
    return f"`{name}`", "" if text.startswith("default:") else text, _default(action)


def _default(action: argparse.Action) -> str:
    text = (action.help or "").partition("default: ")[2]
    return text.replace("%(default)s", str(action.default))


if __name__ == "__main__":
    sys.exit(main())
