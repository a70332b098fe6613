"""Where an image comes in, and where the answer is read."""

from dataclasses import dataclass

from ann2snn.mechanisms.inputs import INPUTS
from ann2snn.mechanisms.outputs import OUTPUTS
from ann2snn.mechanisms.resets import RESETS
from ann2snn.mechanisms.spikes import SPIKES
from ann2snn.spec.nodes.node import Changing, Shape, Stateless, written_unless


@dataclass(frozen=True, eq=False, kw_only=True)
class Input(Changing):
    """The image. Analog: the pixel is a current, the same in every step. Poisson: a pixel spikes in
    a step with its own value as probability, so it must lie in [0, 1]."""

    shape: Shape
    input: str = "analog"

    arity = 0
    mechanisms = (("input", INPUTS),)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require(
            len(self.shape) in (1, 3) and min(self.shape) > 0,
            f"an image is channels x height x width, or features, got {self.shape}",
        )

    def output_shape(self, shapes: list[Shape]) -> Shape:  # noqa: ARG002 (it has no inputs)
        return self.shape

    def signal(self, inputs: list[str]) -> str:  # noqa: ARG002
        return "current" if INPUTS[self.input].static else "spikes"

    def is_static(self, inputs: list[bool]) -> bool:  # noqa: ARG002
        return INPUTS[self.input].static

    def bound(self, inputs: list[float]) -> float:  # noqa: ARG002
        return 1.0


@dataclass(frozen=True, eq=False, kw_only=True)
class Output(Stateless):
    """The classes. The answers of all rows of `OUTPUTS` are taken from one run; `output` names the
    one that counts, `clock_rate` and `draw` steer the softmax, `reset` and `spikes` the classes of
    the count. The answer by potential counts the signal of step `from_step` on, and always that of
    the last 4.
    """

    output: str = "softmax"
    clock_rate: float = 0.3
    draw: bool = False
    reset: str = "subtract"
    spikes: str = "binary"
    from_step: int = written_unless(1)

    mechanisms = ("output", OUTPUTS), ("reset", RESETS), ("spikes", SPIKES)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require(0 < self.clock_rate <= 1, f"clock_rate must be in (0, 1]: {self.clock_rate}")
        self._require(self.from_step >= 1, f"from_step must be at least 1, got {self.from_step}")
        self._require(
            self.from_step == 1 or OUTPUTS[self.output].from_step,
            f"from_step must be 1 with output {self.output}, got {self.from_step}",
        )

    def output_shape(self, shapes: list[Shape]) -> Shape:
        (shape,) = shapes
        self._require(len(shape) == 1, f"classes are a flat signal, got shape {shape}")
        return shape

    def is_static(self, inputs: list[bool]) -> bool:  # noqa: ARG002 (it accumulates)
        return False

    def bound(self, inputs: list[float]) -> float:
        return inputs[0]
