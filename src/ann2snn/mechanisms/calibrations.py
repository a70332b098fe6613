"""What a conversion corrects on calibration images, layer by layer, for a number of steps."""

from dataclasses import dataclass

from ann2snn.tables import Table


@dataclass(frozen=True)
class Calibration:
    """`corrects` names what is corrected per layer, in order: the `bias` of each channel, then the
    first `potential` of each neuron."""

    name: str
    meaning: str
    corrects: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        assert set(self.corrects) <= {"bias", "potential"}, f"{self.name}: {self.corrects}"


CALIBRATIONS: Table[Calibration] = Table("calibration", "ann2snn.mechanisms")

CALIBRATIONS.add(Calibration("none", "nothing"))
CALIBRATIONS.add(
    Calibration("bias", "the bias of every channel, until rates meet activations", ("bias",))
)
CALIBRATIONS.add(
    Calibration("potential", "the first membrane potential of every neuron", ("potential",))
)
CALIBRATIONS.add(Calibration("both", "biases, then first potentials", ("bias", "potential")))
