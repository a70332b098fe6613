"""Lasting steps of the answers, and answers by early exit, from the accumulated output."""

import numpy as np
import numpy.typing as npt

Reals = npt.NDArray[np.float64]


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


def rank_counts(potential: Reals, labels: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
    """Of how many images the label has each place among the classes (steps, classes), by the
    accumulated output (images, steps, classes); of equals the first comes first."""
    images, steps, classes = potential.shape
    own = np.take_along_axis(potential, labels[:, None, None].astype(np.int64), 2)
    earlier = np.arange(classes) < labels[:, None, None]
    ranks = ((potential > own) | ((potential == own) & earlier)).sum(2)
    counts = np.zeros((steps, classes), np.int64)
    np.add.at(counts, (np.broadcast_to(np.arange(steps), (images, steps)), ranks), 1)
    return counts
