"""Codecs: what is encoded decodes to the same, and what cannot be is a BadValue, nothing else."""

import contextlib
import math
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from panda_ioc.device.codecs import CODECS, INT, UINT, ChoiceCodec, CodecName, codec_for
from panda_ioc.device.kinds import KINDS, UNKNOWN
from panda_ioc.errors import BadValue

LINE = st.text(st.characters(exclude_categories=("Cc", "Cs")))
LABELS = st.lists(LINE, min_size=1, unique=True)
ANYTHING = st.one_of(st.integers(-(10**400), 10**400), st.integers(), st.floats(), st.text())
ALL = {**CODECS, CodecName.CHOICE: ChoiceCodec(("Off", "On", "2"))}


@given(st.integers(0, 2**32 - 1))
def test_uint(value: int) -> None:
    assert UINT.decode(UINT.encode(value)) == value
    assert UINT.encode(float(value)) == UINT.encode(value) == str(value)


@given(st.integers(-(2**31), 2**31 - 1))
def test_int(value: int) -> None:
    assert INT.decode(INT.encode(value)) == value
    assert INT.encode(float(value)) == INT.encode(value) == str(value)


@pytest.mark.parametrize("name", ["uint", "int", "delay", "position"])
@given(value=st.integers().filter(lambda value: not -(2**31) <= value < 2**32))
def test_integers_that_the_box_would_wrap_are_refused(name: str, value: int) -> None:
    with pytest.raises(BadValue, match="is not in"):
        CODECS[CodecName(name)].encode(value)
    with pytest.raises(BadValue):
        CODECS[CodecName(name)].decode(str(value))


@pytest.mark.parametrize("name", ["uint", "int", "delay", "position"])
@given(value=st.floats().filter(lambda value: not value.is_integer()))
def test_fractions_and_what_is_no_number_are_refused_as_integers(name: str, value: float) -> None:
    with pytest.raises(BadValue, match="is not a whole number"):
        CODECS[CodecName(name)].encode(value)


@pytest.mark.parametrize("name", ["double", "scalar", "time"])
@given(value=st.floats(allow_nan=False, allow_infinity=False))
def test_real_numbers_keep_every_digit(name: str, value: float) -> None:
    text = CODECS[CodecName(name)].encode(value)
    assert CODECS[CodecName(name)].decode(text) == value
    assert not text.endswith(".0")


@pytest.mark.parametrize("name", ["double", "scalar", "time"])
@pytest.mark.parametrize(
    "value",
    [math.nan, math.inf, -math.inf, "nan", "two", 10**400],
    ids=lambda value: str(value)[:9],
)
def test_what_is_not_finite_is_refused(name: str, value: float) -> None:
    with pytest.raises(BadValue):
        CODECS[CodecName(name)].encode(value)


@pytest.mark.parametrize("kind", [np.float32, np.float16, Decimal])
def test_other_types_of_number_are_taken_if_they_are_whole(kind: Any) -> None:
    assert UINT.encode(kind(2)) == "2"
    with pytest.raises(BadValue, match="is not a whole number"):
        UINT.encode(kind("1.5"))


@pytest.mark.parametrize("kind", [int, float, bool, str, np.bool_, np.uint8, np.float32])
@pytest.mark.parametrize("value", [0, 1])
def test_bit(value: int, kind: Any) -> None:
    assert CODECS[CodecName.BIT].encode(kind(value)) == str(value)
    assert CODECS[CodecName.BIT].decode(str(value)) == value


@given(ANYTHING.filter(lambda value: value not in (0, 1, "0", "1")))
def test_a_bit_is_0_or_1(value: float) -> None:
    with pytest.raises(BadValue, match="neither 0 nor 1"):
        CODECS[CodecName.BIT].encode(value)


@given(ANYTHING)
def test_an_action_takes_anything_and_sends_nothing(value: float) -> None:
    assert CODECS[CodecName.ACTION].encode(value) == ""


@pytest.mark.parametrize("name", ["text", "mux", "lut", "capture"])
@given(text=LINE)
def test_text(name: str, text: str) -> None:
    assert CODECS[CodecName(name)].decode(CODECS[CodecName(name)].encode(text)) == text


@given(LINE, st.sampled_from("\n\r\0\x1b\x7f"), LINE)
def test_text_can_not_smuggle_in_a_second_command(before: str, bad: str, after: str) -> None:
    with pytest.raises(BadValue, match="control character"):
        CODECS[CodecName.TEXT].encode(before + bad + after)


@given(LABELS, st.data())
def test_choices_are_put_by_index_or_label(labels: list[str], data: st.DataObject) -> None:
    codec = codec_for(CodecName.CHOICE, labels)
    index = data.draw(st.integers(0, len(labels) - 1))
    assert codec.decode(codec.encode(index)) == index
    assert codec.encode(labels[index]) == codec.encode(index) == labels[index]


@given(LABELS, ANYTHING)
def test_no_other_choice_is_taken(labels: list[str], value: float) -> None:
    codec = codec_for(CodecName.CHOICE, labels)
    if value in labels or value in range(len(labels)):
        assert codec.encode(value) in labels
    else:
        with pytest.raises(BadValue):
            codec.encode(value)


@pytest.mark.parametrize("name", ALL)
@given(value=ANYTHING)
def test_values_are_encoded_or_bad(name: str, value: float) -> None:
    try:
        text = ALL[CodecName(name)].encode(value)
    except BadValue:
        return
    assert "\n" not in text


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize(
    "text", ["", " ", "-", "1" * 5000, "1e999999", "0x10", "1.5", "\N{ARABIC-INDIC DIGIT ONE}"]
)
def test_odd_texts_of_a_box_are_decoded_or_bad(name: str, text: str) -> None:
    with contextlib.suppress(BadValue):
        assert isinstance(ALL[CodecName(name)].decode(text), int | float | str)


@pytest.mark.parametrize("name", ALL)
@given(text=st.text())
def test_any_text_of_a_box_is_decoded_or_bad(name: str, text: str) -> None:
    with contextlib.suppress(BadValue):
        assert isinstance(ALL[CodecName(name)].decode(text), int | float | str)


@pytest.mark.parametrize("name", ["uint", "int", "bit", "double", "choice"])
def test_what_is_said_of_a_bad_text_is_short(name: str) -> None:
    with pytest.raises(BadValue) as caught:
        ALL[CodecName(name)].decode("x" * 100_000)
    assert len(str(caught.value)) < 200


def test_every_kind_has_a_codec() -> None:
    kinds = [*KINDS.values(), UNKNOWN]
    names = {kind.codec for kind in kinds} | {a.codec for k in kinds for a in k.attributes}
    assert names - {None, CodecName.TABLE} == {*CODECS, CodecName.CHOICE}
