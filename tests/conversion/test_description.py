"""A spec prints itself as a table, and the package offers its functions without loading torch."""

import subprocess
import sys

import pytest

import ann2snn
from ann2snn.conversion.convert import convert
from ann2snn.spec.table import rows
from tests import zoo


def test_rows_give_shape_scale_parameters_fan_out_and_saturating_share() -> None:
    module, shape = zoo.build("plain_conv")
    spec = convert(module, zoo.images(shape, 30), normalization="channel", percentile=50.0)
    table = {row["name"]: row for row in rows(spec)}
    assert list(table) == [node.name for node in spec]
    assert table["0"]["shape"] == [4, 8, 8]
    assert table["0"]["parameters"] == 4 * 2 * 9 + 4
    assert table["6"]["fan_out"] == 4
    assert table["1"]["scale_min"] < table["1"]["scale_max"]
    assert 0.1 < table["1"]["saturating"] < 0.5
    assert table["2"]["saturating"] is None


def test_nothing_saturates_at_the_maximum_and_half_of_the_nonzero_at_their_median() -> None:
    module, shape = zoo.build("three_linear")
    images = zoo.images(shape, 300)
    largest = {row["name"]: row for row in rows(convert(module, images, normalization="max"))}
    assert largest["1"]["saturating"] == largest["3"]["saturating"] == 0
    statistics = zoo.statistics(module, images)
    median = {row["name"]: row for row in rows(convert(module, images, percentile=50.0))}
    for name in ("1", "3"):
        counted = statistics.layers[name].histogram
        expected = 0.5 * (1 - counted.zeros / counted.total)
        assert median[name]["saturating"] == pytest.approx(expected, abs=0.01)


def test_the_table_has_a_line_for_every_node() -> None:
    module, shape = zoo.build("residual_downsample")
    spec = convert(module, zoo.images(shape, 10))
    lines = str(spec).splitlines()
    assert lines[0].split() == [
        "layer", "kind", "shape", "scale", "parameters", "fan-out", "saturating",
    ]  # fmt: skip
    assert [line.split()[0] for line in lines[1:]] == [node.name for node in spec]
    assert repr(spec).startswith("SpikingSpec(input, ")
    assert len(repr(spec)) < 300


def test_explain_gives_the_same_spec_with_an_account_of_the_network() -> None:
    module, shape = zoo.build("plain_conv")
    images = zoo.images(shape, 10)
    conversion = ann2snn.explain(module, images, percentile=99.0)
    assert str(conversion.spec) == str(convert(module, images, percentile=99.0))
    assert conversion.fates


def test_the_package_offers_its_functions_and_imports_nothing_heavy() -> None:
    code = (
        "import ann2snn, sys; assert 'torch' not in sys.modules; assert 'convert' in dir(ann2snn); "
        "print(ann2snn.convert.__module__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "ann2snn.conversion.convert"
    with pytest.raises(AttributeError, match="module ann2snn has no attribute 'konvert'"):
        _ = ann2snn.konvert
