"""The alarm tree: every alarm is of a PV that is served, and in the words that Phoebus reads."""

import re
from pathlib import PurePath
from xml.etree import ElementTree as ET

import pytest

from panda_ioc.device.model import Device
from panda_ioc.records.alarm_tree import alarm_tree
from panda_ioc.records.build import RecordSet, build_records
from panda_ioc.records.screens import make_screens

SCREENS = PurePath("/opi/panda")


def parsed(device: Device, records: RecordSet) -> ET.Element:
    """The tree, read back."""
    text = alarm_tree(device, records, "Beamline", SCREENS)
    return ET.fromstring(text)  # noqa: S314 - we wrote it


@pytest.fixture
def tree(device: Device, records: RecordSet) -> ET.Element:
    return parsed(device, records)


def test_every_alarm_is_of_a_pv_that_is_served_and_is_there_once(
    tree: ET.Element, records: RecordSet
) -> None:
    names = [pv.get("name", "") for pv in tree.iter("pv")]
    assert len(names) == len(set(names))
    assert set(names) <= {f"PREFIX:{name}" for name in records.names}
    assert {"PREFIX:STATUS", "PREFIX:ERROR", "PREFIX:DATA:STATUS"} <= set(names)
    health = {f"PREFIX:{spec.name}" for spec in records.specs if spec.name.endswith(":HEALTH")}
    assert health
    assert health <= set(names)


def test_the_tree_has_the_configuration_then_the_panda_then_groups(tree: ET.Element) -> None:
    assert (tree.tag, tree.get("name")) == ("config", "Beamline")
    (panda,) = tree
    assert (panda.tag, panda.get("name")) == ("component", "PREFIX")
    groups = [group.get("name") for group in panda.findall("component")]
    assert groups == ["Connection", "Puts", "Capture", "Blocks"]


def test_every_alarm_says_what_to_do_and_opens_a_screen_that_is_made(
    tree: ET.Element, device: Device, records: RecordSet
) -> None:
    files = {str(SCREENS / name) for name in make_screens(device, records)}
    for pv in tree.iter("pv"):
        assert pv.findtext("guidance/details")
        assert pv.findtext("display/details") in files
        assert pv.findtext("description")
        assert pv.findtext("enabled") == "true"
        assert pv.findtext("latching") in ("true", "false")
        assert int(pv.findtext("delay") or "") >= 0


def test_a_prefix_with_braces_and_what_xml_would_take_for_its_own(device: Device) -> None:
    prefix = "XF:27ID1-ES{PANDA:1}<&>"
    tree = parsed(device, build_records(device, prefix))
    assert tree[0].get("name") == prefix
    assert all(pv.get("name", "").startswith(f"{prefix}:") for pv in tree.iter("pv"))


def in_phoebus(names: list[str]) -> list[str]:
    """The names that Phoebus gets back from the path that it makes of them."""
    path = "".join("/" + re.sub("^/", "", name).replace("/", r"\/") for name in names)
    return [piece.replace(r"\/", "/") for piece in re.split(r"(?<!\\)/+", path) if piece]


NAMES = {
    "A/B//C/": ("A/B//C/", "A/B//C/:STATUS"),
    "/A": ("A", "ca:///A:STATUS"),
    "//A": ("A", "ca:////A:STATUS"),
    "/": ("PandA", "ca:///:STATUS"),
    "=A": ("=A", "ca://=A:STATUS"),
    "loc://A": ("loc://A", "ca://loc://A:STATUS"),
    "A\\": ("A", "A\\:STATUS"),
    "A\\/B": ("A\\/B", "A\\/B:STATUS"),
    "XF:27ID1-ES{PANDA:1}": ("XF:27ID1-ES{PANDA:1}", "XF:27ID1-ES{PANDA:1}:STATUS"),
}


@pytest.mark.parametrize("prefix", NAMES)
def test_phoebus_finds_the_pvs_whatever_the_prefix_is(device: Device, prefix: str) -> None:
    config = parsed(device, build_records(device, prefix))
    (panda,) = config
    status = panda.findall("component")[0][0]
    assert (panda.get("name"), status.get("name")) == NAMES[prefix]
    for group in panda.findall("component"):
        for pv in group:
            names = [str(each.get("name")) for each in (config, panda, group, pv)]
            assert in_phoebus(names) == names


def test_a_box_without_health_has_no_group_for_it(other_device: Device) -> None:
    tree = parsed(other_device, build_records(other_device, "P"))
    has_health = any(field.name == "HEALTH" for field in other_device.fields.values())
    groups = [group.get("name") for group in tree[0].findall("component")]
    assert ("Blocks" in groups) == has_health
