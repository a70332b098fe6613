"""An ONNX file that torch exported gives the spec of the module."""

from pathlib import Path

import numpy as np
import pytest
import torch

from ann2snn import convert, simulate
from tests import zoo
from tests.exchange.exported_networks import differing, exported

pytest.importorskip("onnx", reason="onnx is not installed: pip install 'ann2snn[exchange]'")

SAME = [
    "three_linear", "plain_conv", "vgg", "batch_norm_before_conv", "inception", "depthwise",
    "functional", "shared_relu", "one_dimensional", "branches", "global_sum", "overlapping_pool",
    "dual_path",
]  # fmt: skip
NAMED = ["three_linear", "plain_conv", "vgg", "shared_relu", "one_dimensional", "branches"]


@pytest.mark.parametrize("name", SAME)
def test_a_file_that_torch_exported_gives_the_spec_of_the_module(name: str, tmp_path: Path) -> None:
    module, path = exported(name, tmp_path)
    images = zoo.images(zoo.NETWORKS[name][1], 20)
    ours, theirs = convert(module, images), convert(path, images)
    assert differing(ours, theirs, names=name in NAMED, roundings=4) == []


def test_a_batch_that_is_free_in_the_file_changes_nothing(tmp_path: Path) -> None:
    free = ({0: torch.export.Dim("batch")},)
    module, path = exported("plain_conv", tmp_path, dynamic_shapes=free)
    images = zoo.images((2, 8, 8), 20)
    assert differing(convert(module, images), convert(str(path), images), names=True) == []


@pytest.mark.parametrize("name", ["residual_downsample", "shuffled", "res2"])
def test_where_the_exporter_folds_in_float32_spikes_are_nearly_those_of_the_module(
    name: str, tmp_path: Path
) -> None:
    """It multiplies batch normalization into the weights of convolutions itself."""
    module, path = exported(name, tmp_path)
    images = zoo.images(zoo.NETWORKS[name][1], 16)
    ours, theirs = convert(module, images), convert(path, images)
    assert [node.kind for node in ours] == [node.kind for node in theirs]
    assert differing(ours, theirs, names=False) != []
    counts = [
        [int(s.sum()) for s in simulate(spec, images, steps=40, engine="dense").spikes.values()]
        for spec in (ours, theirs)
    ]
    np.testing.assert_allclose(counts[0], counts[1], rtol=0.01)
