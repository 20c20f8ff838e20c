"""Tables: words to columns and back, with nothing cut to size silently."""

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from panda_ioc.device.tables import TableLayout, table_to_words, words_to_table
from panda_ioc.errors import BadValue
from panda_ioc.protocol.responses import TableFieldDetails, TableFieldInfo

LABELS = ["Immediate", "BITA=0", "BITA=1"]
SEQ = TableFieldInfo(
    "table",
    None,
    "Sequencer table",
    max_length=12,
    fields={
        "REPEATS": TableFieldDetails("uint", 0, 15),
        "TRIGGER": TableFieldDetails("enum", 16, 19, "When", LABELS),
        "OUTA": TableFieldDetails("bit", 20, 20),
        "POSITION": TableFieldDetails("int", 32, 63),
        "TIME": TableFieldDetails("uint", 64, 95),
        "SHORT": TableFieldDetails("int", 96, 103),
        "SPARE": TableFieldDetails("uint", 104, 116),
    },
    row_words=4,
)
LAYOUT = TableLayout.from_info(SEQ, "SEQ1.TABLE")
COVERED = np.array([0x001FFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0x001FFFFF], dtype="<u4")
ROW = {
    "REPEATS": [7],
    "TRIGGER": ["BITA=1"],
    "OUTA": [1],
    "POSITION": [-5],
    "TIME": [0xFFFFFFFF],
    "SHORT": [-1],
    "SPARE": [0],
}


def test_unpack_gives_columns_of_the_smallest_type() -> None:
    columns = LAYOUT.unpack(np.array([7 | 2 << 16 | 1 << 20, 2**32 - 5, 9, 0x80], dtype=np.uint32))
    assert {name: (each.dtype.name, each.tolist()) for name, each in columns.items()} == {
        "REPEATS": ("uint16", [7]),
        "TRIGGER": ("uint8", [2]),
        "OUTA": ("uint8", [1]),
        "POSITION": ("int32", [-5]),
        "TIME": ("uint32", [9]),
        "SHORT": ("int32", [-128]),
        "SPARE": ("uint16", [0]),
    }


def test_pack_puts_each_value_into_its_own_bits() -> None:
    words = LAYOUT.pack(ROW)
    assert words.dtype == np.uint32
    assert words.tolist() == [7 | 2 << 16 | 1 << 20, 2**32 - 5, 2**32 - 1, 0xFF]


@given(st.lists(st.integers(0, 2**32 - 1), max_size=12).filter(lambda words: len(words) % 4 == 0))
def test_pack_restores_what_was_unpacked(words: list[int]) -> None:
    array = np.array(words, dtype=np.uint32)
    expected = (array.reshape(-1, 4) & COVERED).reshape(-1)
    assert LAYOUT.pack(LAYOUT.unpack(array)).tolist() == expected.tolist()


@st.composite
def layouts(draw: st.DrawFn) -> TableLayout:
    """Any division of the bits of one to three words into columns."""
    fields: dict[str, TableFieldDetails] = {}
    row_words = draw(st.integers(1, 3))
    for word in range(row_words):
        cuts = sorted(draw(st.sets(st.integers(1, 31), max_size=5)) | {0, 32})
        for low, high in itertools.pairwise(cuts):
            subtype = draw(st.sampled_from(["uint", "int", "enum", "bit"]))
            fields[f"C{word}_{low}"] = TableFieldDetails(
                subtype, 32 * word + low, 32 * word + high - 1
            )
    return TableLayout.from_info(TableFieldInfo("table", None, None, 0, fields, row_words))


@given(layouts(), st.data())
def test_any_layout_restores_all_bits(layout: TableLayout, data: st.DataObject) -> None:
    size = layout.row_words * data.draw(st.integers(0, 4))
    words = data.draw(st.lists(st.integers(0, 2**32 - 1), min_size=size, max_size=size))
    columns = layout.unpack(np.array(words, dtype=np.uint32))
    assert layout.pack(columns).tolist() == words
    for column in layout.columns:
        low, high = column.limits
        assert all(low <= value <= high for value in columns[column.name].tolist())


@given(st.sampled_from(LAYOUT.columns), st.integers(-(2**70), 2**70))
def test_a_value_is_stored_exactly_or_refused(column: object, value: int) -> None:
    name, (low, high) = column.name, column.limits  # type: ignore[attr-defined]
    table = ROW | {name: [value]}
    if low <= value <= high:
        assert LAYOUT.unpack(LAYOUT.pack(table))[name].tolist() == [value]
    else:
        with pytest.raises(BadValue, match=rf"SEQ1.TABLE column {name} row 0: {value} is not in"):
            LAYOUT.pack(table)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"TIME": [1, 2]}, "columns differ in length: .*'TIME': 2"),
        ({"WHAT": [1]}, "has no columns WHAT; it has .*REPEATS"),
        ({"TRIGGER": ["BITA=2"]}, "column TRIGGER row 0: 'BITA=2' is not one of Immediate, BITA=0"),
        ({"REPEATS": ["7"]}, "column REPEATS row 0: '7' is not a whole number"),
        ({"REPEATS": [1.5]}, "column REPEATS row 0: 1.5 is not a whole number"),
        ({"REPEATS": [float("nan")]}, "column REPEATS row 0: nan is not a whole number"),
        ({"REPEATS": [float("inf")]}, "column REPEATS row 0: inf is not in 0 ... 65535"),
        ({"REPEATS": [None]}, "column REPEATS row 0: None is not a whole number"),
        ({"REPEATS": [[1]]}, r"column REPEATS: a column has one dimension, not shape \(1, 1\)"),
        ({"REPEATS": 1}, r"column REPEATS: a column has one dimension, not shape \(\)"),
        ({"REPEATS": [[1], [1, 2]]}, "column REPEATS: "),
        ({"TRIGGER": [16]}, "column TRIGGER row 0: 16 is not in 0 ... 15"),
        ({"TRIGGER": np.array([2**63], dtype=np.uint64)}, "TRIGGER row 0: 9223372036854775808 is"),
    ],
)
def test_what_does_not_fit_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(BadValue, match=message):
        LAYOUT.pack(ROW | change)  # type: ignore[arg-type]


def test_a_missing_column_is_refused() -> None:
    with pytest.raises(BadValue, match=r"SEQ1\.TABLE: columns TIME, SPARE are missing"):
        LAYOUT.pack({name: ROW[name] for name in ROW if name not in ("TIME", "SPARE")})


def test_too_many_rows_are_refused() -> None:
    assert LAYOUT.pack({name: each * 3 for name, each in ROW.items()}).size == 12
    with pytest.raises(BadValue, match=r"SEQ1\.TABLE: 4 rows; it has room for 3"):
        LAYOUT.pack({name: each * 4 for name, each in ROW.items()})


def test_a_part_of_a_row_is_refused() -> None:
    with pytest.raises(BadValue, match="6 words are not whole rows of 4 words"):
        LAYOUT.unpack(np.zeros(6, dtype=np.uint32))


@pytest.mark.parametrize(("low", "high"), [(16, 40), (130, 131), (5, 4), (-1, 3)])
def test_a_column_outside_one_word_is_refused(low: int, high: int) -> None:
    info = TableFieldInfo("table", None, None, 8, {"X": TableFieldDetails("uint", low, high)}, 4)
    with pytest.raises(BadValue, match=f"T column X: bits {high}:{low} do not lie in one of the 4"):
        TableLayout.from_info(info, "T")


@pytest.mark.parametrize("row_words", [0, -1, 1025, 2**32 - 1])
def test_a_row_that_no_table_has_is_refused(row_words: int) -> None:
    with pytest.raises(BadValue, match=f"T: a row of {row_words} words"):
        TableLayout.from_info(TableFieldInfo("table", None, None, 0, {}, row_words), "T")


def test_enums_may_be_labels_and_numbers_mixed() -> None:
    table = {name: each * 3 for name, each in ROW.items()}
    words = LAYOUT.pack(table | {"TRIGGER": ["Immediate", 1, "BITA=1"]})
    assert LAYOUT.unpack(words)["TRIGGER"].tolist() == [0, 1, 2]


def test_whole_floats_and_booleans_are_numbers() -> None:
    words = LAYOUT.pack(ROW | {"TIME": [3.0], "OUTA": [True]})
    assert LAYOUT.unpack(words)["TIME"].tolist() == [3]


def test_words_to_table_and_back() -> None:
    words = [str(7 | 2 << 16), "1", "2", "0", "0", "4294967295", "0", "0"]
    table = words_to_table(words, SEQ)
    assert table["TRIGGER"].dtype == np.uint8  # type: ignore[union-attr]
    assert table_to_words(table, SEQ) == words
    labelled = words_to_table(words, SEQ, convert_enum_indices=True)
    assert labelled["TRIGGER"] == ["BITA=1", "Immediate"]
    assert table_to_words(labelled, SEQ) == words


def test_columns_that_are_missing_are_0_in_table_to_words() -> None:
    words = table_to_words({"TIME": np.array([1, 2], np.uint32), "SHORT": [-1, 0]}, SEQ)
    assert words == ["0", "0", "1", "255", "0", "0", "2", "0"]
    assert table_to_words({}, SEQ) == []
    assert table_to_words({"TIME": []}, SEQ) == []


def test_numbers_may_be_text_in_table_to_words() -> None:
    as_text = {"REPEATS": ["7"], "POSITION": np.array(["-5"]), "TRIGGER": ["BITA=0"]}
    as_numbers = {"REPEATS": [7], "POSITION": [-5], "TRIGGER": [1]}
    assert table_to_words(as_text, SEQ) == table_to_words(as_numbers, SEQ)
    assert table_to_words({"TRIGGER": ["2", "Immediate"]}, SEQ)[::4] == ["131072", "0"]


@pytest.mark.parametrize(
    "table",
    [
        {"REPEATS": [1.5]},
        {"REPEATS": ["1.5"]},
        {"REPEATS": ["one"]},
        {"REPEATS": [65536]},
        {"REPEATS": ["65536"]},
        {"REPEATS": [-1]},
        {"OUTA": ["2"]},
        {"TRIGGER": ["Sometimes"]},
        {"REPEATS": [1, 2], "TIME": [1]},
        {"NOPE": [1]},
    ],
)
def test_what_would_change_on_the_way_is_refused_by_table_to_words(table: dict[str, Any]) -> None:
    with pytest.raises(BadValue, match=f"{next(iter(table))}|columns differ in length"):
        table_to_words(table, SEQ)


def test_words_to_table_of_an_empty_table() -> None:
    table = words_to_table([], SEQ, convert_enum_indices=True)
    assert list(table) == list(SEQ.fields)
    assert all(len(each) == 0 for each in table.values())


def test_a_value_without_a_label_stays_a_number() -> None:
    table = words_to_table([str(9 << 16), "0", "0", "0"], SEQ, convert_enum_indices=True)
    assert table["TRIGGER"] == ["9"]


@pytest.mark.parametrize("word", ["x", "", "-1", "4294967296", "1.5", "9" * 30])
def test_words_that_are_not_words_are_refused(word: str) -> None:
    with pytest.raises(BadValue, match="table: words are"):
        words_to_table([word, "0", "0", "0"], SEQ)
