"""What is made of a box's replies, and of what clients put: a value or the one error."""

import itertools
import json
import math
import re
from typing import Any

import numpy as np
from fuzzing import examples
from hypothesis import given
from hypothesis import strategies as st

from panda_ioc.client.values import field_node
from panda_ioc.device import cache
from panda_ioc.device.codecs import CODECS, ChoiceCodec, FloatCodec
from panda_ioc.device.model import Device, make_device
from panda_ioc.device.tables import TableLayout
from panda_ioc.errors import BadValue, CommandError, ConfigurationError, PandAError
from panda_ioc.protocol.commands import (
    GetBlockInfo,
    GetChanges,
    GetFieldInfo,
    Identify,
    Put,
)
from panda_ioc.protocol.connections import ControlConnection
from panda_ioc.protocol.responses import Changes
from panda_ioc.records.build import build_records
from panda_ioc.sim.formats import parse_options
from support.controlstream import ask

TYPES = [
    *("param", "read", "write", "time", "bit_out", "pos_out", "ext_out", "bit_mux", "pos_mux"),
    *("table", "new_type"),
]
SUBTYPES = [
    *("uint", "uint 7", "uint x", "int", "scalar", "bit", "action", "lut", "enum", "time", "bits"),
    *("timestamp", "samples", "", "1 0", "thing"),
]
NUMBERS = ["0", "-1", "1e999", "nan", "4294967296", "x", "", "1.5", "9" * 400]
RECORD_NAME = re.compile(r"[A-Za-z0-9_:]+")
CODEC = st.sampled_from([*CODECS.values(), ChoiceCodec(("a", "b c", ""))])

words = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\n\r"), max_size=20)
good_names = st.sampled_from(["A", "LABEL", "OUT", "TABLE", "VAL_2", "UNITS"])
names = st.one_of(good_names, good_names, good_names, words)
replies = st.one_of(
    st.sampled_from(["OK", "OK =", "ERR no", ".", "!a\n."]),
    st.one_of(words, st.sampled_from(NUMBERS)).map(lambda text: f"OK ={text}"),
    st.lists(
        st.one_of(words, st.sampled_from([*NUMBERS, "31:0 C int", "5:9 D", "9:0 E enum"]))
    ).map(lambda lines: "".join(f"!{line}\n" for line in lines) + "."),
)


class AnyReplies(dict[str, str]):
    """A box that answers whatever is drawn, the same question in the same way."""

    def __init__(self, draw: st.DataObject) -> None:
        super().__init__()
        self._draw = draw

    def get(self, key: str, _default: object = None) -> str:  # type: ignore[override]
        if key not in self:
            self[key] = self._draw.draw(replies, key)
        return self[key]


field_lines = st.builds(
    lambda name, number, kind, subtype: f"!{name} {number} {kind} {subtype}\n",
    names,
    st.sampled_from(["0", "1", "2", "-1", "x"]),
    st.sampled_from(TYPES),
    st.sampled_from(SUBTYPES),
)


@examples(1500)
@given(st.data(), st.lists(field_lines, max_size=4), st.booleans(), st.lists(names, max_size=3))
def test_any_introspection_makes_records_or_the_one_error(
    data: st.DataObject, fields: list[str], two: bool, options: list[str]
) -> None:
    box = AnyReplies(data)
    box["*BLOCKS?"] = f"!A {1 + two}\n."
    box["A.*?"] = "".join(fields) + "."
    blocks, found, identity = (
        ask(command, box) for command in (GetBlockInfo(), GetFieldInfo("A"), Identify())
    )
    for result in (blocks, found, identity):
        assert not isinstance(result, Exception) or isinstance(result, PandAError)
    if isinstance(blocks, dict) and isinstance(found, dict):
        identity = None if isinstance(identity, Exception) else identity
        try:
            device = make_device(identity, blocks, {"A": found}, ["LABEL_A1"], options, "any box")
        except PandAError:
            return
        assert all(map(RECORD_NAME.fullmatch, build_records(device, "P").names))
        assert cache.load(cache.dump(device)) == device
        assert [field_node(device, field).wire for field in device.fields.values()] == [
            *device.fields
        ]


@examples(2000)
@given(st.lists(st.one_of(words, st.builds("{}{}{}".format, names, st.sampled_from("=<("), words))))
def test_any_changes_are_parsed_or_refused(lines: list[str]) -> None:
    reply = "".join(f"!{line}\n" for line in lines) + "."
    result = ask(GetChanges(), {"*CHANGES?": reply})
    assert isinstance(result, Changes | CommandError | PandAError)


@examples(2000)
@given(CODEC, st.one_of(words, st.sampled_from(NUMBERS), st.floats().map(str)))
def test_any_text_is_a_value_or_refused(codec: Any, text: str) -> None:
    try:
        value = codec.decode(text)
    except BadValue:
        return
    assert isinstance(value, int | float | str)


@examples(6000)
@given(CODEC, st.one_of(st.floats(), st.integers(), st.text(max_size=30)))
def test_what_is_put_is_one_line_or_refused(codec: Any, value: Any) -> None:
    try:
        text = codec.encode(value)
        request = ControlConnection().send(Put("A.B", text))
    except PandAError:
        return
    assert request.count(b"\n") == 1
    assert request.endswith(b"\n")
    if isinstance(codec, FloatCodec):
        assert math.isfinite(codec.decode(text))


@examples(1500)
@given(st.lists(st.integers(0, 2**32 - 1), max_size=30), st.lists(st.integers(0, 99), max_size=4))
def test_words_of_a_table_survive_or_are_refused(numbers: list[int], bits: list[int]) -> None:
    lines = [f"{high}:{low} C{i} uint" for i, (high, low) in enumerate(itertools.pairwise(bits))]
    box = {"*BLOCKS?": "!T 1\n.", "T.*?": "!TABLE 0 table\n."}
    box["T1.TABLE.FIELDS?"] = "".join(f"!{line}\n" for line in lines) + "."
    box |= {"T1.TABLE.MAX_LENGTH?": "OK =64", "T1.TABLE.ROW_WORDS?": "OK =4"}
    found = ask(GetFieldInfo("T"), box)
    if isinstance(found, Exception):
        assert isinstance(found, PandAError)
        return
    try:
        layout = TableLayout.from_info(found["TABLE"])
        columns = layout.unpack(np.array(numbers, np.uint32))
    except BadValue:
        return
    again = layout.unpack(layout.pack(columns))
    assert all(np.array_equal(columns[name], again[name]) for name in columns)


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=8)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.sampled_from(["class", "items", "blocks", "format", "device", "name"]),
            st.one_of(inner, st.sampled_from(["Device", "tuple", "dict", "Block", "Field"])),
        ),
    ),
)


@examples(1500)
@given(st.one_of(st.text(max_size=50), json_values.map(json.dumps)), json_values)
def test_any_cache_is_a_device_or_refused(text: str, device: Any) -> None:
    whole = {"format": cache.FORMAT, "sha256": cache.checksum(device), "device": device}
    for content in (text, json.dumps(whole)):
        try:
            found = cache.load(content)
        except ConfigurationError:
            continue
        assert isinstance(found, Device)


@examples(2000)
@given(
    st.lists(
        st.one_of(
            st.sampled_from(["XML", "FRAMED", "RAW", "SCALED", "ASCII", "BARE", "ONE_SHOT", "NO"]),
            words,
        )
    )
)
def test_any_options_of_the_data_port_are_taken_or_refused(options: list[str]) -> None:
    try:
        parse_options(" ".join(options))
    except CommandError:
        return
