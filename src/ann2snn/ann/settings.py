"""The toggles of the analog network and of its training."""

from dataclasses import dataclass, fields

from ann2snn.ann.network import NETWORKS
from ann2snn.ann.seeds import EPOCHS_APART
from ann2snn.settings import SettingError, check, choice, flag, number, text
from ann2snn.tables import UnknownRowError


@dataclass(frozen=True)
class AnnSettings:
    """Which network, and the recipe that trains it; the defaults train `digits_cnn`.

    Raises:
        SettingError: a toggle is off its rule, or two do not go together.
    """

    network: str = text(
        "digits_cnn",
        f"{', '.join(NETWORKS)}, or package.module:factory for a network of your own, "
        "called as factory(shape, classes) or, where it takes neither, factory()",
    )
    weights: str = text(
        "",
        "a file with weights for the network, which is then not trained: safetensors, or a state"
        " dict of torch.save or Lightning (.pt, .pth, .ckpt)",
    )
    pooling: str = choice("max", ("max", "average"), "how pooling layers combine a window")
    bias: bool = flag(True, "false holds the biases of all layers at zero")
    activation: str = choice(
        "relu",
        ("relu", "quantized"),
        "quantized rounds to `levels` steps below a learned ceiling, for an SNN of as many steps",
    )
    levels: int = number(0, "levels of the quantized activation; 0 with relu", low=0)
    output: str = choice(
        "softmax", ("softmax", "relu"), "relu ends the network in a ReLU, softmax leaves its logits"
    )
    start: str = text(
        "", "a safetensors file with weights that the training starts from; else fresh ones"
    )
    final: bool = flag(
        True,
        "true trains on all training images; false holds the validation images out and measures "
        "on them after every epoch, to choose a recipe",
    )
    epochs: int = number(20, "passes over the training images", low=1)
    batch_size: int = number(32, "images per step of the optimizer", low=2)
    optimizer: str = choice("adamw", ("adamw", "sgd"), "sgd has Nesterov's momentum")
    learning_rate: float = number(
        0.01,
        "peak; linearly up to it, then down to zero as `decay` says",
        low=0,
        low_excluded=True,
    )
    warmup: float = number(
        0.2, "share of all steps before the peak", low=0, high=1, high_excluded=True
    )
    decay: str = choice(
        "cosine", ("cosine", "linear"), "down from the peak by half a cosine, or by a straight line"
    )
    bias_factor: float = number(
        1.0, "learning rate of biases over that of weights", low=0, low_excluded=True
    )
    momentum: float = number(
        0.9, "momentum of sgd, first beta of adamw", low=0, high=1, high_excluded=True
    )
    weight_decay: float = number(0.01, "decay of the weights", low=0)
    decay_biases: bool = flag(
        False, "biases and normalization shifts decay as well, as fast as the weights"
    )
    label_smoothing: float = number(
        0.0, "share of a label spread over all classes", low=0, high=1, high_excluded=True
    )
    averaging: float = number(
        0.0, "epochs that the exponential average of the weights spans; 0 does not average", low=0
    )
    flip: bool = flag(False, "mirror each image from left to right with probability 1/2")
    flips: str = choice(
        "random",
        ("random", "alternating"),
        "alternating mirrors by chance in the first epoch and the other way in every next one",
    )
    shift: int = number(0, "largest move of an image along each axis, in pixels", low=0)
    border: str = choice("zeros", ("zeros", "mirrored"), "what moves in behind a shifted image")
    rotation: float = number(0.0, "largest turn of an image, in degrees", low=0, high=180)
    cutout: int = number(0, "side of the square that is blotted out, in pixels", low=0)
    precision: str = choice(
        "float32", ("float32", "bfloat16"), "bfloat16 trains by autocast, on a CPU that has it"
    )
    stored_as: str = choice(
        "float32",
        ("float32", "float16"),
        "float16 rounds the weights of convolutions and linear layers in the end, to half the file",
    )
    channels_last: bool = flag(True, "keep the channels of a pixel together in memory")
    seed: int = number(
        0,
        "seed of first weights, order of images and augmentation",
        low=0,
        high=2**64 // EPOCHS_APART - 1,
    )
    threads: int = number(
        2, "threads of the training; another number gives other weights", low=1, high=1024
    )
    progress: bool = flag(False, "show a progress bar", shapes_result=False)

    def __post_init__(self) -> None:
        check(self)
        for name, neutral, needed, holds in (
            ("flips", "random", "flip=true", self.flip),
            ("border", "zeros", "a shift", self.shift > 0),
            ("levels", 0, "activation=quantized", self.activation == "quantized"),
            ("start", "", "training, without weights", not self.weights),
        ):
            value = getattr(self, name)
            if value != neutral and not holds:
                raise SettingError(f"{name} must be {neutral!r} but for {needed}, got {value!r}")
        if self.activation == "quantized" and self.levels < 1:
            raise SettingError(
                f"levels must be at least 1 for activation=quantized, got {self.levels}"
            )
        taken = self._toggles_of_network()
        some = {name for network in NETWORKS.values() for name in network.takes}
        for toggle in fields(self):
            value = getattr(self, toggle.name)
            if toggle.name in some.difference(taken) and value != toggle.default:
                raise SettingError(
                    f"{toggle.name} must be {toggle.default} for {self.network}, which "
                    f"builds its own layers, got {value!r}"
                )

    def _toggles_of_network(self) -> tuple[str, ...]:
        module, colon, factory = self.network.partition(":")
        if not colon:
            try:
                return NETWORKS[self.network].takes
            except UnknownRowError as error:
                raise SettingError(f"{error}; your own is package.module:factory") from None
        if not all(part.isidentifier() for part in [*module.split("."), factory]):
            raise SettingError(
                f"network must be of the form package.module:factory, got {self.network!r}"
            )
        return ()
