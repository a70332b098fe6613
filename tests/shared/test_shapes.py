import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from ann2snn.numerics.windows import adaptive_windows, convolved_size, pool_windows, same_padding

sizes = st.integers(1, 12)


@given(sizes, st.integers(1, 5), st.integers(1, 4), st.integers(0, 3), st.integers(1, 3))
def test_convolved_size_is_torchs(
    size: int, kernel: int, stride: int, padding: int, dilation: int
) -> None:
    row = torch.zeros(1, 1, size)
    weight = torch.zeros(1, 1, kernel)
    if size + 2 * padding < dilation * (kernel - 1) + 1:
        with pytest.raises(ValueError, match="does not fit"):
            convolved_size(size, kernel, stride, 2 * padding, dilation)
        return
    expected = F.conv1d(row, weight, stride=stride, padding=padding, dilation=dilation)
    assert convolved_size(size, kernel, stride, 2 * padding, dilation) == expected.shape[-1]


@given(sizes, st.integers(1, 5), st.integers(1, 3))
def test_same_padding_keeps_the_size(size: int, kernel: int, dilation: int) -> None:
    before, after = same_padding(kernel, dilation)
    assert convolved_size(size, kernel, 1, before + after, dilation) == size
    assert after - before in (0, 1)


@given(sizes, st.integers(1, 4), st.integers(1, 4), st.data(), st.booleans())
def test_pool_windows_cover_what_torchs_max_pool_covers(
    size: int, kernel: int, stride: int, data: st.DataObject, ceil_mode: bool
) -> None:
    padding = data.draw(st.integers(0, kernel // 2))
    if size + 2 * padding < kernel:
        return
    windows = pool_windows(size, kernel, stride, padding, ceil_mode=ceil_mode)
    row = torch.randn(1, 1, size, generator=torch.Generator().manual_seed(size))
    expected = F.max_pool1d(row, kernel, stride, padding, ceil_mode=ceil_mode)[0, 0]
    assert [row[0, 0, a:b].max() for a, b in windows] == expected.tolist()


@given(sizes, st.integers(1, 6))
def test_adaptive_windows_are_torchs(size: int, count: int) -> None:
    row = torch.randn(1, 1, size, generator=torch.Generator().manual_seed(size))
    expected = F.adaptive_max_pool1d(row, count)[0, 0]
    assert [row[0, 0, a:b].max() for a, b in adaptive_windows(size, count)] == expected.tolist()
