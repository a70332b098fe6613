"""The activation that one spike a step stands for: the scale of a layer."""

from dataclasses import dataclass

from ann2snn.tables import Table


@dataclass(frozen=True)
class Normalization:
    """`uses` names the toggles that matter to it."""

    name: str
    meaning: str
    uses: tuple[str, ...] = ()


NORMALIZATIONS: Table[Normalization] = Table("normalization", "ann2snn.mechanisms")

NORMALIZATIONS.add(
    Normalization("percentile", "a percentile of the layer's activations",
                  ("percentile", "population"))
)  # fmt: skip
NORMALIZATIONS.add(Normalization("max", "the largest activation of the layer"))
NORMALIZATIONS.add(Normalization("none", "1: weights stay as they are"))
NORMALIZATIONS.add(
    Normalization("channel", "a percentile for each output channel", ("percentile", "population"))
)
NORMALIZATIONS.add(
    Normalization("model", "an upper bound computed from weights and pixel range, without data")
)
