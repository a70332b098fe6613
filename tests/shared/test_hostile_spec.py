"""A spec file that says what cannot be is refused by file, node and value, before any work."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

from ann2snn.spec import SpikingSpec, load_spec, save_spec
from ann2snn.spec.nodes import SpecError
from ann2snn.spec.nodes.ends import Input, Output
from ann2snn.spec.nodes.joining import Reshape
from ann2snn.spec.nodes.pools import SumPool
from ann2snn.spec.nodes.weighted import Linear

ONE = np.array(1.0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    nodes = (
        Input(name="input", inputs=(), scale=ONE, shape=(1, 4, 4)),
        SumPool(
            name="pool", inputs=("input",), scale=ONE,
            rows=((0, 2), (2, 4)), columns=((0, 2), (2, 4)),
        ),
        Reshape(name="flat", inputs=("pool",), scale=ONE, shape=(4,)),
        Linear(
            name="classes", inputs=("flat",), scale=ONE, weight=np.ones((2, 4)), bias=np.zeros(2)
        ),
        Output(name="output", inputs=("classes",), scale=ONE),
    )  # fmt: skip
    save_spec(SpikingSpec(nodes, 14, 16), tmp_path / "net.spec")
    return tmp_path / "net.spec"


def rewritten(
    path: Path,
    change: Callable[[Any, dict[str, np.ndarray]], Any],
) -> None:
    """Writes the file anew with other metadata or tensors."""
    with safe_open(path, framework="numpy") as file:
        content = json.loads(file.metadata()["spec"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    content = change(content, tensors)
    save_file(tensors, path, metadata={"spec": json.dumps(content)})


def setting(*place: Any, to: Any) -> Callable[[Any, dict[str, np.ndarray]], Any]:
    def change(content: Any, tensors: dict[str, np.ndarray]) -> Any:
        inner = content
        for name in place[:-1]:
            inner = inner[name]
        inner[place[-1]] = to
        return content

    return change


@pytest.mark.parametrize("content", [None, [], 3, "spec", {}, True, {"format": 2}])
def test_metadata_of_another_kind_is_no_spec(content: Any, path: Path) -> None:
    rewritten(path, lambda _, tensors: content)
    with pytest.raises(SpecError, match=r"net\.spec is not a spec"):
        load_spec(path)


ABSURD: list[Any] = [
    None,
    [],
    {},
    "x",
    True,
    -1,
    1.5,
    10**30,
    [[]],
    [10**12, 10**12],
    [[0, 10**9]],
    [-1, -4],
]
PLACES = [
    ("grid",), ("levels",), ("nodes",), ("nodes", 0, "shape"), ("nodes", 0, "input"),
    ("nodes", 0, "kind"), ("nodes", 0, "name"), ("nodes", 1, "inputs"), ("nodes", 1, "rows"),
    ("nodes", 1, "columns"), ("nodes", 2, "shape"), ("nodes", 4, "clock_rate"),
    ("nodes", 4, "draw"), ("nodes", 4, "reset"), ("nodes", 0, "scale"), ("nodes", 1),
]  # fmt: skip
ALLOWED = {("grid", None), ("draw", True)}


@pytest.mark.parametrize("place", PLACES, ids=str)
@pytest.mark.parametrize("value", ABSURD, ids=str)
def test_an_absurd_value_is_refused_with_the_file_that_says_it(
    place: tuple[Any, ...], value: Any, path: Path
) -> None:
    if (place[-1], str(value)) in {(name, str(allowed)) for name, allowed in ALLOWED}:
        return
    rewritten(path, setting(*place, to=value))
    with pytest.raises(SpecError, match=r"net\.spec"):
        load_spec(path)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.ones((2, 4), np.int64), "weight must be of floats, got int64"),
        (np.ones((2, 4), bool), "weight must be of floats, got bool"),
        (np.full((2, 4), np.nan, np.float32), "weight is not finite"),
        (np.ones((2, 5), np.float32), "classes"),
    ],
    ids=["int", "bool", "nan", "shape"],
)
def test_weights_that_are_no_weights_are_refused(
    array: np.ndarray, message: str, path: Path
) -> None:
    def change(content: Any, tensors: dict[str, np.ndarray]) -> Any:
        tensors["classes/weight"] = array
        return content

    rewritten(path, change)
    with pytest.raises(SpecError, match=message):
        load_spec(path)


def test_a_pipe_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SpecError, match="pipe is not a spec"):
        load_spec(tmp_path / "pipe")
