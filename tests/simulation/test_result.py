"""A result prints and draws itself, and does without labels."""

import builtins
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from ann2snn import convert, explain, simulate
from ann2snn.simulation.answers import rank_counts
from ann2snn.simulation.result import SimulationResult
from ann2snn.spec import Conv, Input, Linear, Neuron, Output, Reshape, SpikingSpec
from tests import zoo

STEPS = 12


@pytest.fixture(scope="module")
def spec() -> SpikingSpec:
    module, shape = zoo.build("plain_conv")
    return convert(module, zoo.images(shape, 12))


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return np.asarray(zoo.images((2, 8, 8), 12))


@pytest.fixture(scope="module")
def result(spec: SpikingSpec, images: np.ndarray) -> SimulationResult:
    labels = np.arange(12) % spec.classes
    return simulate(spec, images, labels, steps=STEPS, potentials=True, record={"1": range(3, 8)})


def test_a_result_prints_itself_as_a_table_of_all_its_layers(
    result: SimulationResult, spec: SpikingSpec
) -> None:
    lines = str(result).splitlines()
    assert len(lines) < 10 + len(spec.nodes)
    assert f"{result.metrics()['snn_accuracy']:.2f} % by softmax" in lines[1]
    for node in spec:
        if isinstance(node, Neuron):
            (line,) = [line for line in lines if line.startswith(f"{node.name} ")]
            assert f" {result.rates()[node.name]:.4f} " in line


def test_an_account_prints_the_spec_and_where_every_operation_went() -> None:
    module, shape = zoo.build("residual")
    account = explain(module, zoo.images(shape, 12))
    text = str(account)
    assert text.startswith(str(account.spec))
    for fate in account.fates:
        assert f"\n{fate.operation} " in text
        assert fate.reason in text


def test_without_labels_there_are_predictions_and_no_accuracies(
    spec: SpikingSpec, images: np.ndarray, result: SimulationResult
) -> None:
    found = simulate(spec, images, steps=STEPS, block=5)
    np.testing.assert_array_equal(found.answers, result.answers)
    with_labels = result.metrics()
    right = {name for name in with_labels if "accuracy" in name or "interval" in name}
    assert found.metrics() == {n: v for n, v in with_labels.items() if n not in right}
    assert not [name for name in found.curves() if "accuracy" in name]
    assert found.metrics(found.answers)["agreement"] == 100.0
    assert "without labels" in str(found)
    for refused in (found.accuracy, found.top_accuracy, found.plot_accuracy, found.plot_confusion):
        with pytest.raises(ValueError, match="had no labels"):
            refused()


def test_numbers_of_numpy_and_tensors_are_taken_as_what_they_hold(
    spec: SpikingSpec, images: np.ndarray, result: SimulationResult
) -> None:
    pixels = torch.tensor(images / 255, requires_grad=True)
    labels = torch.arange(12) % spec.classes
    tensors = simulate(spec, pixels, labels, steps=np.int64(STEPS), seed=np.uint8(0))  # type: ignore[arg-type]
    arrays = simulate(spec, images / 255, labels.numpy(), steps=STEPS)
    assert tensors.steps == STEPS
    assert tensors.metrics() == arrays.metrics()
    assert result.metrics(labels) == result.metrics(labels.numpy())
    assert result.metrics(labels)["ann_accuracy"] == 100.0
    outputs = torch.eye(spec.classes)[labels]
    with pytest.raises(ValueError, match=r"class of each image, .* got float32 .*argmax\(1\)"):
        result.metrics(outputs)
    with pytest.raises(ValueError, match="steps must be"):
        simulate(spec, images, steps=np.float64(2.5))  # type: ignore[arg-type]


def test_a_gpu_by_its_number_is_a_device_and_refused_where_there_is_none(
    spec: SpikingSpec, images: np.ndarray
) -> None:
    if torch.cuda.is_available():
        pytest.skip("has a GPU")
    for device in ("cuda:0", torch.device("cuda", 1), "cuda"):
        with pytest.raises(ValueError, match=f"got '{device}': torch finds no GPU"):
            simulate(spec, images, device=device)
    for wrong in ("cpu:0", "cuda:", "cuda:a", "cuda:-1", "mps"):
        with pytest.raises(ValueError, match="device must be one of cpu, cuda, cuda:N, got"):
            simulate(spec, images, device=wrong)


def test_the_first_place_is_the_potentials_answer_and_the_last_holds_every_image(
    result: SimulationResult, spec: SpikingSpec
) -> None:
    np.testing.assert_allclose(result.top_accuracy(1), result.accuracy("potential"))
    tops = [result.top_accuracy(places) for places in range(1, spec.classes + 1)]
    assert (np.diff(tops, axis=0) >= 0).all()
    assert (tops[-1] == 100).all()
    with pytest.raises(ValueError, match=r"places must be in \[1, 4\], got 5"):
        result.top_accuracy(5)


def test_of_equal_potentials_the_first_class_comes_first() -> None:
    potential = np.array([[[1.0, 1.0, 0.0], [2.0, 3.0, 3.0]]])
    for label, places in ((0, (0, 2)), (1, (1, 0)), (2, (2, 1))):
        counts = rank_counts(potential, np.array([label]))
        np.testing.assert_array_equal(counts.argmax(1), places)
        np.testing.assert_array_equal(counts.sum(1), 1)


def test_a_layers_rate_is_its_spikes_per_neuron_and_step(
    result: SimulationResult, spec: SpikingSpec
) -> None:
    neurons = {n.name: int(np.prod(spec.shapes[n.name])) for n in spec if isinstance(n, Neuron)}
    assert list(result.rates()) == list(neurons)
    mean = sum(rate * neurons[name] for name, rate in result.rates().items()) / spec.neurons
    assert mean == pytest.approx(result.metrics()["mean_rate"])


def test_energy_of_a_synaptic_operation_is_an_addition_and_of_the_image_a_multiplication() -> None:
    """Two pixels into one neuron that fires in each step, which drives two classes."""
    one = np.ones(())
    nodes = (
        Input(name="pixels", inputs=(), scale=one, shape=(2,)),
        Linear(name="w", inputs=("pixels",), scale=one, weight=np.ones((1, 2)), bias=np.zeros(1)),
        Neuron(name="n", inputs=("w",), scale=one),
        Linear(name="v", inputs=("n",), scale=one, weight=np.eye(2)[:, :1], bias=np.zeros(2)),
        Output(name="out", inputs=("v",), scale=one),
    )
    found = simulate(SpikingSpec(nodes), np.full((3, 2), 255, np.uint8), steps=10)
    energy = found.energy(add=1.0, multiply_add=5.0)
    assert (energy["w"].spiking, energy["w"].analog) == (0.010, 0.010)
    assert (energy["v"].spiking, energy["v"].analog) == (0.020, 0.010)


def test_every_plot_is_a_figure_that_a_notebook_shows(result: SimulationResult) -> None:
    figures = {
        "accuracy": result.plot_accuracy(ann_accuracy=90.0),
        "rates": result.plot_rates(),
        "raster": result.plot_raster(image=2),
        "potentials": result.plot_potentials(image=2),
        "confusion": result.plot_confusion(),
        "energy": result.plot_energy(),
    }
    for name, figure in figures.items():
        assert isinstance(figure, Figure), name
        assert figure._repr_png_().startswith(b"\x89PNG"), name  # type: ignore[attr-defined]


def test_plots_show_the_numbers_of_the_result(result: SimulationResult) -> None:
    (axes,) = result.plot_accuracy().axes
    drawn = [np.asarray(line.get_ydata()) for line in axes.lines]
    np.testing.assert_allclose(drawn[0], result.accuracy())
    (axes,) = result.plot_raster("1", image=4).axes
    ticks = np.stack([np.asarray(axes.lines[0].get_xdata()), np.asarray(axes.lines[0].get_ydata())])
    expected = np.argwhere(result.trains["1"][4]).T + np.array([[1], [0]])
    np.testing.assert_array_equal(np.sort(ticks), np.sort(expected))
    assert [words.get_text() for words in axes.get_yticklabels()] == ["3", "4", "5", "6", "7"]
    counts = result.confusion()
    assert counts.trace() == result.right["softmax"][-1]
    assert counts.sum() == result.images - result.undecided["softmax"][-1]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (lambda r: r.plot_raster("3"), r"recorded \(1\), got '3': simulate\(\.\.\., record="),
        (lambda r: r.plot_raster(image=12), r"image must be in \[0, 12\), got 12"),
        (lambda r: r.plot_potentials(image=-1), r"image must be in \[0, 12\), got -1"),
        (lambda r: r.plot_confusion("counts"), "output must be one of .*did you mean count"),
    ],
)
def test_a_plot_that_cannot_be_drawn_says_what_it_needs(
    asked: Any, message: str, result: SimulationResult
) -> None:
    with pytest.raises(ValueError, match=message):
        asked(result)


def test_potentials_and_spikes_that_were_not_kept_are_asked_for(
    spec: SpikingSpec, images: np.ndarray
) -> None:
    found = simulate(spec, images, steps=2)
    with pytest.raises(ValueError, match=r"potentials=True"):
        found.plot_potentials()
    with pytest.raises(ValueError, match=r"record=\{'1': range"):
        found.plot_raster()


def test_negative_spikes_are_drawn_apart() -> None:
    module, shape = zoo.build("plain_conv")
    signed = convert(module, zoo.images(shape, 12), spikes="signed", initial_potential=0.5)
    found = simulate(signed, zoo.images(shape, 12), steps=30)
    layer = max(found.negative, key=lambda name: int(found.negative[name].sum()))
    size = int(np.prod(signed.shapes[layer]))
    found = simulate(signed, zoo.images(shape, 12), steps=30, record={layer: range(size)})
    negative = (found.trains[layer] < 0).sum((1, 2))
    image, below = int(negative.argmax()), int(negative.max())
    (axes,) = found.plot_raster(image=image).axes
    assert below > 0
    assert len(np.asarray(axes.lines[1].get_xdata())) == below


def test_without_matplotlib_a_plot_says_how_to_get_it(
    result: SimulationResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def without(name: str, *more: Any, **named: Any) -> Any:
        if name.startswith("ann2snn.plots"):
            raise ModuleNotFoundError("No module named 'matplotlib'", name="matplotlib")
        return real(name, *more, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"pip install 'ann2snn\[plots\]'"):
        result.plot_rates()
    assert str(result)


def test_a_spec_without_neurons_prints_and_draws() -> None:
    one = np.ones(())
    weight = np.ones((2, 1, 8, 8)) * [[[[1.0]]], [[[0.5]]]]
    nodes = (
        Input(name="image", inputs=(), scale=one, shape=(1, 8, 8)),
        Conv(name="w", inputs=("image",), scale=one, weight=weight, bias=np.zeros(2)),
    )
    rest = (
        Reshape(name="flat", inputs=("w",), scale=one, shape=(2,)),
        Output(name="out", inputs=("flat",), scale=one, output="potential"),
    )
    found = simulate(SpikingSpec((*nodes, *rest)), np.full((2, 1, 8, 8), 9, np.uint8), steps=3)
    assert "answers" in str(found)
    assert found.rates() == {}
    found.plot_rates()
    found.plot_energy()
