"""Units of power of two, of arrays that are looked at in parts."""

from fractions import Fraction

import numpy as np
import pytest

from ann2snn.numerics.exact_sums import FINEST, PART, fractional_bits, on_grid, parts


def bits_of(value: float) -> int:
    """The binary digits behind the point, by whole-number arithmetic."""
    return Fraction(value).denominator.bit_length() - 1


@pytest.mark.parametrize("seed", range(20))
def test_fractional_bits_are_those_of_the_finest_element_wherever_it_stands(seed: int) -> None:
    rng = np.random.default_rng(seed)
    array = np.ldexp(rng.integers(-999, 999, (3, PART // 2 + 1)), -int(rng.integers(12)))
    assert fractional_bits(array) == max(map(bits_of, np.unique(array)))
    finest = 2.0 ** -int(rng.integers(12, 61))
    array.flat[rng.integers(array.size)] = 1 + finest if finest > 2.0**-52 else finest
    assert fractional_bits(array) == bits_of(finest)
    assert on_grid(array, bits_of(finest))
    assert not on_grid(array, bits_of(finest) - 1)


@pytest.mark.parametrize(
    ("value", "bits"),
    [(0.0, 0), (-0.0, 0), (3.0, 0), (1e300, 0), (0.75, 2), (5e-324, FINEST), (0.1, 55)],
)
def test_single_numbers_have_the_bits_that_they_are_written_with(value: float, bits: int) -> None:
    assert fractional_bits(np.array(value)) == bits
    assert fractional_bits(np.array([value])) == bits
    assert on_grid(np.array([value]), FINEST) == (value != 5e-324)


@pytest.mark.parametrize("shape", [(0,), (1,), (7, 0), (3, PART + 1), (PART, 3), (5, 4, 3)])
def test_parts_are_small_and_together_the_whole(shape: tuple[int, ...]) -> None:
    array = np.arange(np.prod(shape)).reshape(shape)
    found = list(parts(array))
    assert all(part.size <= max(PART, array[:1].size) for part in found)
    np.testing.assert_array_equal(np.concatenate([array[:0], *found]), array)
    assert fractional_bits(array.astype(np.float64)) == 0
