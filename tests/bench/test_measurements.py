"""The benchmark measures what it says: known sizes, unchanged networks, all rows."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from ann2snn import convert
from ann2snn.ann.network import build
from ann2snn.ann.settings import AnnSettings
from ann2snn.spec import SpikingSpec
from bench import gpu
from bench.growth import mean_rate, with_channels, with_rates
from bench.mode import EVENT, FORWARD, MODES, Mode, layers
from bench.network import POOLINGS, Measured
from bench.tables import chart, peer_rows
from bench.timing import measure
from bench.worker import peak_above

OURS = tuple(
    dataclasses.replace(mode, batches=(2,), steps=5)
    for mode in (FORWARD, *MODES)
    if mode.tool in ("torch", "ann2snn", "plain torch") and "compiled" not in mode.mode
)


@pytest.fixture(scope="module")
def network() -> Measured:
    settings = AnnSettings(network="cifar10_cnn")
    module = build(settings, (3, 32, 32), 10).eval().requires_grad_(False)
    images = np.random.default_rng(0).integers(0, 256, (12, 3, 32, 32)).astype(np.uint8)
    specs = {pooling: convert(module, images, pooling=pooling) for pooling in POOLINGS}
    return Measured("random", "noise", module, specs, images, np.zeros(12, np.int64))


def test_the_peak_of_an_allocation_is_its_size() -> None:
    def hold() -> None:
        np.ones(40 * 2**20, np.uint8).sum()

    assert peak_above(hold) == pytest.approx(40, abs=8)
    assert peak_above(lambda: None) < 8


def test_all_modes_of_one_network_see_the_same_answers(network: Measured) -> None:
    """A plain loop with every spike of a pool, and our engines with the pooling `rise`."""
    event, dense = (
        mode.build(network, 4)(network.images[:4], 20) for mode in MODES if mode.tool == "ann2snn"
    )
    assert np.array_equal(event, dense)


def test_every_mode_is_timed_and_has_its_row(network: Measured) -> None:
    timed, missing = measure(OURS, network, 1, 1)
    rows = peer_rows(timed, network, 1, 0.1, {})
    assert missing == {}
    assert [row["mode"] for row in rows] == [mode.mode for mode in OURS]
    assert rows[0]["ratio"] == 1
    assert all(row["microseconds"] > 0 for row in rows)


def test_a_peer_that_is_not_installed_is_named_not_hidden(network: Measured) -> None:
    absent = Mode("nosuchtool", "documented", "no_such_module:build", (1,))
    timed, missing = measure((absent,), network, 1, 1)
    assert timed == []
    assert "no_such_module" in missing["nosuchtool, documented"]


@pytest.mark.parametrize("factor", [2, 4])
def test_copies_of_channels_leave_rates_and_answers_as_they_were(
    network: Measured, factor: int
) -> None:
    wider = dataclasses.replace(network, specs={"rise": with_channels(network.spec, factor)})
    assert mean_rate(wider, 30) == pytest.approx(mean_rate(network, 30), rel=0.02)


def test_rates_grow_with_their_factor(network: Measured) -> None:
    rates = [
        mean_rate(dataclasses.replace(network, specs={"rise": with_rates(network.spec, by)}), 60)
        for by in (0.5, 1.0, 2.0)
    ]
    assert rates[0] < 0.75 * rates[1] < 0.75 * rates[2]


def test_the_peers_network_has_the_weights_of_the_spec(network: Measured) -> None:
    spec: SpikingSpec = network.specs["spikes"]
    built = layers(spec, nn.Identity)
    weights = [m.weight for m in built if isinstance(m, nn.Conv2d | nn.Linear)]
    own = [torch.from_numpy(node.weight).float() for node in spec if hasattr(node, "weight")]
    assert all(torch.equal(a, b) for a, b in zip(weights, own, strict=True))


def test_the_chart_has_a_bar_for_every_mode(network: Measured, tmp_path: Path) -> None:
    rows = [
        {"threads": 1, "tool": mode.tool, "mode": mode.mode, "microseconds": 10.0}
        for mode in (EVENT, *MODES)
    ]
    chart(rows, tmp_path / "peers")
    assert {path.name for path in tmp_path.iterdir()} == {"peers.png", "peers.svg"}


def test_two_devices_are_compared_number_by_number(
    network: Measured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The processor stands for the GPU, which is not there wherever tests run."""
    monkeypatch.setattr(gpu, "BLOCKS", (4, 100))
    found = gpu.compare(network, 6, device="cpu", steps=5)
    assert list(found["blocks"]) == ["4", "6"]
    assert gpu.compare(network, 1000, device="cpu", steps=1)["images"] == len(network.images)
    assert found["dense"]["seconds"] > 0


def test_a_count_that_differs_is_named(network: Measured, monkeypatch: pytest.MonkeyPatch) -> None:
    one, _ = gpu.run(network, 4, 5, engine="event")
    layer = next(iter(one.spikes))
    other = dataclasses.replace(one, spikes={**one.spikes, layer: one.spikes[layer] + 1})
    assert list(gpu.differences(one, one)) == []
    assert list(gpu.differences(one, other)) == [f"spikes/{layer}"]
    monkeypatch.setattr(gpu, "BLOCKS", (2,))
    runs = iter([(one, 1.0)] * 4 + [(other, 1.0)])
    monkeypatch.setattr(gpu, "run", lambda *_, **__: next(runs))
    with pytest.raises(SystemExit, match=f"other numbers.*spikes/{layer}"):
        gpu.compare(network, 4, device="cpu", steps=5)
