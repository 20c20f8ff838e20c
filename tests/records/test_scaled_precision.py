"""As many digits as tell two counts apart."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panda_ioc.records.fields import MAX_PREC, scaled_precision


@pytest.mark.parametrize(
    ("scale", "digits"),
    [(1, 0), (100, 0), (0.5, 1), (2.5, 1), (-0.01, 2), (0.001, 3), (1 / 3, 4), (5e-6, 6)],
)
def test_digits_of_usual_scales(scale: float, digits: int) -> None:
    assert scaled_precision(scale) == digits


@pytest.mark.parametrize("scale", [0.0, math.inf, -math.inf, math.nan])
def test_scales_without_a_precision_show_whole_numbers(scale: float) -> None:
    assert scaled_precision(scale) == 0


@given(st.floats(min_value=1e-8, max_value=1e8))
def test_two_counts_look_different(scale: float) -> None:
    digits = scaled_precision(scale)
    assert f"{scale:.{digits}f}" != f"{0:.{digits}f}"


@given(st.floats())
def test_any_scale_has_a_precision(scale: float) -> None:
    assert 0 <= scaled_precision(scale) <= MAX_PREC
