"""What a PandA is, printed: `panda-ioc info`."""

import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from panda_ioc.client.address import with_port
from panda_ioc.client.blocking import BlockingClient
from panda_ioc.client.introspection import OrNone, introspect_blocking
from panda_ioc.device.model import Device
from panda_ioc.protocol.commands import GetChanges, GetLine, GetMultiline
from panda_ioc.protocol.responses import Identification
from panda_ioc.records.build import RecordSet, build_records
from panda_ioc.records.database import database_text, structure_names

MACRO = "$(P)"
"""Stands for a prefix that was not given: the macro P of a database."""

UNKNOWN = "unknown"
"""Printed for what the PandA would not say."""


@dataclass(frozen=True)
class BlockCount:
    """A type of block."""

    name: str
    count: int
    fields: int
    description: str


@dataclass(frozen=True)
class PcapInfo:
    """PCAP.

    Attributes:
        fields: what is set to be captured: "NAME CAPTURE"
        state: "Busy" or "Idle"
        data_clients: connections to the data port; None if the PandA would not say
        taking: those of them that take data now
        captured: samples of this acquisition, or of the last
        completion: how the last one ended; "Busy" while it goes on
    """

    fields: list[str]
    state: str | None
    data_clients: int | None
    taking: int | None
    captured: int | None
    completion: str | None


@dataclass(frozen=True)
class Info:
    """Everything that `info` prints.

    Attributes:
        software, fpga, rootfs: versions, or "unknown"
        in_error: fields that the PandA cannot read
        unanswered: questions about its fields that the PandA refused
        unknown: fields of a type that this version does not know
        connected: who is connected, this program included: "SINCE PORT ADDRESS"; None if the PandA
            would not say
    """

    address: str
    software: str
    fpga: str
    rootfs: str
    blocks: list[BlockCount]
    in_error: list[str]
    unanswered: list[str]
    unknown: list[str]
    capture: PcapInfo
    connected: list[str] | None = None


def show(host: str, port: int, timeout: float, as_json: bool) -> int:
    """Print what the PandA is; returns the exit status."""
    with BlockingClient(host, port, timeout=timeout) as client:
        info = _info(with_port(host, port), client, introspect_blocking(client))
    _print([json.dumps(asdict(info), indent=2)] if as_json else _text(info))
    return 0


def show_records(host: str, port: int, timeout: float, prefix: str, as_json: bool) -> int:
    """Print the PVs that `run` would serve; returns the exit status."""
    records = _records(host, port, timeout, prefix)
    pvs = list(_pvs(records))
    _print(
        [json.dumps(pvs, indent=1)] if as_json else (f"{pv['name']}\t{pv['type']}" for pv in pvs)
    )
    return 0


def show_database(host: str, port: int, timeout: float, prefix: str) -> int:
    """Print the records as the text of an EPICS database; returns the exit status."""
    sys.stdout.writelines(database_text(_records(host, port, timeout, prefix)))
    return 0


def _records(host: str, port: int, timeout: float, prefix: str) -> RecordSet:
    with BlockingClient(host, port, timeout=timeout) as client:
        return build_records(introspect_blocking(client), prefix or MACRO, may_have_macros=True)


def _info(address: str, client: BlockingClient, device: Device) -> Info:
    found = device.identification or Identification(UNKNOWN, UNKNOWN, UNKNOWN)
    infos = [field.info for field in device.fields.values()]
    return Info(
        address,
        found.software,
        found.fpga,
        found.rootfs,
        list(_blocks(device)),
        sorted(client.send(GetChanges()).in_error),
        sorted({query for info in infos for query in info.unanswered}),
        sorted(field.wire for field in device.fields.values() if field.is_unknown),
        _capture(client),
        _connected(client),
    )


def _connected(client: BlockingClient) -> list[str] | None:
    """Return who is connected, including this client, or None from an older server."""
    lines = client.send(OrNone[Any](GetMultiline("*WHO")))
    return None if lines is None else [line.strip() for line in lines]


def _blocks(device: Device) -> Iterator[BlockCount]:
    for block in device.blocks:
        if block.number in (None, 1):
            count = sum(each.type == block.type for each in device.blocks)
            yield BlockCount(block.type, count, len(block.fields), block.description or "")


def _capture(client: BlockingClient) -> PcapInfo:
    fields, status, captured, completion = client.send(
        [
            OrNone[Any](GetMultiline("*CAPTURE")),
            OrNone[Any](GetLine("*PCAP.STATUS")),
            OrNone[Any](GetLine("*PCAP.CAPTURED")),
            OrNone[Any](GetLine("*PCAP.COMPLETION")),
        ]
    )
    state, readers, taking = (*(status or "").split(), "", "", "")[:3]
    return PcapInfo(
        fields or [], state or None, _int(readers), _int(taking), _int(captured), completion
    )


def _int(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() else None


def _text(info: Info) -> Iterator[str]:
    capture = info.capture
    yield f"PandA at    {info.address}"
    yield f"software    {info.software}"
    yield f"FPGA        {info.fpga}"
    yield f"rootfs      {info.rootfs}"
    yield f"PCAP        {_acquisition(capture)}"
    yield f"samples     {_known(capture.captured)}"
    yield (
        f"data port   {_known(capture.data_clients)} connected,"
        f" {_known(capture.taking)} taking data"
    )
    yield from _list("connected", [UNKNOWN] if info.connected is None else info.connected)
    yield from _list("captured", capture.fields)
    yield from _list("in error", info.in_error)
    yield from _list("unanswered", info.unanswered)
    yield from _list("unknown", info.unknown)
    blocks = sum(block.count for block in info.blocks)
    fields = sum(block.count * block.fields for block in info.blocks)
    yield f"blocks      {blocks} of {len(info.blocks)} types, {fields} fields"
    for block in info.blocks:
        yield f"  {block.count:3} {block.name:<16} {block.fields:3} fields  {block.description}"


def _acquisition(capture: PcapInfo) -> str:
    if capture.state == "Busy":
        return "Busy"
    end = _known(capture.completion)
    return f"{_known(capture.state)}; the last acquisition ended: {end}"


def _known(value: str | int | None) -> str | int:
    return UNKNOWN if value is None else value


def _list(title: str, lines: list[str]) -> Iterator[str]:
    for number, line in enumerate(lines or ["nothing"]):
        yield f"{title if number == 0 else '':<12}{line}"


def _pvs(records: RecordSet) -> Iterator[dict[str, Any]]:
    for spec in records.specs:
        for name in (spec.name, *spec.aliases):
            yield {
                "name": f"{records.prefix}:{name}",
                "type": spec.rtype,
                "alias_of": f"{records.prefix}:{spec.name}" if name != spec.name else None,
                "writable": spec.writable,
                "wire": spec.wire or None,
                "description": spec.desc,
            }
    for name in structure_names(records.specs):
        yield {"name": name, "type": "structure"}


def _print(lines: Iterable[str]) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)
