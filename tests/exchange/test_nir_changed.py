"""A NIR graph that is no longer what was exported is refused, by node where there is one."""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ann2snn import convert, from_nir, to_nir
from ann2snn.spec import SpecError, SpikingSpec
from tests import zoo

nir = pytest.importorskip("nir", reason="nir is not installed: pip install 'ann2snn[exchange]'")


@lru_cache
def spec() -> SpikingSpec:
    module, shape = zoo.build("plain_conv")
    return convert(module, zoo.images(shape, 16))


def plain_graph() -> Any:
    return to_nir(spec())


def drop_metadata(graph: Any) -> None:
    graph.metadata = {}


def odd_metadata(graph: Any) -> None:
    graph.metadata = ["ann2snn"]


def wide_padding(graph: Any) -> None:
    graph.nodes["2"].padding = np.array([10**12, 0])


def other_edge(graph: Any) -> None:
    graph.edges.pop()


def another_node(graph: Any) -> None:
    graph.nodes["more"] = nir.Scale(scale=np.ones(3))


def another_kind(graph: Any) -> None:
    graph.nodes["1"] = nir.Scale(scale=np.ones((4, 8, 8)))


def another_threshold(graph: Any) -> None:
    graph.nodes["1"].v_threshold = np.full((4, 8, 8), 2.0)


def off_the_grid(graph: Any) -> None:
    graph.nodes["0"].weight = graph.nodes["0"].weight / 3


def edited(old: str, new: str) -> Callable[[Any], None]:
    def change(graph: Any) -> None:
        own = graph.metadata["ann2snn"]
        assert old in own["spec"]
        own["spec"] = own["spec"].replace(old, new)

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (odd_metadata, "must be a graph that to_nir gave, with metadata of format"),
        (wide_padding, "2: kernel_size and stride must be positive, padding at most half"),
        (drop_metadata, "must be a graph that to_nir gave, with metadata of format"),
        (other_edge, "nodes and edges must be those of the export"),
        (another_node, "nodes and edges must be those of the export, got others, nodes more"),
        (another_kind, r"1: must be a nir\.IF, got Scale"),
        (another_threshold, "1: v_threshold must be 1 for all"),
        (off_the_grid, r"0: weight is off the grid of 2\^-14"),
        (edited('">="', '">"'), "threshold_test must be '>=', got '>'"),
        (edited('"neuron"', '"late"'), "there is no NIR primitive for nodes of kind late"),
        (edited('"saturating"', '"sated"'), "1: sated cannot be"),
        (edited('"subtract"', '"halve"'), "reset must be one of subtract, zero"),
        (edited('"rise"', '{"a": 1}'), "2: pooling cannot be"),
        (edited('"pixels": ', '"pixels": ' + "[" * 10**5 + ","), "this graph is not a spec"),
        (edited('"levels": 255', '"levels": "255"'), "levels must be a whole number"),
        (edited('"nodes"', '"knots"'), r"this graph is not a spec: KeyError\('nodes'\)"),
    ],
)
def test_a_graph_that_is_no_longer_a_spec_is_refused(
    change: Callable[[Any], None], message: str
) -> None:
    graph = plain_graph()
    change(graph)
    with pytest.raises(SpecError, match=message):
        from_nir(graph)


def test_other_objects_and_files_are_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "other.nir").write_bytes(b"no HDF5")
    with pytest.raises(SpecError, match=r"other\.nir is not a NIR graph"):
        from_nir(tmp_path / "other.nir")
    with pytest.raises(SpecError, match="there is no such file"):
        from_nir(str(tmp_path / "none.nir"))
    with pytest.raises(SpecError, match=r"must be a nir\.NIRGraph or a file of one, got int"):
        from_nir(3)
