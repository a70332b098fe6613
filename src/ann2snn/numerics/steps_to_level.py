"""When an accuracy that changes with time reaches a level."""

from collections.abc import Sequence


def first_step_at(accuracy: Sequence[float], level: float) -> int | None:
    """The first step (from 1) with at least `level` percent right, or None."""
    return next((step for step, value in enumerate(accuracy, 1) if value >= level), None)


def lasting_step_at(accuracy: Sequence[float], level: float) -> int | None:
    """The first step (from 1) from which `accuracy` stays at or above `level`, or None."""
    below = [step for step, value in enumerate(accuracy, 1) if value < level]
    first = below[-1] + 1 if below else 1
    return first if first <= len(accuracy) else None
