"""The limits of EPICS: texts are cut between characters, and never longer than they may be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


@given(TEXT)
def test_plain_texts_are_as_long_and_have_nothing_that_a_database_expands(text: str) -> None:
    found = limits.plain(text)
    assert len(found) == len(text)
    assert found.isprintable() or not text.isprintable()
    assert "$(" not in found
    assert "${" not in found
    assert limits.plain(found) == found
