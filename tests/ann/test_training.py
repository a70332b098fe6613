"""Training by Lightning: the same bits again, after a kill too, and nothing left lying about."""

import io
import itertools
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from ann2snn.ann import recipe
from ann2snn.ann.augmentation import Augmentation
from ann2snn.ann.batches import Batches
from ann2snn.ann.network import build
from ann2snn.ann.seeds import EPOCHS_APART
from ann2snn.ann.settings import AnnSettings
from ann2snn.ann.training import train
from ann2snn.ann.weights import accuracy, load_weights, round_weights, save_weights
from ann2snn.data.dataset import Dataset, load
from ann2snn.data.settings import DataSettings
from ann2snn.numerics.atomic_files import write_sealed
from ann2snn.settings import SettingError

ROOT = Path(__file__).parents[2]
QUICK = AnnSettings(epochs=2, averaging=1.0, shift=1, threads=1)


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load(DataSettings(), ROOT)


def weight_bytes(module: torch.nn.Module) -> dict[str, bytes]:
    return {name: value.numpy().tobytes() for name, value in module.state_dict().items()}


def test_two_trainings_give_equal_bytes_and_other_seeds_others(
    digits: Dataset, tmp_path: Path
) -> None:
    trained = [train(QUICK, digits, tmp_path / str(i)) for i in range(2)]
    assert weight_bytes(trained[0].module) == weight_bytes(trained[1].module)
    assert trained[0].history == trained[1].history
    other = AnnSettings(epochs=2, averaging=1.0, shift=1, threads=1, seed=1)
    changed = train(other, digits, tmp_path / "other")
    assert weight_bytes(changed.module) != weight_bytes(trained[0].module)


def test_the_random_state_of_the_process_shapes_no_training(
    digits: Dataset, tmp_path: Path
) -> None:
    first = train(QUICK, digits, tmp_path / "a")
    torch.manual_seed(12345)
    second = train(QUICK, digits, tmp_path / "b")
    assert weight_bytes(first.module) == weight_bytes(second.module)


def test_a_trained_network_knows_digits_and_each_epoch_is_told(
    digits: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    told: list[int] = []
    settings = AnnSettings(epochs=4, final=False, threads=1)
    trained = train(
        settings, digits, tmp_path / "partial", lambda epoch, numbers: told.append(epoch)
    )
    assert told == [1, 2, 3, 4]
    assert len(trained.history["validation_accuracy"]) == 4
    test = accuracy(trained.module, digits.test_images, digits.test_labels, digits.levels)
    assert test > 90
    assert not trained.module.training
    assert [path.name for path in tmp_path.iterdir()] == ["partial"]


KILLED = """
import sys
from pathlib import Path
from ann2snn.ann.settings import AnnSettings
from ann2snn.ann.training import train
from ann2snn.data.dataset import load
from ann2snn.data.settings import DataSettings
settings = AnnSettings(epochs=30, averaging=1.0, shift=1, threads=1)
train(settings, load(DataSettings(), Path()), Path(sys.argv[1]), lambda e, n: print(e, flush=True))
"""


def test_a_killed_training_goes_on_to_the_same_bits(digits: Dataset, tmp_path: Path) -> None:
    settings = AnnSettings(epochs=30, averaging=1.0, shift=1, threads=1)
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path / "killed")],
        stdout=subprocess.PIPE, env=environment, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    while process.stdout.readline() != "3\n":
        assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    told: list[int] = []
    resumed = train(settings, digits, tmp_path / "killed", lambda epoch, _: told.append(epoch))
    calm = train(settings, digits, tmp_path / "calm")
    assert 3 <= told[0] <= 6
    assert weight_bytes(resumed.module) == weight_bytes(calm.module)
    assert resumed.history == calm.history


def test_a_checkpoint_that_would_run_code_is_refused(digits: Dataset, tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.system, (f"touch {tmp_path / 'ran'}",)

    content = io.BytesIO()
    torch.save({"state_dict": Evil()}, content)
    write_sealed(tmp_path / "last.ckpt", content.getvalue())
    with pytest.raises(Exception, match=r"[Ww]eights.only"):
        train(QUICK, digits, tmp_path)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("cut", [True, False])
def test_a_damaged_checkpoint_is_told_and_the_training_begins_anew(
    cut: bool, digits: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    calm = weight_bytes(train(QUICK, digits, tmp_path / "one").module)
    path = tmp_path / "one" / "last.ckpt"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content[: len(content) // 2] if cut else content)
    assert weight_bytes(train(QUICK, digits, tmp_path / "one").module) == calm
    assert "last.ckpt is damaged or another run's" in capsys.readouterr().err


def test_an_epoch_is_the_same_whenever_it_is_drawn_and_leaves_no_image_twice() -> None:
    images = torch.arange(20, dtype=torch.uint8).view(20, 1, 1, 1)
    settings = AnnSettings(epochs=1)
    batches = Batches(
        images, torch.arange(20), 255, 4, Augmentation.of(settings, torch.zeros(1)), False, 7, 3
    )
    first = torch.cat([labels for _, labels in batches])
    assert torch.equal(first, torch.cat([labels for _, labels in batches]))
    assert sorted(first.tolist()) == list(range(20))


@pytest.mark.parametrize("warmup", [0.0, 0.25])
def test_the_learning_rate_rises_linearly_and_falls_to_zero(warmup: float) -> None:
    settings = AnnSettings(warmup=warmup, learning_rate=0.4)
    network = torch.nn.Linear(2, 2)
    optimizer = recipe.optimizer_of(settings, network)
    schedule = recipe.schedule_of(settings, optimizer, 100)
    rates = []
    for _ in range(100):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    peak = rates.index(max(rates))
    assert peak == round(100 * warmup)
    assert max(rates) == pytest.approx(0.4)
    assert rates == sorted(rates[:peak]) + sorted(rates[peak:], reverse=True)
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0, abs=1e-12)


def test_weights_decay_and_biases_do_not() -> None:
    network = build(AnnSettings(), (1, 8, 8), 10)
    groups = recipe.optimizer_of(AnnSettings(weight_decay=0.1), network).param_groups
    assert all(p.ndim > 1 for p in groups[0]["params"])
    assert all(p.ndim == 1 for p in groups[1]["params"])
    assert [group["weight_decay"] for group in groups] == [0.1, 0.0]


def test_biases_may_learn_faster_and_decay_as_fast_as_the_weights() -> None:
    network = build(AnnSettings(), (1, 8, 8), 10)
    network.get_submodule("conv1").requires_grad_(False)
    settings = AnnSettings(weight_decay=0.1, learning_rate=0.2, bias_factor=8.0, decay_biases=True)
    optimizer = recipe.optimizer_of(settings, network)
    weights, biases = optimizer.param_groups
    assert (weights["lr"], biases["lr"]) == (0.2, 1.6)
    assert weights["lr"] * weights["weight_decay"] == biases["lr"] * biases["weight_decay"]
    held = {id(parameter) for parameter in network.get_submodule("conv1").parameters()}
    assert held.isdisjoint(id(p) for group in (weights, biases) for p in group["params"])


def test_a_linear_decay_falls_by_equal_steps() -> None:
    settings = AnnSettings(decay="linear", warmup=0.2, learning_rate=1.0)
    optimizer = recipe.optimizer_of(settings, torch.nn.Linear(2, 2))
    share = recipe.schedule_of(settings, optimizer, 100).lr_lambdas[0]
    rates = [share(step) for step in range(20, 101)]
    assert rates[0] == 1
    assert rates[-1] == 0
    assert {round(a - b, 9) for a, b in itertools.pairwise(rates)} == {0.0125}


def test_a_batch_larger_than_the_data_is_refused(digits: Dataset, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="batch_size must be at most the 1437 training images"):
        train(AnnSettings(batch_size=2000), digits, tmp_path)


def test_bfloat16_is_refused_where_the_processor_has_none(
    digits: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ann2snn.ann.recipe.autocast_supported", lambda: False)
    settings = AnnSettings(precision="bfloat16")
    with pytest.raises(SettingError, match=r"got 'bfloat16': give ann\.precision=float32"):
        train(settings, digits, tmp_path)
    with pytest.raises(SettingError, match="precision must be float32 on this processor"):
        recipe.check_processor(settings)
    recipe.check_processor(AnnSettings(precision="bfloat16", weights="w.safetensors"))
    recipe.check_processor(AnnSettings(precision="float32"))


def test_every_seed_that_is_allowed_draws_and_the_next_is_refused_at_once() -> None:
    last = 2**64 // EPOCHS_APART - 1
    settings = AnnSettings(seed=last, epochs=EPOCHS_APART)
    augmentation = Augmentation.of(settings, torch.zeros(1))
    images = torch.zeros(4, 1, 1, 1, dtype=torch.uint8)
    for epoch in (0, settings.epochs - 1):
        batches = Batches(images, torch.arange(4), 255, 4, augmentation, False, last, epoch)
        assert sorted(next(iter(batches))[1].tolist()) == list(range(4))
    build(settings, (1, 8, 8), 10)
    with pytest.raises(SettingError, match=rf"seed must be in \[0, {last}\], got {last + 1}"):
        AnnSettings(seed=last + 1)


def test_weights_come_back_as_they_went(tmp_path: Path) -> None:
    one, other = (build(AnnSettings(seed=seed), (1, 8, 8), 10) for seed in (0, 1))
    save_weights(one, tmp_path / "w.safetensors")
    load_weights(other, tmp_path / "w.safetensors")
    assert weight_bytes(one) == weight_bytes(other)


def test_weights_in_half_precision_take_half_the_space_and_are_those_that_compute(
    tmp_path: Path,
) -> None:
    full, half = tmp_path / "full.safetensors", tmp_path / "half.safetensors"
    one, other = (build(AnnSettings(seed=seed), (1, 8, 8), 10) for seed in (0, 1))
    save_weights(one, full)
    before = {name: value.clone() for name, value in one.state_dict().items()}
    round_weights(one)
    save_weights(one, half, "float16")
    assert half.stat().st_size < 0.6 * full.stat().st_size
    load_weights(other, half)
    assert weight_bytes(one) == weight_bytes(other)
    for name, value in one.state_dict().items():
        closest = before[name].half().float() if value.ndim > 1 else before[name]
        assert torch.equal(value, closest)


def test_a_weight_beyond_half_precision_is_refused_by_name() -> None:
    network = build(AnnSettings(), (1, 8, 8), 10)
    network.get_parameter("classes.weight").data[0, 0] = -7e4
    before = weight_bytes(network)
    with pytest.raises(ValueError, match=r"classes.weight .* \+-65504 .* as float16, got 70000"):
        round_weights(network)
    assert weight_bytes(network) == before


def test_weights_that_do_not_fit_are_told_by_tensor(tmp_path: Path) -> None:
    save_weights(build(AnnSettings(), (1, 8, 8), 7), tmp_path / "w.safetensors")
    network = build(AnnSettings(), (1, 8, 8), 10)
    with pytest.raises(
        ValueError, match=r"does not fit the network: .* size mismatch for classes.weight"
    ):
        load_weights(network, tmp_path / "w.safetensors")
    unbiased = build(AnnSettings(bias=False), (1, 8, 8), 7)
    with pytest.raises(ValueError, match=r"Unexpected key\(s\) in state_dict: .*\"classes.bias\""):
        load_weights(unbiased, tmp_path / "w.safetensors")
    (tmp_path / "odd.safetensors").write_bytes(b"odd")
    with pytest.raises(ValueError, match=r"odd.safetensors is neither a safetensors file nor one"):
        load_weights(network, tmp_path / "odd.safetensors")
    with pytest.raises(ValueError, match="there is no weights file"):
        load_weights(network, tmp_path / "none.safetensors")
