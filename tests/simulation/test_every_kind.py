"""Each kind of node, reset, pooling, input and spike either works in an engine or is refused by
name; nothing falls through."""

import importlib
import pkgutil
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import ann2snn
from ann2snn.spec.interpretation import Interpretation
from ann2snn.spec.nodes import KINDS

ROOT = Path(__file__).parents[2]


def interpretations() -> dict[str, Interpretation[object]]:  # type: ignore[type-var]
    """All that any module of the package holds, by module and name."""
    found = {}
    for module in pkgutil.walk_packages(ann2snn.__path__, "ann2snn."):
        if module.name.endswith("__main__"):
            continue
        for name, value in vars(importlib.import_module(module.name)).items():
            if isinstance(value, Interpretation):
                found[f"{module.name}.{name}"] = value
    return found


def test_every_interpretation_has_a_rule_or_a_reason_for_every_kind_of_node() -> None:
    found = interpretations()
    assert len({id(each) for each in found.values()}) >= 5
    assert {name: each.missing() for name, each in found.items() if each.missing()} == {}
    for each in found.values():
        assert all(each.leaves_out.values())
    assert len(KINDS) >= 11


KIND = '''
from dataclasses import dataclass
from ann2snn.spec.nodes.node import Stateless


@dataclass(frozen=True, eq=False, kw_only=True)
class Twice(Stateless):
    """Twice the signal."""

    def output_shape(self, shapes):
        return shapes[0]

    def bound(self, inputs):
        return 2 * inputs[0]
'''
RESET = """
from ann2snn.mechanisms.resets import RESETS, Reset
RESETS.add(Reset("floor", "the threshold is subtracted, but not below 0", "reset to a floor",
                 lambda potential, fired: (potential - fired).clip(0, None),
                 lambda current: current.clip(0, 1)))
"""
POOLING = """
from ann2snn.mechanisms.poolings import POOLINGS, Pooling
POOLINGS.add(Pooling("latest", "the input that spiked last", "winner",
                     lambda before, signal, t: before * (1 - signal) + signal * t))
"""
INPUT = """
from ann2snn.mechanisms.inputs import INPUTS, ImageInput
INPUTS.add(ImageInput("regular", "a pixel spikes at equal intervals",
                      lambda seed, image, step, unit, pixel, levels:
                      step * pixel // levels > (step - 1) * pixel // levels))
"""
SPIKE = """
from ann2snn.mechanisms.spikes import SPIKES, Spike
SPIKES.add(Spike("pair", "0, 1 or 2", (0, 1, 2),
                 lambda potential, sent: (potential >= 1) * 1 + (potential >= 2) * 1))
"""
ENGINE = """
from dataclasses import replace
from ann2snn.simulation.engines import ENGINES, Engine
from ann2snn.simulation.engines.dense import _block, _lacks
row = Engine("third", "another", "float32", ("cpu", "abacus"), False, False, 2, _lacks, _block)
ENGINES.add(row)
"""
USE = """
import numpy as np
from ann2snn import simulate
from ann2snn.mechanisms.resets import RESETS
from ann2snn.spec import *
from ann2snn.spec import nodes
one = np.ones(())

def spec(more=(), **fields):
    windows = ((0, 2), (2, 4))
    own = {kind: {k.split("_")[1]: v for k, v in fields.items() if k.startswith(kind)}
           for kind in ("input", "neuron", "pool", "output")}
    return SpikingSpec((
        Input(name="image", inputs=(), scale=one, shape=(2, 4, 4), **own["input"]),
        Conv(name="conv", inputs=("image",), scale=one, weight=np.full((3, 2, 1, 1), 0.375),
             bias=np.array([0.25, -0.5, 0.125])),
        Neuron(name="relu", inputs=("conv",), scale=one, **own["neuron"]),
        MaxPool(name="pool", inputs=("relu",), scale=one, rows=windows, columns=windows,
                **own["pool"]),
        *more,
        Reshape(name="flat", inputs=(more[-1].name if more else "pool",), scale=one, shape=(12,)),
        Linear(name="classes", inputs=("flat",), scale=one,
               weight=np.linspace(-0.5, 0.5, 36).round(3).reshape(3, 12), bias=np.zeros(3)),
        Output(name="output", inputs=("classes",), scale=one, **own["output"]),
    ))

images = np.random.default_rng(0).integers(0, 256, (5, 2, 4, 4))
labels = np.array([0, 1, 2, 0, 1])

def tried(what, engine):
    try:
        found = simulate(what, images, labels, steps=20, engine=engine)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return f"{found.engine} ran: {sum(int(each.sum()) for each in found.spikes.values())}"
"""


def told(place: str, plugin: str, code: str, folder: Path) -> list[str]:
    """The lines that `code` prints in a copy of the package with one file more."""
    shutil.copytree(ROOT / "src", folder / "src")
    (folder / "src" / "ann2snn" / place / "plugin.py").write_text(plugin, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", USE + code], env={"PYTHONPATH": str(folder / "src")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    ("plugin", "other", "mine", "what"),
    [
        (RESET, "input_input='poisson'", "neuron_reset='floor'", "reset 'floor'"),
        (POOLING, "", "pool_pooling='latest'", "pooling 'latest'"),
        (INPUT, "", "input_input='regular'", "input 'regular'"),
    ],
    ids=["reset", "pooling", "input"],
)
def test_a_mechanism_that_is_one_file_runs_on_dense_and_is_refused_by_name_on_event(
    plugin: str, other: str, mine: str, what: str, tmp_path: Path
) -> None:
    code = f"""
mine = spec({", ".join(filter(None, (mine, other)))})
for engine in ("dense", "event", "auto"):
    print(tried(mine, engine))
print(tried(spec({other}), "dense"))
"""
    dense, event, auto, usual = told("mechanisms", plugin, code, tmp_path)
    assert dense.startswith("dense ran: ")
    assert dense == auto
    assert dense != usual
    assert event == (
        f"SettingError: engine event does not support {what}; simulation.engine=dense does"
    )


def test_a_reset_that_is_one_file_steers_the_count_and_the_theory(tmp_path: Path) -> None:
    """A class that is driven down and then up: at a floor it forgets what pulled it down."""
    code = """
from ann2snn.mechanisms.outputs import OUTPUTS, Received
signal = np.array([-2.0, 1.0, 1.0, 1.0])[None, :, None] * np.array([1.0, 0.0])
for reset in ("subtract", "floor"):
    node = Output(name="output", inputs=("x",), scale=one, output="count", reset=reset)
    got = Received(signal, signal.cumsum(1), np.arange(1), 0)
    print(OUTPUTS["count"].answers(node, got).tolist(), RESETS[reset].loses)
"""
    assert told("mechanisms", RESET, code, tmp_path) == [
        "[[-1, -1, -1, 0]] False",
        "[[-1, 0, 0, 0]] False",
    ]


def test_a_kind_of_spike_that_no_engine_can_count_is_refused_by_name(tmp_path: Path) -> None:
    code = """
try:
    spec(neuron_spikes="pair")
except ValueError as error:
    print(error)
"""
    assert told("mechanisms", SPIKE, code, tmp_path) == [
        "relu: spikes pair must have the values (0, 1) or (-1, 0, 1) or (-1, 0, 1, 2), got"
        " (0, 1, 2)"
    ]


def test_a_kind_of_node_that_is_one_file_is_refused_by_name_wherever_it_has_no_rule(
    tmp_path: Path,
) -> None:
    code = """
import importlib, pkgutil, ann2snn, tempfile, pathlib
from ann2snn.spec.interpretation import Interpretation
twice = nodes.KINDS["twice"](name="two", inputs=("pool",), scale=one)
mine = spec([twice])
for engine in ("dense", "event", "auto"):
    print(tried(mine, engine))
path = pathlib.Path(tempfile.mkdtemp()) / "spec.safetensors"
save_spec(mine, path)
print(load_spec(path)["two"].kind, "twice" in str(mine))
for module in pkgutil.walk_packages(ann2snn.__path__, "ann2snn."):
    if not module.name.endswith("__main__"):
        for each in vars(importlib.import_module(module.name)).values():
            if isinstance(each, Interpretation):
                assert each.missing() == ["twice"], each.what
                try:
                    each[twice]
                    print("took it:", each.what)
                except SpecError as error:
                    assert str(error) == f"two: there is no {each.what} for nodes of kind twice"
"""
    dense, event, auto, file, *others = told("spec/nodes", KIND, code, tmp_path)
    refused = "does not support nodes of kind twice"
    assert dense == f"SettingError: engine dense {refused}; no engine does"
    assert event == f"SettingError: engine event {refused}; no engine does"
    assert auto == (f"SettingError: engine event {refused}; engine dense {refused}; no engine does")
    assert file == "twice True"
    assert others == []


def test_a_kind_of_node_that_does_not_describe_itself_is_not_built(tmp_path: Path) -> None:
    code = """
try:
    nodes.KINDS["twice"](name="two", inputs=("pool",), scale=one)
except TypeError as error:
    print(error)
"""
    plugin = KIND.partition("    def bound")[0]
    (line,) = told("spec/nodes", plugin, code, tmp_path)
    assert "Twice" in line
    assert "bound" in line


def test_an_engine_that_is_one_file_is_a_choice_with_its_devices(tmp_path: Path) -> None:
    code = """
from ann2snn.simulation.settings import SimulationSettings
print(tried(spec(), "third"), "|", tried(spec(), "dense"))
for toggles in ({"compare": True}, {"device": "cuda"}):
    try:
        SimulationSettings(engine="third", **toggles)
    except ValueError as error:
        print(error)
print(SimulationSettings(device="abacus").device)
"""
    ran, compare, device, abacus = told("simulation/engines", ENGINE, code, tmp_path)
    third, _, dense = ran.partition(" | ")
    assert third.replace("third", "dense") == dense
    assert compare == "engine must be auto or dense where compare is true, got 'third'"
    assert device == "device must be cpu or abacus for the third engine, got 'cuda'"
    assert abacus == "abacus"
