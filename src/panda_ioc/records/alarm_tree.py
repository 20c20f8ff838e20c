"""The alarm tree of Phoebus for one PandA: which PVs raise alarms, and what to do about them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePath
from xml.etree import ElementTree as ET

from panda_ioc.device.model import Device, health_fields
from panda_ioc.records import own
from panda_ioc.records.build import RecordSet
from panda_ioc.records.specs import pv_name


@dataclass(frozen=True)
class AlarmLeaf:
    """One PV of the tree.

    Attributes:
        name: of the record, without the prefix
        what: its description, which the alarm table shows and annunciators speak
        guidance: what to do about it
        screen: the file to open, in the directory of the screens
        latching: it stays in the alarm table until somebody acknowledges it
        delay: seconds that it has to last
    """

    name: str
    what: str
    guidance: str
    screen: str
    latching: bool = True
    delay: int = 0


CONNECTION = (
    AlarmLeaf(
        own.STATUS,
        "PandA is not connected",
        "All its PVs are INVALID, and the bridge connects again by itself. If it does not, see"
        " that the PandA is on and answers ping; its server may need a restart from its web page.",
        "index.bob",
        delay=5,
    ),
)
PUTS = (
    AlarmLeaf(
        own.ERROR,
        "PandA refused a put",
        "The text says which put and why; ERROR:PV names the record, which shows the PandA's own"
        " value. The next good put to that record clears the alarm.",
        "health.bob",
        latching=False,
    ),
)
CAPTURE = (
    AlarmLeaf(
        own.DATA_STATUS,
        "Capture to file failed",
        "The text says why: overrun, disk full, file exists, connection lost. The file holds what"
        " came before.",
        "capture.bob",
    ),
    AlarmLeaf(
        own.DATA_LIVE_STATE,
        "Acquisition ended badly, or no data port",
        "The text is the PandA's end reason. Data overrun: capture less, or more slowly. Framing"
        " error: triggers came closer than PCAP can take.",
        "capture.bob",
        delay=5,
    ),
    AlarmLeaf(
        own.DATA_OVERRUNS,
        "Captured data was lost",
        "The last capture ended in an overrun: the network or the disk did not keep up.",
        "capture.bob",
    ),
    AlarmLeaf(
        own.DATA_QUEUE_DEPTH,
        "Disk is too slow for the data",
        "Over half of the queue to the disk is full. Nothing is lost yet.",
        "capture.bob",
        latching=False,
    ),
)


def alarm_tree(device: Device, records: RecordSet, name: str, screens: PurePath) -> str:
    """Write the tree as the XML that the alarm server of Phoebus imports.

    Args:
        device: whose blocks have a HEALTH
        records: what is served for it; an alarm of a record that is not is left out
        name: of the configuration, which the alarm server is started with
        screens: directory of the screens, as Phoebus finds it

    Returns:
        The text of the file.
    """
    config = ET.Element("config", name=name)
    panda = ET.SubElement(config, "component", name=_branch(records.prefix))
    _titled(panda, "guidance", "What this is", f"PandA {records.prefix}, served by panda-ioc.")
    _titled(panda, "display", "PandA", str(screens / "index.bob"))
    groups = {
        "Connection": CONNECTION,
        "Puts": PUTS,
        "Capture": CAPTURE,
        "Blocks": tuple(_health(device)),
    }
    served = {spec.name for spec in records.specs}
    for group, alarms in groups.items():
        _group(panda, group, [a for a in alarms if a.name in served], records.prefix, screens)
    ET.indent(config)
    return ET.tostring(config, encoding="unicode", xml_declaration=True) + "\n"


def _health(device: Device) -> Iterator[AlarmLeaf]:
    """Yield the health of each block that has one."""
    for field in health_fields(device):
        block = field.wire.partition(".")[0]
        yield AlarmLeaf(
            pv_name(field.wire),
            f"{block} is not healthy",
            f"The value says what is wrong with {block}. Disable and enable the block to clear it.",
            "health.bob",
        )


def _group(
    parent: ET.Element, name: str, alarms: Iterable[AlarmLeaf], prefix: str, screens: PurePath
) -> None:
    component = ET.Element("component", name=name)
    for alarm in alarms:
        pv = ET.SubElement(component, "pv", name=_typed(f"{prefix}:{alarm.name}"))
        settings = {
            "description": f"{alarm.what} ({prefix})",
            "enabled": "true",
            "latching": str(alarm.latching).lower(),
            "annunciating": "false",
            "delay": str(alarm.delay),
        }
        for tag, text in settings.items():
            ET.SubElement(pv, tag).text = text
        _titled(pv, "guidance", "What to do", alarm.guidance)
        _titled(pv, "display", alarm.name, str(screens / alarm.screen))
    if len(component):
        parent.append(component)


def _branch(prefix: str) -> str:
    """The prefix as a branch of the tree.

    Phoebus escapes slashes within a name for its paths, but drops those that begin one, and takes
    a backslash at the end for an escape.
    """
    return prefix.lstrip("/").rstrip("\\") or "PandA"


def _typed(pv: str) -> str:
    """The PV as Phoebus finds it: without a type, some names would be formulas to it."""
    return f"ca://{pv}" if pv.startswith(("/", "=")) or "://" in pv else pv


def _titled(parent: ET.Element, tag: str, title: str, details: str) -> None:
    element = ET.SubElement(parent, tag)
    ET.SubElement(element, "title").text = title
    ET.SubElement(element, "details").text = details
