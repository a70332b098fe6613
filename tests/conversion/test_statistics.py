"""Statistics agree with a sort, whatever the order of images."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from safetensors import safe_open
from torch import nn

from ann2snn.conversion.activation_counts import ActivationCounts
from ann2snn.conversion.histogram import Histogram, bins_of, lowest_kept
from ann2snn.conversion.statistics import LayerStatistics, Statistics
from tests import zoo


def one_layer(channels: int = 3) -> nn.Module:
    """Activations that are the image's own: relu(x - 0.25), channel c larger by 4^c."""
    conv = nn.Conv2d(channels, channels, 1, groups=channels)
    with torch.no_grad():
        conv.weight[:] = (4.0 ** torch.arange(channels)).view(-1, 1, 1, 1)
        conv.bias[:] = -0.25 * 4.0 ** torch.arange(channels)  # type: ignore[index]
    return nn.Sequential(
        conv, nn.ReLU(), nn.Flatten(), nn.Linear(channels * 36, 2, bias=False)
    ).double().eval()  # fmt: skip


def activations(images: np.ndarray) -> np.ndarray:
    factors = 4.0 ** np.arange(images.shape[1])
    values: np.ndarray = np.maximum(images / 65535 - 0.25, 0) * factors.reshape(1, -1, 1, 1)
    return values


def wide_images(count: int) -> np.ndarray:
    """Whole numbers up to 65535, most of them small."""
    random = np.random.default_rng(1)
    return (random.random((count, 3, 6, 6)) ** 2 * 65535).astype(np.int64)


@pytest.fixture(scope="module")
def layer() -> LayerStatistics:
    return zoo.statistics(one_layer(), wide_images(730), 65535).layers["1"]


def exact(values: np.ndarray, percentile: float, population: str) -> float:
    kept = values[values > 0] if population == "nonzero" else values.ravel()
    return float(np.percentile(kept, percentile, method="inverted_cdf"))


@pytest.mark.parametrize("population", ["nonzero", "all"])
@pytest.mark.parametrize("percentile", [70.0, 90.0, 99.0, 99.9, 99.99, 100.0])
def test_percentiles_agree_with_an_exact_sort_within_a_thousandth(
    layer: LayerStatistics, percentile: float, population: str
) -> None:
    values = activations(wide_images(730))
    found = layer.scale(percentile, population)
    assert found == pytest.approx(exact(values, percentile, population), rel=1e-3)
    channels = layer.channel_scales(percentile, population)
    expected = [exact(values[:, c], percentile, population) for c in range(3)]
    assert channels == pytest.approx(expected, rel=2e-3)


def test_the_maximum_is_exact_and_counts_are_whole(layer: LayerStatistics) -> None:
    values = activations(wide_images(730))
    assert layer.maximum == values.max()
    assert layer.histogram.total == values.size
    assert layer.histogram.zeros == (values == 0).sum()
    assert layer.image_maxima.total == 730
    assert [channel.total for channel in layer.channels] == [730 * 36] * 3


def equal(first: Statistics, second: Statistics, folder: Path) -> bool:
    first.save(folder / "first")
    second.save(folder / "second")
    return (folder / "first").read_bytes() == (folder / "second").read_bytes()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_order_of_images_changes_no_bit(tmp_path: Path, dtype: torch.dtype) -> None:
    module, shape = zoo.build("vgg", dtype=dtype)
    images = zoo.images(shape, 330)
    images[7] //= 50
    whole = zoo.statistics(module, images, 255)
    shuffled = zoo.statistics(module, np.random.default_rng(3).permutation(images), 255)
    assert equal(whole, shuffled, tmp_path)


def test_an_image_has_the_same_activations_alone_and_among_others() -> None:
    """Kernels give other last bits for other batch sizes, so that every chunk has the same."""
    module, shape = zoo.build("vgg", dtype=torch.float32)
    images = zoo.images(shape, 330)
    whole = zoo.statistics(module, images, 255)
    parts = [zoo.statistics(module, images[a:b], 255) for a, b in ((0, 1), (1, 150), (150, 330))]
    for name, layer in whole.layers.items():
        own = [part.layers[name] for part in parts]
        np.testing.assert_array_equal(layer.largest, np.max([o.largest for o in own], axis=0))
        maxima = Histogram.merged([o.image_maxima for o in own])
        np.testing.assert_array_equal(layer.image_maxima.bins, maxima.bins)
        np.testing.assert_array_equal(layer.image_maxima.counts, maxima.counts)


def test_statistics_survive_a_file(tmp_path: Path) -> None:
    module, shape = zoo.build("inception")
    statistics = zoo.statistics(module, zoo.images(shape, 20), 255)
    statistics.save(tmp_path / "statistics.safetensors")
    loaded = Statistics.load(tmp_path / "statistics.safetensors")
    assert equal(statistics, loaded, tmp_path)
    assert loaded.summary() == statistics.summary()
    for name, layer in statistics.layers.items():
        found = loaded.layers[name].channel_scales(99.0, "all")
        assert np.array_equal(found, layer.channel_scales(99.0, "all"))


def test_the_range_of_pixels_survives_a_file(tmp_path: Path) -> None:
    module, shape = zoo.build("three_linear")
    images = zoo.images(shape, 20).astype(np.int64)
    inside, outside, below = (
        zoo.statistics(module, i, 255) for i in (images, images * 3, images - 300)
    )
    assert inside.pixels == (0.0, 1.0)
    assert outside.pixels == (0.0, images.max() * 3 / 255)
    assert below.pixels == ((images.min() - 300) / 255, 1.0)
    for statistics in (inside, outside, below):
        statistics.save(tmp_path / "statistics")
        assert Statistics.load(tmp_path / "statistics").pixels == statistics.pixels
    inside.save(tmp_path / "statistics")
    with safe_open(tmp_path / "statistics", framework="numpy") as file:
        assert "pixels" not in file.metadata()["statistics"]


def test_counts_above_32_bits_survive_a_file(tmp_path: Path) -> None:
    many = Histogram(np.array([0, 4000]), np.array([2**31, 5]))
    few = Histogram(np.array([4000]), np.array([2**31 - 1]))
    layers = {
        name: LayerStatistics(np.ones(1), (channel,), few)
        for name, channel in (("many", many), ("few", few))
    }
    Statistics(layers, 3).save(tmp_path / "statistics")
    loaded = Statistics.load(tmp_path / "statistics").layers
    assert loaded["many"].histogram.counts.tolist() == [2**31, 5]
    assert loaded["few"].histogram.counts.tolist() == [2**31 - 1]
    with safe_open(tmp_path / "statistics", framework="numpy") as file:
        assert file.get_tensor("many/channels/counts").dtype == np.int64
        assert file.get_tensor("few/channels/counts").dtype == np.int32


def test_the_summary_counts_what_was_seen(layer: LayerStatistics) -> None:
    summary = Statistics({"1": layer}, 730).summary()["1"]
    values = activations(wide_images(730))
    assert summary["count"] == values.size
    assert summary["nonzero"] == (values > 0).sum() == sum(summary["histogram"]["counts"])
    assert sum(summary["image_maxima"]["counts"]) == 730
    assert len(summary["histogram"]["edges"]) == len(summary["histogram"]["counts"]) + 1
    assert summary["percentiles"]["100"] == summary["max"] == values.max()


def test_averages_are_divided_before_they_are_counted() -> None:
    module = nn.Sequential(
        nn.AvgPool2d(2), nn.Conv2d(1, 1, 1, bias=False), nn.ReLU(), nn.Flatten(), nn.Linear(4, 2)
    )
    with torch.no_grad():
        next(module.parameters()).fill_(1)
    images = np.full((3, 1, 4, 4), 51, np.uint8)
    statistics = zoo.statistics(module.double().eval(), images, 255)
    assert statistics.layers["2"].maximum == pytest.approx(0.2)


def signed_values() -> npt.NDArray[np.float32]:
    """(7 images, 4 channels, 3, 3): numbers of both signs in 12 octaves, and both zeros."""
    random = np.random.default_rng(7)
    size = (7, 4, 3, 3)
    values = random.uniform(1, 2, size) * 2.0 ** random.integers(-6, 6, size)
    values *= random.choice([-1, 1], size)
    values[random.random(values.shape) < 0.2] = 0.0
    values[random.random(values.shape) < 0.2] = -0.0
    return values.astype(np.float32)


def test_positive_numbers_count_by_bin_and_all_others_as_zeros() -> None:
    values = signed_values()
    counted = ActivationCounts("relu", (4, 3, 3))
    for part in (values[:2], values[2:]):
        counted.add(torch.from_numpy(part))
    for channel, histogram in enumerate(counted.channels()):
        own = values[:, channel]
        bins, counts = np.unique(bins_of(own[own > 0]), return_counts=True)
        assert histogram.zeros == (own <= 0).sum() > 0
        assert np.array_equal(histogram.bins[1:], bins)
        assert np.array_equal(histogram.counts[1:], counts)
        assert counted.largest[channel] == own.max()


def test_counts_that_would_fill_32_bits_go_over_to_64_without_loss(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The maximum rises in between, so that kept counts are moved as well."""
    values = signed_values()
    values[4:] *= 2.0**20
    parts = [ActivationCounts("relu", (4, 3, 3)), ActivationCounts("relu", (4, 3, 3))]
    for counts, room in zip(parts, (2**31 - 1, 2 * values[0, 0].size), strict=True):
        monkeypatch.setattr("ann2snn.conversion.activation_counts.ROOM", room)
        counts._room = room
        for image in values:
            counts.add(torch.from_numpy(image[None]))
    assert parts[1]._counts.sum() < parts[0]._counts.sum() == values.size
    for whole, parted in zip(*(counts.channels() for counts in parts), strict=True):
        assert np.array_equal(whole.bins, parted.bins)
        assert np.array_equal(whole.counts, parted.counts)


def test_what_is_far_below_the_maximum_counts_as_the_smallest_number_kept_in_any_order() -> None:
    values = np.array([[[2.0**-30, 2.0**-12, 3.0]], [[2.0**-20, 1.0, 2.0**9]]], np.float32)
    histograms = []
    for order in ([0, 1], [1, 0]):
        counts = ActivationCounts("relu", (1, 3))
        for i in order:
            counts.add(torch.from_numpy(values[i : i + 1]))
        histograms.append(counts.channels()[0])
    first, second = histograms
    assert np.array_equal(first.bins, second.bins)
    assert np.array_equal(first.counts, second.counts)
    assert list(first.counts) == [3, 1, 1, 1]
    assert first.bins[0] == lowest_kept(bins_of(np.array([2.0**9])))[0]


@pytest.mark.parametrize("number", [np.nan, np.inf])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numbers_that_are_not_finite_are_refused_by_layer(number: float, dtype: Any) -> None:
    values = signed_values().astype(dtype)
    values[3, 2, 1, 1] = number
    with pytest.raises(ValueError, match=r"relu7: its activations .* are not finite"):
        ActivationCounts("relu7", (4, 3, 3)).add(torch.from_numpy(values))


def test_a_percentile_that_is_zero_gives_way_to_the_maximum(layer: LayerStatistics) -> None:
    assert layer.histogram.zeros > 0.4 * layer.histogram.total
    assert layer.scale(30.0, "all") == layer.maximum
    assert np.array_equal(layer.channel_scales(30.0, "all"), layer.largest)
