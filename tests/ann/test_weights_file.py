"""Weights come from the files that people have, and nothing in them is executed."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from ann2snn import convert, load_weights
from ann2snn.ann.network import build
from ann2snn.ann.settings import AnnSettings
from ann2snn.ann.weights_file import wrapping
from tests import zoo


def network(seed: int) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten(), nn.Linear(108, 4)
    ).eval()


def lightnings(state: dict[str, Any]) -> dict[str, Any]:
    """What a LightningModule with the network in `self.model` writes."""
    return {
        "epoch": 3,
        "pytorch-lightning_version": "2.6.4",
        "state_dict": {f"model.{name}": value for name, value in state.items()},
        "optimizer_states": [{"state": {0: {"step": torch.tensor(1.0)}}, "param_groups": []}],
        "hyper_parameters": {"width": 3},
    }


FILES: dict[str, Callable[[dict[str, Any], Path], None]] = {
    "w.safetensors": lambda state, path: save_file(state, path),
    "w.pt": lambda state, path: torch.save(state, path),
    "old.pth": lambda state, path: torch.save(state, path, _use_new_zipfile_serialization=False),
    "w.ckpt": lambda state, path: torch.save(lightnings(state), path),
    "named.pt": lambda state, path: torch.save({"model_state_dict": state, "epoch": 1}, path),
}


@pytest.mark.parametrize("name", FILES)
def test_every_kind_of_file_gives_the_same_spec(name: str, tmp_path: Path) -> None:
    trained, fresh = network(0), network(1)
    images = zoo.images((1, 8, 8), 20)
    FILES[name](trained.state_dict(), tmp_path / name)
    assert load_weights(fresh, tmp_path / name) == ("model." if name == "w.ckpt" else "")
    ours, theirs = convert(trained, images), convert(fresh, images)
    for node, other in zip(ours, theirs, strict=True):
        assert node.kind == other.kind
        for field, value in vars(node).items():
            np.testing.assert_array_equal(value, getattr(other, field))


@pytest.mark.parametrize("before", ["module.", "model.", "net.", "_orig_mod.", "module._orig_mod."])
def test_what_a_wrapper_puts_before_names_is_left_out_and_named(
    before: str, tmp_path: Path
) -> None:
    trained, fresh = network(0), network(1)
    named = {before + name: value for name, value in trained.state_dict().items()}
    save_file(named, tmp_path / "w.safetensors")
    assert wrapping(named) == before
    assert load_weights(fresh, tmp_path / "w.safetensors") == before
    for ours, theirs in zip(trained.parameters(), fresh.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_a_network_in_a_wrapper_takes_the_names_of_the_network_itself(tmp_path: Path) -> None:
    trained, wrapped = network(0), nn.DataParallel(network(1))
    save_file(trained.state_dict(), tmp_path / "w.safetensors")
    assert load_weights(wrapped, tmp_path / "w.safetensors") == ""
    assert torch.equal(wrapped.module[0].weight, trained[0].weight)  # type: ignore[index]


def test_names_that_begin_alike_only_in_part_are_left_as_they_are(tmp_path: Path) -> None:
    state = network(0).state_dict()
    state["model.4.weight"] = state.pop("4.weight")
    save_file(state, tmp_path / "w.safetensors")
    with pytest.raises(ValueError, match=r"does not fit the network: .*model\.4\.weight"):
        load_weights(network(1), tmp_path / "w.safetensors")


class Executes:
    def __reduce__(self) -> tuple[Any, Any]:
        return exec, ("raise SystemExit('executed')",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"state_dict": {}, "x": Executes()}, r"is not read: .*could execute.*save_file"),
        ({"args": argparse.Namespace(width=1)}, r"is not read: .*could execute.*save_file"),
        (nn.Linear(2, 2), r"is not read: .*could execute.*save_file"),
        ({"model": {"a": torch.ones(1)}, "ema": {"a": torch.ones(1)}}, "got 2 of them: model, ema"),
        ({"epoch": 3, "optimizer": {"lr": 0.1}}, "one state dict, .*got epoch, optimizer"),
        ([torch.ones(1)], "must hold a state dict, got list"),
        ({}, "got nothing"),
    ],
)
def test_what_is_no_state_dict_is_refused_with_the_way_out(
    content: Any, message: str, tmp_path: Path
) -> None:
    torch.save(content, tmp_path / "w.pt")
    with pytest.raises(ValueError, match=message):
        load_weights(network(0), tmp_path / "w.pt")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 broken", b"\x80\x02broken", b"words"])
def test_a_damaged_file_is_named(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "w.pt").write_bytes(content)
    with pytest.raises(ValueError, match=r"w\.pt is n"):
        load_weights(network(0), tmp_path / "w.pt")
    with pytest.raises(ValueError, match=r"there is no weights file .*gone\.pt"):
        load_weights(network(0), tmp_path / "gone.pt")


FACTORIES = """
from functools import partial
from torch import nn
def network(features, classes):
    return nn.Sequential(nn.Flatten(), nn.Linear(features, classes))
def both(shape, classes, width=1): return network(shape[1] * 64 // shape[2], classes)
def only_classes(*, classes): return network(64, classes)
def positional(shape, classes, /): return network(shape[1] * shape[2], classes)
def nothing(pretrained=False, **more): return network(64, 4)
fixed = partial(both, width=3)
class Network(nn.Linear):
    def __init__(self): super().__init__(64, 4)
    def forward(self, x): return super().forward(x.flatten(1))
def others(shape, width, depth=2): return network(64, 4)
"""


@pytest.mark.parametrize(
    "name", ["both", "only_classes", "positional", "nothing", "fixed", "Network"]
)
def test_a_factory_takes_shape_and_classes_or_nothing(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pet_factories.py").write_text(FACTORIES)
    monkeypatch.syspath_prepend(str(tmp_path))
    built = build(AnnSettings(network=f"pet_factories:{name}"), (1, 8, 8), 4)
    assert built(torch.zeros(2, 1, 8, 8)).shape == (2, 4)


def test_a_factory_of_other_arguments_is_refused_with_their_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pet_factories.py").write_text(FACTORIES)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ValueError, match=r"others: its factory needs width; it is called as"):
        build(AnnSettings(network="pet_factories:others"), (1, 8, 8), 4)
