"""Every kind of node has a rule for every question, every toggle an argument, every row a use."""

import dataclasses
import importlib
import inspect
import pkgutil
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ann2snn
from ann2snn import conversion
from ann2snn.conversion.convert import convert, explain
from ann2snn.conversion.layers import registry
from ann2snn.conversion.settings import ConversionSettings
from ann2snn.mechanisms.normalizations import NORMALIZATIONS
from ann2snn.mechanisms.poolings import POOLINGS
from ann2snn.settings import SettingError
from ann2snn.spec import MaxPool, Reshape, SpecError
from ann2snn.spec.interpretation import Interpretation
from ann2snn.spec.nodes import KINDS
from tests import zoo

INTERPRETATIONS = {
    f"{module.name}.{name}": value
    for module in pkgutil.iter_modules(conversion.__path__, "ann2snn.conversion.")
    for name, value in vars(importlib.import_module(module.name)).items()
    if isinstance(value, Interpretation)
}


@pytest.mark.parametrize("name", INTERPRETATIONS)
def test_every_kind_of_node_has_a_rule_for_every_question(name: str) -> None:
    assert INTERPRETATIONS[name].missing() == []


def test_a_new_kind_of_node_is_refused_by_name_by_every_question() -> None:
    class Delay(Reshape):
        pass

    KINDS.pop("delay", None)  # a kind may enter the table when its class is made
    node = Delay(name="late", inputs=("input",), scale=np.ones(()), shape=(4,))
    assert len({id(value) for value in INTERPRETATIONS.values()}) == 9
    for interpretation in INTERPRETATIONS.values():
        with pytest.raises(SpecError, match=r"late: there is no .* for nodes of kind delay"):
            interpretation[node]


@pytest.mark.parametrize("function", [convert, explain])
def test_the_keywords_of_convert_are_the_toggles_with_their_defaults(function: object) -> None:
    assert callable(function)
    parameters = list(inspect.signature(function).parameters.values())[3:]
    assert all(parameter.kind is inspect.Parameter.KEYWORD_ONLY for parameter in parameters)
    assert [(parameter.name, parameter.default) for parameter in parameters] == [
        (field.name, field.default) for field in dataclasses.fields(ConversionSettings)
    ]


@pytest.mark.parametrize("function", [convert, explain])
def test_every_keyword_reaches_its_toggle(function: object) -> None:
    module, shape = zoo.build("plain_conv")
    assert callable(function)
    for field in dataclasses.fields(ConversionSettings):
        with pytest.raises(SettingError, match=rf"^{field.name} must be .*got \['no'\]"):
            function(module, zoo.images(shape, 3), **{field.name: ["no"]})


def test_convert_shows_its_own_name_and_meaning_in_help() -> None:
    assert ann2snn.convert.__name__ == "convert"
    assert (ann2snn.convert.__doc__ or "").startswith("The spiking network of `module`")


@pytest.mark.parametrize("name", POOLINGS)
def test_a_pooling_that_passes_no_spikes_on_leaves_no_max_pool(name: str) -> None:
    module, shape = zoo.build("plain_conv")
    spec = convert(module, zoo.images(shape, 10), pooling=name)
    pools = [node for node in spec if isinstance(node, MaxPool)]
    assert [node.pooling for node in pools] == ([name] if POOLINGS[name].passes else [])


@pytest.mark.parametrize("name", NORMALIZATIONS)
def test_a_normalization_depends_on_the_toggles_that_it_names_and_no_others(name: str) -> None:
    module, shape = zoo.build("plain_conv")
    graph_statistics = zoo.statistics(module, zoo.images(shape, 40))
    layer = next(iter(graph_statistics.layers.values()))

    def scale(**toggles: Any) -> bytes:
        row = NORMALIZATIONS[name]
        made: dict[str, Any] = {"for_steps": 8} if row.needs_steps else {}
        settings = ConversionSettings(normalization=name, **made, **toggles)
        found = [np.asarray(row.scale(layer, settings, 2.5))]
        if row.channel_scales is not None:
            found.append(np.asarray(row.channel_scales(layer, settings)))
        return b"".join(array.tobytes() for array in found)

    changed = {"percentile": 60.0, "population": "all"}
    for toggle, value in changed.items():
        uses = toggle in NORMALIZATIONS[name].uses
        assert (scale(percentile=90.0) != scale(**{"percentile": 90.0, toggle: value})) == uses


def test_every_family_of_layers_is_found() -> None:
    families = {handler.__module__ for handler in registry.MODULES.values()}
    folder = Path(registry.__file__).parent
    files = {path.stem for path in folder.glob("*.py")} - {"__init__", "registry", "arithmetic"}
    assert {name.rpartition(".")[2] for name in families} == files


PLUG_INS = {
    "mechanisms/half_of_the_maximum.py": """
from ann2snn.mechanisms.normalizations import NORMALIZATIONS, Normalization

NORMALIZATIONS.add(
    Normalization("half", "half of the maximum", lambda layer, *_: layer.maximum / 2)
)
""",
    "conversion/layers/doubling.py": """
import torch
from torch import nn

from ann2snn.conversion.layers.arithmetic import affine
from ann2snn.conversion.layers.registry import Call, Signal, module


class Double(nn.Module):
    def forward(self, x):
        return torch.exp2(torch.ones_like(x)) * x  # converts as a whole or not at all


@module(Double)
def double(call: Call) -> Signal:
    return affine(call, call.signal(), 2.0, 0.0)
""",
}

USE = """
import numpy as np, torch
from torch import nn
import ann2snn
from ann2snn.conversion.layers.doubling import Double
from ann2snn.conversion.layers.registry import supported

assert ann2snn.__file__.startswith({folder!r})
torch.manual_seed(0)
module = nn.Sequential(nn.Linear(6, 8), Double(), nn.ReLU(), nn.Linear(8, 3)).eval()
images = np.random.default_rng(0).integers(0, 256, (20, 6), dtype=np.uint8)
largest = ann2snn.convert(module, images, normalization="max", grid=-1)
half = ann2snn.convert(module, images, normalization="half", grid=-1)
assert half["2"].scale == largest["2"].scale / 2
assert "Double" in supported()
try:
    ann2snn.convert(module, images, normalization="hlaf")
except ValueError as error:
    print(error)
"""


def test_a_normalization_and_a_layer_kind_are_one_new_file_each(tmp_path: Path) -> None:
    package = tmp_path / "ann2snn"
    source = Path(ann2snn.__file__).parent
    shutil.copytree(source, package, ignore=shutil.ignore_patterns("__pycache__"))
    for name, text in PLUG_INS.items():
        (package / name).write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", USE.format(folder=str(tmp_path))],
        capture_output=True, text=True, check=False, env={"PYTHONPATH": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "normalization must be one of half, percentile, max, none" in done.stdout
    assert "half" in done.stdout
