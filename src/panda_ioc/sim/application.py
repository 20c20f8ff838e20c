"""Load a PandA application: the three files from which a server knows its blocks.

`config` names blocks and fields with their types. `registers` gives the bus index of each bit_out
and pos_out instance, and the length of tables. `description` has the texts of `*DESC`. Indentation
is structure in all three, and `#` starts a comment. A fourth file, `state`, is optional and not of
the server: it has lines `NAME=value`, which are put to the fields at start.

Anything that cannot be understood is a ConfigurationError that names file and line.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from panda_ioc.errors import ConfigurationError

PACKAGED = Path(__file__).parent / "pandabox"
SUBTYPES = ("uint", "int", "scalar", "bit", "action", "lut", "enum", "time")
ACCESSES = ("param", "read", "write")
OTHER_TYPES = ("time", "bit_out", "pos_out", "ext_out", "bit_mux", "pos_mux", "table")
EXT_OUT_SUBTYPES = ("timestamp", "samples", "bits")
METADATA_KINDS = ("constant", "string", "multiline")
WORDS_PER_TABLE_PAGE = 1024

_BLOCK = re.compile(r"([A-Z][A-Z0-9_]*)(?:\[(\d+)\])?$")
_NAME = re.compile(r"[A-Z][A-Z0-9_]*$")
_COLUMN = re.compile(r"(\d+):(\d+)\s+([A-Z][A-Z0-9_]*)(?:\s+(uint|int|enum))?$")


@dataclass
class ConfigNode:
    """One line of an indented file, with the lines indented under it."""

    text: str
    where: str
    children: list["ConfigNode"] = field(default_factory=list)

    def fail(self, problem: str) -> ConfigurationError:
        """Return the error to raise: where the line is, and what it says."""
        return ConfigurationError(f"{self.where}: {problem}: {self.text.strip()!r}")


@dataclass(frozen=True)
class ColumnSpec:
    """One column of a table: bits high..low of the row."""

    name: str
    high: int
    low: int
    subtype: str
    labels: tuple[str, ...]
    description: str


@dataclass(frozen=True)
class FieldSpec:
    """One field of a block, common to all instances."""

    name: str
    index: int
    type: str
    subtype: str
    options: tuple[str, ...]
    default: str | None
    labels: tuple[tuple[int, str], ...]
    columns: tuple[ColumnSpec, ...]
    registers: tuple[str, ...]
    description: str
    where: str

    @property
    def info(self) -> str:
        """Type and subtype, as INFO and `BLOCK.*?` show them."""
        return f"{self.type} {self.subtype}".strip()

    def fail(self, problem: str) -> ConfigurationError:
        """Return the error to raise: where the field is, and what is wrong."""
        return ConfigurationError(f"{self.where}: {self.name}: {problem}")


@dataclass(frozen=True)
class BlockSpec:
    """A block with its number of instances."""

    name: str
    count: int
    description: str
    fields: Mapping[str, FieldSpec]

    def instance_name(self, number: int) -> str:
        """Return the name of an instance, whose number counts from 1."""
        return self.name if self.count == 1 else f"{self.name}{number}"


@dataclass(frozen=True)
class MetadataSpec:
    """One key of `*METADATA`, and what it begins with."""

    key: str
    kind: str
    value: str


@dataclass(frozen=True)
class Application:
    """Everything the three files say, plus the puts of the optional `state` file."""

    blocks: tuple[BlockSpec, ...]
    metadata: tuple[MetadataSpec, ...]
    state: tuple[str, ...]


def load(directory: Path, unknown_types: bool = False) -> Application:
    """Read an application directory. `unknown_types` admits field types that no server has yet."""
    if not directory.is_dir():
        raise ConfigurationError(
            f"{directory}: no such directory; it should hold the files config, registers and "
            "description of a PandA application"
        )
    config = _tree(directory / "config")
    registers = _children(_tree(directory / "registers"))
    descriptions = _children(_tree(directory / "description"))
    metadata = [
        _metadata(line)
        for node in config
        if node.text.strip() == "*METADATA"
        for line in node.children
    ]
    blocks = [
        _block(node, registers, descriptions, unknown_types)
        for node in config
        if not node.text.startswith("*")
    ]
    if not blocks:
        raise ConfigurationError(f"{directory / 'config'}: no blocks; write one as 'PULSE[4]'")
    state = directory / "state"
    return Application(
        tuple(blocks), tuple(metadata), tuple(_lines(state)) if state.exists() else ()
    )


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: cannot be read as UTF-8 text: {error}") from error


def _lines(path: Path) -> Iterator[str]:
    for line in _read(path).splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            yield line.strip()


def _tree(path: Path) -> list[ConfigNode]:
    """Return the top-level lines of an indented file."""
    root = ConfigNode("", str(path))
    stack = [(-1, root)]
    for number, line in enumerate(_read(path).split("\n"), 1):
        text = line.lstrip()
        if not text or text.startswith("#"):
            continue
        node = ConfigNode(text, f"{path}, line {number}")
        indent = len(line) - len(text)
        while stack[-1][0] >= indent:
            stack.pop()
        stack[-1][1].children.append(node)
        stack.append((indent, node))
    return root.children


def _split(node: ConfigNode) -> tuple[str, str]:
    name, *rest = node.text.split(None, 1)
    return name, rest[0] if rest else ""


def _children(nodes: list[ConfigNode]) -> dict[str, tuple[str, ConfigNode]]:
    return {name: (rest, node) for node in nodes for name, rest in [_split(node)]}


def _metadata(node: ConfigNode) -> MetadataSpec:
    key, rest = _split(node)
    kind, _, value = rest.partition("=")
    if kind.strip() not in METADATA_KINDS:
        raise node.fail(f"a metadata key is one of {', '.join(METADATA_KINDS)}")
    return MetadataSpec(key, kind.strip(), value.strip())


def _block(
    node: ConfigNode,
    registers: dict[str, tuple[str, ConfigNode]],
    descriptions: dict[str, tuple[str, ConfigNode]],
    unknown_types: bool,
) -> BlockSpec:
    match = _BLOCK.match(node.text.strip())
    if not match or match[2] == "0":
        raise node.fail("a block is written NAME or NAME[instances]")
    name = match[1]
    if name not in registers:
        raise node.fail(f"block {name} is missing in the registers file beside this one")
    description, texts = descriptions.get(name, ("", ConfigNode("", "")))
    addresses = _children(registers[name][1].children)
    own_texts = _children(texts.children)
    fields = [
        _field(index, line, addresses, own_texts, unknown_types)
        for index, line in enumerate(node.children)
    ]
    return BlockSpec(name, int(match[2] or 1), description, {field.name: field for field in fields})


def _field(
    index: int,
    node: ConfigNode,
    addresses: dict[str, tuple[str, ConfigNode]],
    descriptions: dict[str, tuple[str, ConfigNode]],
    unknown_types: bool,
) -> FieldSpec:
    name, rest = _split(node)
    if not _NAME.match(name):
        raise node.fail("a field name is made of A-Z, 0-9 and _")
    kind, _, default = rest.partition("=")
    words = kind.split()
    if not words:
        raise node.fail("a field needs a type, for instance 'param uint' or 'bit_out'")
    type_, subtype, options = _type(node, words, unknown_types)
    if name not in addresses:
        raise node.fail(f"field {name} is missing in the registers file beside this one")
    text, texts = descriptions.get(name, ("", ConfigNode("", "")))
    columns = _columns(node, texts) if type_ == "table" else ()
    return FieldSpec(
        name=name,
        index=index,
        type=type_,
        subtype=subtype,
        options=options,
        default=default.strip() or None,
        labels=_labels(node) if subtype == "enum" else (),
        columns=columns,
        registers=tuple(addresses[name][0].split()),
        description=text,
        where=node.where,
    )


def _type(node: ConfigNode, words: list[str], unknown: bool) -> tuple[str, str, tuple[str, ...]]:
    """Split 'param uint 31' into type, subtype and options; a bare access means uint."""
    type_, rest = words[0], words[1:]
    if type_ in ACCESSES:
        subtype = rest[0] if rest else "uint"
        if subtype in SUBTYPES or unknown:
            return type_, subtype, tuple(rest[1:])
        raise node.fail(f"subtype {subtype} is not one of {', '.join(SUBTYPES)}")
    if type_ == "ext_out":
        if not rest or rest[0] not in EXT_OUT_SUBTYPES:
            raise node.fail(f"an ext_out is one of {', '.join(EXT_OUT_SUBTYPES)}")
        return type_, rest[0], tuple(rest[1:])
    if type_ in OTHER_TYPES or unknown:
        return type_, "", tuple(rest)
    raise node.fail(f"type {type_} is not one of {', '.join(ACCESSES + OTHER_TYPES)}")


def _labels(node: ConfigNode) -> tuple[tuple[int, str], ...]:
    """Return the labels below a line with their numbers, in the order of these."""
    numbers: dict[int, str] = {}
    for child in node.children:
        number, label = _label(child)
        if number in numbers or label in numbers.values():
            raise child.fail("numbers and labels of an enum must not be repeated")
        numbers[number] = label
    return tuple(sorted(numbers.items()))


def _label(node: ConfigNode) -> tuple[int, str]:
    number, label = _split(node)
    if not number.isdecimal() or not label.strip():
        raise node.fail("a label of an enum is written 'number label'")
    return int(number), label.strip()


def _columns(node: ConfigNode, texts: ConfigNode) -> tuple[ColumnSpec, ...]:
    descriptions = _children(texts.children)
    return tuple(_column(child, descriptions) for child in node.children)


def _column(node: ConfigNode, descriptions: dict[str, tuple[str, ConfigNode]]) -> ColumnSpec:
    match = _COLUMN.match(node.text.strip())
    if not match:
        raise node.fail("a table column is written 'high:low NAME [uint|int|enum]'")
    high, low, name, subtype = match.groups()
    labels = tuple(label for _, label in _labels(node))
    description = descriptions.get(name, ("", node))[0]
    return ColumnSpec(name, int(high), int(low), subtype or "uint", labels, description)
