"""Every prefix that EPICS takes is taken; names that do not fit are left out, and no others."""

import logging
import random
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping

import pytest

from panda_ioc.device.model import Device
from panda_ioc.errors import ConfigurationError
from panda_ioc.ioc.parts.autosave import file_name
from panda_ioc.records.build import RecordSet, build_records
from panda_ioc.records.names import FORBIDDEN, check_prefix
from panda_ioc.records.pv_list import pv_lists
from panda_ioc.records.screens import make_screens
from panda_ioc.records.screens.pvs import PvNames

ANY = [c for c in map(chr, range(33, 0x2FF)) if c.isprintable() and c not in FORBIDDEN]
SEED = random.randrange(2**32)
RANDOM = random.Random(SEED)


@pytest.mark.parametrize(
    ("prefix", "said"),
    [
        ("", "the prefix is empty"),
        ("$(P)", "give the text that the macro stands for"),
        ("BL${BL}-EA", "give the text that the macro stands for"),
        ("A.B", r"no '\.' in names"),
        ("A B\t", r"no '\\t' ' ' in names"),
        ("A'B\"", r"in names"),
        ("A$", r"no '\$' in names"),
        ("A\n", "in names"),
        ("A\x07", "in names"),
        ("A\u200b", "in names"),
        ("P" * 54, "54 bytes, but EPICS leaves room for 53"),
        ("ä" * 27, "54 bytes, but EPICS leaves room for 53"),
    ],
)
def test_what_epics_does_not_take_is_refused_in_one_line(prefix: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said) as caught:
        check_prefix(prefix)
    assert "\n" not in str(caught.value)


def test_macros_are_for_databases_that_are_loaded_later() -> None:
    check_prefix("$(P)-${R}", may_have_macros=True)
    with pytest.raises(ConfigurationError):
        check_prefix("$(P).X", may_have_macros=True)


@pytest.mark.parametrize("size", [1, 7, 14, 20, 24])
def test_a_prefix_of_any_characters_serves_all_names_that_fit(
    device: Device, records: RecordSet, size: int
) -> None:
    prefix = "P".join(RANDOM.choices(ANY, k=size))[:size]
    print(f"seed {SEED}: {prefix}")
    found = build_records(device, prefix)
    long = {name for name in records.names if len(f"{prefix}:{name}".encode()) > 60}
    assert not long & set(found.names)
    assert long <= set(found.left_out_names)
    with_long = {n for spec in records.specs if spec.name in long for n in spec.aliases}
    assert set(records.names) - set(found.names) == long | with_long


def test_with_a_long_prefix_what_is_left_is_whole(
    device: Device, caplog: pytest.LogCaptureFixture
) -> None:
    prefix = "P" * 40
    with caplog.at_level(logging.WARNING):
        found = build_records(device, prefix)
    assert found.left_out_names
    assert "names would be longer than 60 characters and are left out" in caplog.text
    names = {f"{prefix}:{name}" for name in found.names}
    groups: dict[str, set[str]] = {}
    for spec in found.specs:
        part = spec.info.get("Q:group", {})
        assert isinstance(part, Mapping)
        for group, members in part.items():
            groups.setdefault(group, set()).update(members)
    for spec in found.specs:
        if spec.pvi:
            assert (spec.pvi_target or f"{prefix}:{spec.name}") in names | set(groups)
    for group, members in groups.items():
        if "value.index" in members or "value.choices" in members:
            assert {"value.index", "value.choices"} <= members, group
        if group.endswith("TABLE"):
            assert {"labels", "_put"} <= members, group
    lists = pv_lists(found)
    assert len(lists["-left-out"].splitlines()) == len(found.left_out_names)
    assert make_screens(device, found)


def test_what_pandablocks_ioc_serves_is_left_out_only_where_it_could_not_serve_it(
    device: Device, records: RecordSet
) -> None:
    """Its longest names are those of descriptions of structures."""
    theirs = max(len(n) for n in records.names if n.endswith(":PVI:DESCRIPTION"))
    found = build_records(device, "P" * (59 - theirs))
    assert [name for name in found.left_out_names if ":DATA:" not in name] == []


@pytest.mark.parametrize("prefix", ["XF:27ID1-ES{PANDA:1}", "</P>&amp;[CDATA[", "ä\\=(1)"])
def test_screens_say_the_prefix_as_it_is(device: Device, prefix: str) -> None:
    for text in make_screens(device, build_records(device, prefix)).values():
        root = ElementTree.fromstring(text)  # noqa: S314 - our own
        assert root.findtext("macros/P") == prefix


@pytest.mark.parametrize(
    ("prefix", "channel", "structure"),
    [
        ("XF:27ID1-ES{PANDA:1}", "$(P):A", "pva://$(P):A"),
        ("a/b", "$(P):A", "pva://$(P):A?request=field()"),
        ("/b", "$(P):A", "pva:///$(P):A?request=field()"),
        ("=b", "ca://$(P):A", "pva://$(P):A"),
        ("sim://b", "ca://$(P):A", "pva://$(P):A?request=field()"),
    ],
)
def test_phoebus_is_told_what_is_a_name(prefix: str, channel: str, structure: str) -> None:
    names = PvNames(prefix)
    assert (names.channel("A"), names.structure("A")) == (channel, structure)
    record = eval(f"{names.structure('A').replace('$(P)', prefix)!r}{names.to_record}")  # noqa: S307 - our own
    assert record == channel.replace("$(P)", prefix)


def test_expressions_and_local_pvs_hold_any_prefix() -> None:
    prefix = 'widget.getEffectiveMacros().getValue("P")'
    assert PvNames("A{1}").waveform_of("x") == f'"pva://" + {prefix} + ":" + x'
    assert PvNames("/A").waveform_of("x") == f'"pva:///" + {prefix} + ":" + x + "?request=field()"'
    assert PvNames("A?B").waveform_of("x") == f'"" + {prefix} + ":" + x'
    assert PvNames("A{1}").local("x") == "loc://$(P)_x"
    assert PvNames("A<1>(2)").local("x") == "loc://A%3C1%3E%282%29_x"


@pytest.mark.parametrize(
    ("prefix", "file"),
    [
        ("BL01I-EA-PANDA-01", "BL01I-EA-PANDA-01.softsav"),
        ("A:B+C;D[1]<2>_3", "A-B+C;D[1]<2>_3.softsav"),
        ("XF:27ID1-ES{PANDA:1}", "XF-27ID1-ES{PANDA-1}.softsav"),
        ("../a/b%", "..%2Fa%2Fb%25.softsav"),
    ],
)
def test_files_of_plain_prefixes_keep_their_names(prefix: str, file: str) -> None:
    assert file_name(prefix) == file
