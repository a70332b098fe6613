"""The toggles of the analog network and of its training."""

from dataclasses import dataclass, fields

from ann2snn.ann.seeds import EPOCHS_APART
from ann2snn.settings import SettingError, check, choice, flag, number, text

NETWORKS = ("digits_cnn", "digits_cnn_plain", "mnist_cnn", "cifar10_cnn", "cifar10_cnn_plain")
BUILT_IN_TOGGLES = ("pooling", "bias", "output")


@dataclass(frozen=True)
class AnnSettings:
    """Which network, and the recipe that trains it; the defaults train `digits_cnn`.

    Raises:
        SettingError: a toggle is off its rule, or two do not go together.
    """

    network: str = text(
        "digits_cnn",
        f"{', '.join(NETWORKS)}, or package.module:factory for a network of your own, "
        "called as factory(shape, classes)",
    )
    weights: str = text(
        "", "a safetensors file with weights for the network, which is then not trained"
    )
    pooling: str = choice("max", ("max", "average"), "what a pooling layer takes of its window")
    bias: bool = flag(True, "false holds the biases of all layers at zero")
    output: str = choice(
        "softmax", ("softmax", "relu"), "relu ends the network in a ReLU, softmax leaves its logits"
    )
    final: bool = flag(
        True,
        "true trains on all training images; false holds the validation images out and measures "
        "on them after every epoch, to choose a recipe",
    )
    epochs: int = number(20, "passes over the training images", low=1)
    batch_size: int = number(32, "images in a step of the optimizer", low=2)
    optimizer: str = choice(
        "adamw", ("adamw", "sgd"), "sgd has Nesterov's momentum; both decay weights, not biases"
    )
    learning_rate: float = number(
        0.01,
        "the peak, reached linearly; from there half a cosine leads to zero",
        low=0,
        low_excluded=True,
    )
    warmup: float = number(
        0.2, "the share of all steps before the peak", low=0, high=1, high_excluded=True
    )
    momentum: float = number(
        0.9, "sgd's momentum, adamw's first beta", low=0, high=1, high_excluded=True
    )
    weight_decay: float = number(0.01, "decay of the weights", low=0)
    label_smoothing: float = number(
        0.0, "share of a label spread over all classes", low=0, high=1, high_excluded=True
    )
    averaging: float = number(
        0.0, "epochs that the exponential average of the weights reaches back; 0 keeps the last",
        low=0,
    )  # fmt: skip
    flip: bool = flag(False, "mirrors every other image from left to right")
    shift: int = number(0, "pixels that an image moves at most, along each axis", low=0)
    rotation: float = number(0.0, "degrees that an image turns at most", low=0, high=180)
    cutout: int = number(0, "side of the square that is blotted out, in pixels", low=0)
    precision: str = choice(
        "float32", ("float32", "bfloat16"), "bfloat16 autocasts, on a CPU that has it"
    )
    channels_last: bool = flag(True, "keeps the channels of a pixel together in memory")
    seed: int = number(
        0,
        "of the first weights, the order of images and their changes",
        low=0,
        high=2**64 // EPOCHS_APART - 1,
    )
    threads: int = number(2, "threads that train: other numbers give other weights", low=1)
    progress: bool = flag(False, "shows a progress bar", shapes_result=False)

    def __post_init__(self) -> None:
        check(self)
        module, colon, factory = self.network.partition(":")
        if colon:
            parts = [*module.split("."), factory]
            if not all(part.isidentifier() for part in parts):
                raise SettingError(
                    f"network must be of the form package.module:factory, got {self.network!r}"
                )
            for toggle in fields(self):
                if toggle.name in BUILT_IN_TOGGLES:
                    value = getattr(self, toggle.name)
                    if value != toggle.default:
                        raise SettingError(
                            f"{toggle.name} must be {toggle.default} for {self.network}, which "
                            f"builds its own layers, got {value!r}"
                        )
        elif self.network not in NETWORKS:
            raise SettingError(
                f"network must be one of {', '.join(NETWORKS)}, or package.module:factory, "
                f"got {self.network!r}"
            )
