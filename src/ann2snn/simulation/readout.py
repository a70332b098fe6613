"""Answers from what the output received: the three read-outs of one run, step by step."""

import numpy as np
import numpy.typing as npt

from ann2snn.numerics import random_words
from ann2snn.spec import Output

Answers = npt.NDArray[np.int16]
Reals = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
UNDECIDED = -1


def answers(
    output: Output, signal: Reals, potential: Reals, indices: Indices, seed: int
) -> dict[str, Answers]:
    """The answer of every read-out (images, steps), -1 where there is none, from the output's
    signal (images, steps, classes) and `potential`, its sum up to each step."""
    spikes = {
        "softmax": clocked_spikes(output, signal, potential, indices, seed),
        "count": class_spikes(output, signal),
    }
    found = {name: most_spikes(trains) for name, trains in spikes.items()}
    found["potential"] = potential.argmax(2).astype(np.int16)
    return found


def most_spikes(spikes: npt.NDArray[np.bool_]) -> Answers:
    """The class with most spikes so far, the first of equals; -1 before the first spike."""
    counts = spikes.cumsum(1, dtype=np.int32)
    best = counts.argmax(2).astype(np.int16)
    return np.where(counts.max(2) > 0, best, np.int16(UNDECIDED))


def class_spikes(output: Output, signal: Reals) -> npt.NDArray[np.bool_]:
    """Spikes of the classes as neurons of threshold 1 (images, steps, classes).

    They start at 0, whatever the initial potential of the network's own neurons.
    """
    spikes = np.zeros(signal.shape, np.bool_)
    potential = np.zeros(signal.shape[::2])
    for t in range(signal.shape[1]):
        potential += signal[:, t]
        fired = potential >= 1
        spikes[:, t] = fired
        if output.reset == "subtract":
            potential -= fired
        else:
            potential[fired] = 0
    return spikes


def clocked_spikes(
    output: Output, signal: Reals, potential: Reals, indices: Indices, seed: int
) -> npt.NDArray[np.bool_]:
    """Spikes of the paper's softmax layer (images, steps, classes): one at each tick of a clock.

    The authors' code of 2016 lets the argmax of softmax(V) spike and sets the layer's potentials to
    0; that of 2017 draws the class from softmax(V) and resets nothing.
    """
    images, steps, classes = signal.shape
    clock = _words(seed, random_words.CLOCK, indices, steps)
    ticks = clock < int(output.clock_rate * 2**32)
    chosen = np.zeros((images, steps), np.int64)
    if output.draw:
        scores = np.asarray(output.scale) * potential
        weights = np.exp(scores - scores.max(2, keepdims=True))
        shares = weights.cumsum(2)
        point = _words(seed, random_words.DRAW, indices, steps) / 2.0**32
        chosen = (shares <= point[..., None] * shares[..., -1:]).sum(2)
    else:
        since_tick = np.zeros((images, classes))
        for t in range(steps):
            since_tick += signal[:, t]
            chosen[:, t] = since_tick.argmax(1)
            since_tick[ticks[:, t]] = 0
    spikes: npt.NDArray[np.bool_] = (np.arange(classes) == chosen[..., None]) & ticks[..., None]
    return spikes


def _words(seed: int, stream: int, indices: Indices, steps: int) -> npt.NDArray[np.int64]:
    """The random words of every image and step (images, steps)."""
    steps_from_one = np.arange(1, steps + 1)
    words: npt.NDArray[np.int64] = random_words.uniform(
        seed, stream, indices[:, None], steps_from_one, 0
    )
    return words


def first_lasting_step(right: npt.NDArray[np.bool_]) -> npt.NDArray[np.int32]:
    """Per image the first step (from 1) from which the answer stays right; 0 if it does not."""
    steps = right.shape[1]
    wrong_last = steps - np.argmax(~right[:, ::-1], axis=1)
    wrong_last = np.where(right.all(1), 0, wrong_last)
    return np.where(wrong_last < steps, wrong_last + 1, 0).astype(np.int32)


def leads(potential: Reals) -> Reals:
    """How far the best accumulated output (images, steps, classes) is ahead of the second (images,
    steps)."""
    two = np.partition(potential, -2, axis=2)[..., -2:]
    ahead: Reals = two[..., 1] - two[..., 0]
    return ahead


def early_exit(
    potential: Reals, lead: Reals, margin: float
) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.int32]]:
    """Per image the answer and the step (from 1) at which `lead` (images, steps) reaches `margin`,
    the last step where it never does; from the accumulated output (images, steps, classes)."""
    enough = lead >= margin
    step = np.where(enough.any(1), enough.argmax(1), potential.shape[1] - 1)
    answer = np.take_along_axis(potential, step[:, None, None], 1)[:, 0].argmax(1)
    return answer.astype(np.int16), (step + 1).astype(np.int32)
