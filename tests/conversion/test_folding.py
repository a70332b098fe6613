"""Folding, rescaling and renaming change no output: every network of the zoo, in float64."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from ann2snn.conversion.account import Conversion
from ann2snn.conversion.analog_network import analog_outputs
from ann2snn.conversion.convert import convert, converted
from ann2snn.conversion.settings import ConversionSettings
from ann2snn.conversion.trace import analog_graph
from ann2snn.mechanisms.normalizations import NORMALIZATIONS
from ann2snn.spec import Affine, Conv, Input, Neuron
from tests import zoo


def planned(module: nn.Module, shape: tuple[int, ...], **toggles: Any) -> Conversion:
    statistics = zoo.statistics(module, zoo.images(shape, 30))
    if NORMALIZATIONS[toggles.get("normalization", "percentile")].needs_steps:
        toggles["for_steps"] = 8
    settings = ConversionSettings(**{"grid": -1, **toggles})
    return converted(analog_graph(module, shape), statistics, settings, 255)


def outputs(module: nn.Module, images: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        return np.array(module(torch.from_numpy(images).double() / 255).numpy())


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
@pytest.mark.parametrize("name", zoo.NETWORKS)
def test_the_normalized_analog_network_is_the_original_up_to_its_scale(
    name: str, normalization: str
) -> None:
    module, shape = zoo.build(name)
    plan = planned(module, shape, normalization=normalization)
    images = zoo.images(shape, 7, seed=5)
    found = analog_outputs(plan.spec, images, plan.ceilings) * plan.spec.output.scale
    expected = outputs(module, images)
    assert np.abs(found - expected).max() <= 1e-10 * np.abs(expected).max()


@pytest.mark.parametrize("name", zoo.NETWORKS)
def test_every_traced_operation_is_accounted_for(name: str) -> None:
    module, shape = zoo.build(name)
    plan = planned(module, shape)
    traced = [node.name for node in torch.fx.symbolic_trace(module).graph.nodes]
    assert [fate.operation for fate in plan.fates] == traced
    for fate in plan.fates:
        assert fate.nodes or fate.reason
        for node in fate.nodes:
            assert plan.spec[node]
    told = {node for fate in plan.fates for node in fate.nodes}
    added = {node.name for node in plan.spec if ".gain" in node.name}
    assert told | added == {node.name for node in plan.spec}


def test_the_account_says_where_batch_norm_and_dropout_went() -> None:
    module, shape = zoo.build("vgg")
    fates = {fate.operation: fate for fate in planned(module, shape).fates}
    assert fates["_1"].nodes == ("0",)
    assert fates["_1"].reason == "folded into the weights before it"
    assert fates["_12"].nodes == ()
    assert fates["_12"].reason == "does nothing in eval mode"


def test_batch_norm_that_a_padded_convolution_cannot_take_stays_an_affine_node() -> None:
    module, shape = zoo.build("batch_norm_before_conv")
    spec = planned(module, shape).spec
    kinds = {node.name: type(node) for node in spec}
    assert "0" not in kinds
    assert kinds["3"] is Affine


def test_nodes_bear_the_users_names() -> None:
    module, shape = zoo.build("residual_downsample")
    names = [node.name for node in planned(module, shape).spec]
    assert {"2.first", "2.second", "2.downsample.0", "3.relu"} <= set(names)


def test_a_relu_after_a_max_pool_fires_before_it() -> None:
    module, shape = zoo.build("pool_before_relu")
    names = [node.name for node in planned(module, shape).spec]
    assert names.index("3") < names.index("1")


def test_a_concatenation_needs_no_common_scale() -> None:
    module, shape = zoo.build("inception")
    spec = planned(module, shape).spec
    assert not any(isinstance(node, Affine) for node in spec)
    assert len(np.unique(spec["cat"].scale)) == 4


def test_a_saturating_relu_has_a_scale_no_larger_than_its_ceiling() -> None:
    layers = nn.Sequential(nn.Linear(3, 5), nn.Hardtanh(0.0, 0.5), nn.Linear(5, 2)).double().eval()
    for normalization in NORMALIZATIONS:
        plan = planned(layers, (3,), normalization=normalization)
        assert plan.ceilings == {"1": 0.5}
        assert plan.spec["1"].scale.max() <= 0.5


def test_model_normalization_is_the_largest_sum_of_positive_weights() -> None:
    layers = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1), nn.ReLU()).double().eval()
    with torch.no_grad():
        for parameter, values in zip(
            layers.parameters(),
            ([[1.0, 2.0], [-3.0, 0.5]], [0.25, 0.0], [[2.0, -1.0]], [-0.5]),
            strict=True,
        ):
            parameter.copy_(torch.tensor(values))
    spec = planned(layers, (2,), normalization="model").spec
    assert spec["1"].scale == 3.25
    assert spec["3"].scale == 2 * 3.25 - 0.5


@pytest.mark.parametrize("name", ["three_linear", "plain_conv", "inception", "odd_sizes"])
def test_model_normalization_bounds_images_that_leave_the_unit_range(name: str) -> None:
    """Images that are normalized by mean and deviation, of which some lie far outside [0, 1]."""
    module, shape = zoo.build(name)
    images = (zoo.images(shape, 40) / 255 - 0.5) / 0.2
    bounded = convert(module, images, normalization="model")
    largest = convert(module, images, normalization="max")
    neurons = [node.name for node in bounded if isinstance(node, Neuron)]
    assert neurons
    for neuron in neurons:
        assert bounded[neuron].scale >= largest[neuron].scale
        assert bounded[neuron].saturating == 0  # type: ignore[attr-defined]


def test_model_normalization_takes_the_range_of_pixels_from_the_images() -> None:
    layers = nn.Sequential(nn.Linear(2, 1), nn.ReLU(), nn.Linear(1, 2)).double().eval()
    with torch.no_grad():
        layers[0].weight[:] = torch.tensor([[2.0, -4.0]])  # type: ignore[operator]
        layers[0].bias[:] = 0.25  # type: ignore[operator]
    for images, bound in (
        ([[0.25, 0.5]], 2.25),
        ([[3.0, 0.5]], 2 * 3 + 0.25),
        ([[3.0, 0.5], [-0.5, 0.0]], 2 * 3 + 4 * 0.5 + 0.25),
    ):
        spec = convert(layers, np.array(images), normalization="model")
        assert spec["1"].scale == bound


def test_channel_normalization_gives_each_channel_its_own_scale_but_classes_one() -> None:
    module, shape = zoo.build("relu_output")
    spec = planned(module, shape, normalization="channel").spec
    assert spec["1"].scale.shape == (3,)
    assert len(np.unique(spec["1"].scale)) == 3
    assert spec.output.scale.shape == ()


def test_weights_lie_on_the_grid_and_a_coarser_one_where_they_are_large() -> None:
    module, shape = zoo.build("plain_conv")
    images = zoo.images(shape, 20)
    assert convert(module, images).grid == 14
    with torch.no_grad():
        module[6].weight[0, 0] = 1e5  # type: ignore[index]
    spec = convert(module, images, normalization="none")
    assert spec.grid is not None
    assert 2.0**spec.grid * 1e5 < 2**24 <= 2.0 ** (spec.grid + 2) * 1e5
    assert convert(module, images, grid=-1).grid is None


def test_rounding_moves_a_weight_by_half_a_grid_unit_at_most() -> None:
    module, shape = zoo.build("plain_conv")
    images = zoo.images(shape, 20)
    rounded, exact = convert(module, images), convert(module, images, grid=-1)
    for node in rounded:
        if isinstance(node, Conv):
            plain = exact[node.name]
            assert isinstance(plain, Conv)
            assert np.abs(node.weight - plain.weight).max() <= 2.0**-15


def test_toggles_reach_the_nodes() -> None:
    module, shape = zoo.build("plain_conv")
    spec = convert(
        module, zoo.images(shape, 20), reset="zero", input="poisson", pooling="inverse_time",
        output="count", clock_rate=0.5, softmax_draw=True, initial_potential=0.5,
    )  # fmt: skip
    assert spec.input.input == "poisson"
    neuron = spec["1"]
    assert isinstance(neuron, Neuron)
    assert (neuron.reset, neuron.initial_potential) == ("zero", 0.5)
    assert spec["2"].pooling == "inverse_time"  # type: ignore[attr-defined]
    assert (spec.output.output, spec.output.clock_rate, spec.output.draw) == ("count", 0.5, True)


def test_average_in_the_place_of_max_pooling_is_the_network_with_average_pools() -> None:
    torch.manual_seed(3)
    conv, head = nn.Conv2d(1, 3, 3), nn.Linear(12, 4)
    with_max = nn.Sequential(conv, nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), head)
    with_average = nn.Sequential(conv, nn.ReLU(), nn.AvgPool2d(2), nn.Flatten(), head)
    images = zoo.images((1, 6, 6), 9)
    plan = planned(with_max.double().eval(), (1, 6, 6), pooling="average")
    found = analog_outputs(plan.spec, images) * plan.spec.output.scale
    assert np.allclose(found, outputs(with_average.double().eval(), images), rtol=1e-10, atol=0)


def test_float_images_count_in_units_of_two_to_the_minus_sixteen() -> None:
    module, shape = zoo.build("plain_conv")
    images = zoo.images(shape, 20) / 255
    spec = convert(module, images)
    assert spec.levels == 65536
    assert convert(module, torch.from_numpy(images)).levels == 65536
    assert isinstance(spec.nodes[0], Input)


def test_features_of_different_scales_become_an_image_exactly() -> None:
    torch.manual_seed(2)
    layers = [nn.Linear(6, 18), nn.ReLU(), nn.Unflatten(1, (2, 3, 3)), nn.Conv2d(2, 3, 2)]
    module = nn.Sequential(*layers, nn.ReLU(), nn.Flatten(), nn.Linear(12, 4)).double().eval()
    images = zoo.images((6,), 9)
    for normalization in ("channel", "percentile"):
        plan = planned(module, (6,), normalization=normalization)
        found = analog_outputs(plan.spec, images) * plan.spec.output.scale
        assert np.allclose(found, outputs(module, images), rtol=1e-10, atol=0)


def test_a_padded_max_pool_becomes_an_average_of_what_lies_in_the_image() -> None:
    module, shape = zoo.build("overlapping_pool")
    spec = planned(module, shape, pooling="average").spec
    assert [spec[name].kind for name in ("2", "2.affine", "5", "5.affine")] == [
        "sumpool", "affine", "sumpool", "affine",
    ]  # fmt: skip


def test_a_dead_layer_gets_scale_one_and_is_named() -> None:
    layers = nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 2)).double().eval()
    with torch.no_grad():
        for parameter, value in zip(layers.parameters(), (1, -100, 1, 1), strict=True):
            parameter.fill_(value)
    plan = planned(layers, (3,))
    assert plan.dead == ("1",)
    assert plan.spec["1"].scale == 1
