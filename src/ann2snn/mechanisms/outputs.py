"""How the answer is read from what the output layer receives."""

from dataclasses import dataclass

from ann2snn.tables import Table


@dataclass(frozen=True)
class OutputAnswer:
    """One way to read the answer; all ways are taken from every run, one of them is the answer."""

    name: str
    meaning: str


OUTPUTS: Table[OutputAnswer] = Table("output", "ann2snn.mechanisms")

OUTPUTS.add(
    OutputAnswer("softmax", "a clock lets the class with the largest potential spike; most spikes")
)
OUTPUTS.add(OutputAnswer("potential", "the class with the largest accumulated potential"))
OUTPUTS.add(OutputAnswer("count", "the classes are neurons of their own; most spikes"))
