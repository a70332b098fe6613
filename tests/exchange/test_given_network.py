"""`convert` takes a module, weights for it, or an ONNX file, and nothing in a file is executed."""

import copy
import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

import ann2snn
from ann2snn import convert, explain
from ann2snn.conversion.refusal import ConversionError
from ann2snn.settings import SettingError
from ann2snn.spec import SpikingSpec
from tests import zoo
from tests.exchange.exported_networks import differing, exported

IMAGES = zoo.images((2, 8, 8), 20)


@pytest.fixture
def trained() -> nn.Module:
    return zoo.build("plain_conv", dtype=torch.float32)[0]


def fresh() -> nn.Module:
    return zoo.build("plain_conv", seed=1, dtype=torch.float32)[0]


def write(module: nn.Module, path: Path) -> None:
    state = module.state_dict()
    if path.suffix == ".safetensors":
        save_file(state, path)
    elif path.suffix == ".ckpt":
        torch.save({"state_dict": {f"model.{k}": v for k, v in state.items()}, "epoch": 3}, path)
    else:
        torch.save(state, path)


def hold_same(one: SpikingSpec, other: SpikingSpec) -> None:
    assert differing(one, other, names=True) == []


@pytest.mark.parametrize("suffix", [".safetensors", ".pt", ".pth", ".ckpt"])
def test_a_network_with_a_file_of_weights_gives_the_spec_of_the_trained_module(
    suffix: str, trained: nn.Module, tmp_path: Path
) -> None:
    path = tmp_path / f"weights{suffix}"
    write(trained, path)
    module = fresh()
    before = copy.deepcopy(module.state_dict())
    hold_same(convert(trained, IMAGES), convert((module, path), IMAGES))
    for name, tensor in module.state_dict().items():
        assert torch.equal(tensor, before[name]), "the module comes out unchanged"


def test_pt_ckpt_and_onnx_of_one_network_give_one_spec(tmp_path: Path) -> None:
    module, onnx_file = exported("plain_conv", tmp_path)
    wanted = convert(module, IMAGES, reset="zero")
    for name in ("net.pt", "net.ckpt"):
        write(module, tmp_path / name)
        hold_same(wanted, convert((fresh(), str(tmp_path / name)), IMAGES, reset="zero"))
    hold_same(wanted, convert(onnx_file, IMAGES, reset="zero"))
    hold_same(wanted, explain(str(onnx_file), IMAGES, reset="zero").spec)


class Runs:
    """Unpickling it would create a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("name", ["net.pt", "net.ckpt", "net.onnx"])
def test_nothing_is_ever_unpickled(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(pickle.dumps(Runs(tmp_path / "ran")))
    given: Any = tmp_path / name if name == "net.onnx" else (fresh(), tmp_path / name)
    if name == "net.onnx":
        pytest.importorskip("onnx", reason="onnx is not installed")
    with pytest.raises(ValueError, match=f"{name} is not"):
        convert(given, IMAGES)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", ["net.pt", "net.ckpt", "net"])
def test_weights_without_a_network_are_refused_with_the_way_out(name: str) -> None:
    with pytest.raises(
        ConversionError, match=rf"{name} must be an \.onnx file.*convert\(\(network"
    ):
        convert(name, IMAGES)


def test_an_onnx_file_says_which_extra_it_needs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r"this needs onnx: pip install 'ann2snn\[exchange\]'"):
        convert(tmp_path / "net.onnx", IMAGES)


@pytest.mark.parametrize("given", [3, None, (fresh, "net.pt"), {"0.weight": torch.zeros(3)}])
def test_anything_else_is_refused_by_its_type(given: Any) -> None:
    kind = type(given).__name__
    with pytest.raises(ConversionError, match=rf"module must be a torch\.nn\.Module, got {kind}"):
        convert(given, IMAGES)


def test_toggles_and_help_stay_those_of_the_conversion(trained: nn.Module) -> None:
    with pytest.raises(SettingError, match=r"convert has no keyword resett='zero'; did you mean"):
        convert(trained, IMAGES, resett="zero")  # type: ignore[call-arg]
    text = ann2snn.convert.__doc__ or ""
    assert "the path of an .onnx file" in text.partition("Raises:")[0]
    named: Any = convert
    np.testing.assert_array_equal(named(module=trained, calibration_images=IMAGES).input.scale, 1)
