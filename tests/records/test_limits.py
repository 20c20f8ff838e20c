"""The limits of EPICS: texts are cut between characters, and never longer than they may be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panda_ioc.errors import ConfigurationError
from panda_ioc.records import limits

TEXT = st.text(st.characters(exclude_categories=("Cs",)))


@given(TEXT, st.integers(0, 50))
def test_cut_is_the_longest_beginning_that_fits(text: str, size: int) -> None:
    found = limits.cut(text, size)
    assert text.startswith(found)
    assert limits.fits(found, size)
    assert found == text or not limits.fits(text[: len(found) + 1], size)


@given(TEXT)
def test_descriptions_fit_and_are_one_line(text: str) -> None:
    found = limits.desc(text)
    assert len(found.encode()) <= 40
    assert "\n" not in found
    assert limits.desc(found) == found.rstrip() or found.startswith(limits.desc(found))


def test_no_description_is_an_empty_one() -> None:
    assert limits.desc(None) == ""


@pytest.mark.parametrize(
    ("labels", "fit"),
    [
        ([], True),
        (["x"] * 16, True),
        (["x"] * 17, False),
        (["x" * 25], True),
        (["x" * 26], False),
        (["é" * 12], True),
        (["é" * 13], False),
    ],
)
def test_states(labels: list[str], fit: bool) -> None:
    assert limits.fit_states(labels) is fit


def test_a_prefix_that_leaves_too_little_room_for_names_is_refused() -> None:
    limits.check_prefix("P" * 39, ["A", "B" * 20])
    with pytest.raises(ConfigurationError, match=r"40 characters, but B{20} leaves room for 39"):
        limits.check_prefix("P" * 40, ["A", "B" * 20])


@given(TEXT)
def test_plain_texts_are_as_long_and_have_nothing_that_a_database_expands(text: str) -> None:
    found = limits.plain(text)
    assert len(found) == len(text)
    assert found.isprintable() or not text.isprintable()
    assert "$(" not in found
    assert "${" not in found
    assert limits.plain(found) == found


@pytest.mark.parametrize("prefix", ["", "A.B", "A B", 'A"B', "A,B", "A$B", "$(A B)", "Ä", "A\n"])
def test_a_prefix_that_epics_does_not_take_is_refused(prefix: str) -> None:
    with pytest.raises(ConfigurationError, match="give letters, digits"):
        limits.check_prefix(prefix, ["X"])


@pytest.mark.parametrize("prefix", ["BL01I-EA-PANDA-01", "a_b:1[2]", "$(P)", "X-${P}"])
def test_a_prefix_that_epics_takes(prefix: str) -> None:
    limits.check_prefix(prefix, ["X"])
