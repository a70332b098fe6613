"""What a training starts from: whitened patches, the weights of a file, measured ceilings."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from ann2snn.ann.first_weights import prepare, set_ceilings
from ann2snn.ann.network import build
from ann2snn.ann.settings import AnnSettings
from ann2snn.ann.training import train
from ann2snn.ann.weights import save_weights
from ann2snn.data.dataset import Dataset, load
from ann2snn.data.settings import DataSettings
from ann2snn.numerics.quantized_relu import QuantizedReLU
from ann2snn.settings import SettingError

FAST = AnnSettings(network="cifar10_fast")
QUANTIZED = AnnSettings(activation="quantized", levels=4, epochs=1, threads=1)


def images(count: int = 60, channels: int = 3) -> torch.Tensor:
    """Smooth images: neighbours are alike, as those of photographs."""
    random = torch.Generator().manual_seed(0)
    coarse = torch.rand(count, channels, 6, 6, generator=random)
    return nn.functional.interpolate(coarse, size=(32, 32), mode="bilinear")


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load(DataSettings(), Path())


def test_whitened_patches_are_uncorrelated_with_mean_zero_and_stay_fixed() -> None:
    network = build(FAST, (3, 32, 32), 10, training=True)
    prepare(FAST, network, images())
    layer = network.get_submodule("whiten")
    assert not any(parameter.requires_grad for parameter in layer.parameters())
    signal = layer(images()).double().permute(1, 0, 2, 3).flatten(1)
    first, second = signal[:12], signal[12:]
    assert torch.allclose(first, -second, atol=1e-4)
    assert first.mean(1).abs().max() < 1e-3
    covariance = first @ first.T / first.shape[1]
    assert (covariance - covariance.diag().diag()).abs().max() < 1e-3
    assert 0.9 < float(covariance[-1, -1]) <= 1.0  # the direction of most variance


def test_the_convolutions_begin_as_the_identity_of_their_first_channels() -> None:
    network = build(FAST, (3, 32, 32), 10)
    conv = network.get_submodule("conv2")
    signal = torch.rand(2, 64, 15, 15, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(conv(signal), signal, atol=1e-6)


def test_ceilings_are_measured_and_statistics_of_normalization_left_alone() -> None:
    network = build(replace(QUANTIZED, network="cifar10_cnn"), (3, 32, 32), 10, training=True)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    set_ceilings(network, images(40))
    after = network.state_dict()
    ceilings = {name for name in after if name.endswith("ceiling")}
    assert len(ceilings) == 5
    assert all(after[name] != before[name] and after[name] > 0 for name in ceilings)
    assert all(torch.equal(after[n], before[n]) for n in after if n not in ceilings)


def test_fine_tuning_starts_from_the_weights_of_its_file(digits: Dataset, tmp_path: Path) -> None:
    plain = train(AnnSettings(epochs=6, threads=1), digits, tmp_path / "plain").module
    save_weights(plain, tmp_path / "plain.safetensors")
    tuned = replace(QUANTIZED, start=str(tmp_path / "plain.safetensors"), learning_rate=1e-3)
    history = train(tuned, digits, tmp_path / "tuned").history
    assert history["train_accuracy"][0] > 90
    assert train(QUANTIZED, digits, tmp_path / "fresh").history["train_accuracy"][0] < 90
    with pytest.raises(ValueError, match="does not fit the network"):
        train(replace(tuned, network="digits_cnn_plain"), digits, tmp_path / "other")


def test_quantized_training_resumes_to_the_same_bits_with_every_option(
    digits: Dataset, tmp_path: Path
) -> None:
    """A training that stops after an epoch and goes on equals one that never stopped."""
    settings = AnnSettings(
        activation="quantized", levels=3, epochs=3, optimizer="sgd", learning_rate=0.1,
        bias_factor=8.0, decay_biases=True, decay="linear", averaging=0.5, flip=True,
        flips="alternating", shift=1, border="mirrored", threads=1,
    )  # fmt: skip

    class StoppedError(Exception):
        pass

    def stop(epoch: int, _: dict[str, float]) -> None:
        if epoch == 2:
            raise StoppedError

    with pytest.raises(StoppedError):
        train(settings, digits, tmp_path / "stopped", stop)
    told: list[int] = []
    resumed = train(settings, digits, tmp_path / "stopped", lambda epoch, _: told.append(epoch))
    calm = train(settings, digits, tmp_path / "calm")
    assert told[0] in (2, 3)
    assert resumed.history == calm.history
    for name, value in calm.module.state_dict().items():
        assert torch.equal(resumed.module.state_dict()[name], value), name


@pytest.mark.parametrize("levels", [1, 3, 4, 8])
def test_a_quantized_activation_gives_whole_levels_below_its_ceiling(levels: int) -> None:
    activation = QuantizedReLU(levels, 2.5)
    signal = torch.linspace(-1, 4, 1001)
    found = activation(signal).detach().double().numpy()
    expected = 2.5 * np.clip(np.floor(signal.double().numpy() * levels / 2.5 + 0.5), 0, levels)
    assert np.allclose(found, expected / levels, atol=1e-6)
    assert len(set(np.round(found, 5))) == levels + 1


def test_the_gradient_passes_the_rounding_and_reaches_the_ceiling() -> None:
    activation = QuantizedReLU(4, 2.0)
    signal = torch.tensor([-1.0, 0.3, 1.9, 5.0], requires_grad=True)
    activation(signal).sum().backward()
    assert signal.grad is not None
    assert signal.grad.tolist() == [0.0, 1.0, 1.0, 0.0]
    # q - x/c within the range, 1 above it
    expected = 0.0 + (0.25 - 0.15) + (1.0 - 0.95) + 1.0
    assert activation.ceiling.grad == pytest.approx(expected, abs=1e-6)
    with pytest.raises(ValueError, match="levels must be at least 1, got 0"):
        QuantizedReLU(0)


def test_weights_that_training_starts_from_must_be_a_file() -> None:
    from ann2snn.pipeline.user_files import given

    with pytest.raises(SettingError, match=r"ann.start must be a file, there is none at 'no.safe"):
        given(AnnSettings(start="no.safetensors"))
