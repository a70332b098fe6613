"""How the answer is read from the signal that the output layer receives.

numpy is loaded when answers are asked for, not with the tables.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ann2snn.mechanisms.resets import RESETS
from ann2snn.mechanisms.spikes import SPIKES
from ann2snn.tables import Table

UNDECIDED = -1
ALWAYS_COUNTED = 4  # last steps, whatever the step that the output counts from


@dataclass(frozen=True)
class Received:
    """All that the output received from a block of images: its `signal` (images, steps, classes),
    `potential`, the signal's sum up to each step, the images' `places` among all, and the run's
    `seed`."""

    signal: Any
    potential: Any
    places: Any
    seed: int


@dataclass(frozen=True)
class OutputAnswer:
    """One way to read the answer; all ways are taken from every run, one of them is the answer.

    `answers(output, received)` gives the class (images, steps), `UNDECIDED` where there is none,
    from the spec's output node; `label` names it in figures. `from_step` says whether it heeds the
    step that the node's output counts from.
    """

    name: str
    meaning: str
    label: str
    answers: Callable[[Any, Received], Any]
    from_step: bool = False


OUTPUTS: Table[OutputAnswer] = Table("output", "ann2snn.mechanisms")


def _most_spikes(spikes: Any) -> Any:
    """The class with most spikes (images, steps, classes) so far, the first of equals; none before
    the first spike."""
    import numpy as np

    counts = spikes.cumsum(1, dtype=np.int32)
    best = counts.argmax(2).astype(np.int16)
    return np.where(counts.max(2) > 0, best, np.int16(UNDECIDED))


def counted_from(potential: Any, first: int) -> Any:
    """The accumulated signal (images, steps, classes) without that of the steps before `first`, of
    the last `ALWAYS_COUNTED` steps in any case (SpikingJelly, `ann2snn/delay.py`)."""
    import numpy as np

    if first == 1:
        return potential
    ends = np.arange(1, potential.shape[1] + 1)
    before = np.minimum(first - 1, np.maximum(ends - ALWAYS_COUNTED, 0))
    from_zero = np.concatenate([np.zeros_like(potential[:, :1]), potential], 1)
    return potential - from_zero[:, before]


def _largest_potential(output: Any, received: Received) -> Any:
    import numpy as np

    return counted_from(received.potential, output.from_step).argmax(2).astype(np.int16)


def _count(output: Any, received: Received) -> Any:
    """The classes as neurons of threshold 1, which start at 0 whatever the initial potential of
    the network's own neurons."""
    import numpy as np

    signal = received.signal
    spikes = np.zeros(signal.shape, np.int8)
    potential, sent = np.zeros(signal.shape[::2]), np.zeros(signal.shape[::2])
    fired, after = SPIKES[output.spikes].fired, RESETS[output.reset].after
    for t in range(signal.shape[1]):
        potential = potential + signal[:, t]
        spikes[:, t] = fired(potential, sent)
        potential = after(potential, spikes[:, t])
        sent += spikes[:, t]
    return _most_spikes(spikes)


def _softmax(output: Any, received: Received) -> Any:
    """The paper's softmax layer: at each tick of a clock one class spikes.

    The authors' code of 2016 lets the argmax of softmax(V) spike and sets the layer's potentials to
    0; that of 2017 draws the class from softmax(V) and resets nothing (`draw`).
    """
    import numpy as np

    from ann2snn.numerics import random_words

    signal, potential = received.signal, received.potential
    images, steps, classes = signal.shape

    def words(stream: int) -> Any:
        """The random words of every image and step (images, steps)."""
        places, steps_from_one = received.places[:, None], np.arange(1, steps + 1)
        return random_words.uniform(received.seed, stream, places, steps_from_one, 0)

    ticks = words(random_words.CLOCK) < int(output.clock_rate * 2**32)
    chosen = np.zeros((images, steps), np.int64)
    if output.draw:
        scores = np.asarray(output.scale) * potential
        weights = np.exp(scores - scores.max(2, keepdims=True))
        shares = weights.cumsum(2)
        point = words(random_words.DRAW) / 2.0**32
        chosen = (shares <= point[..., None] * shares[..., -1:]).sum(2)
    else:
        since_tick = np.zeros((images, classes))
        for t in range(steps):
            since_tick += signal[:, t]
            chosen[:, t] = since_tick.argmax(1)
            since_tick[ticks[:, t]] = 0
    return _most_spikes((np.arange(classes) == chosen[..., None]) & ticks[..., None])


OUTPUTS.add(
    OutputAnswer(
        name="softmax",
        meaning="a clock lets the class with the largest potential spike; most spikes",
        label="softmax at clock ticks",
        answers=_softmax,
    )
)
OUTPUTS.add(
    OutputAnswer(
        name="potential",
        meaning="the class with the largest accumulated potential",
        label="largest potential",
        answers=_largest_potential,
        from_step=True,
    )
)
OUTPUTS.add(
    OutputAnswer(
        name="count",
        meaning="the classes are neurons of their own; most spikes",
        label="most spikes",
        answers=_count,
    )
)
