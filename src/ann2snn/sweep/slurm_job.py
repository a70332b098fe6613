"""A point's process within a Slurm job: the signals that Slurm sends it.

submitit lets SIGTERM pass and answers the signal before the end of the job's time by an exception,
which reaches whatever computes at that moment and looks like a failure of the point.
"""

import os
import signal
from types import FrameType

from ann2snn.pipeline.application import KEPT
from ann2snn.stopping import Stopped, ask_to_stop, tell_at_stop, watch


class TimeOverError(Stopped):
    """The job's time in Slurm comes to its end, or Slurm takes its place for another."""

    def __str__(self) -> str:
        return "stopped since the job's time in Slurm ends"


def is_slurm_job() -> bool:
    return os.environ.get("SUBMITIT_EXECUTOR") == "slurm"


def heed_slurm() -> None:
    """Lets this process end by `Stopped` when its job is cancelled, preempted or requeued, and
    before its time ends: then after submitit has requeued the job, if it may."""
    from submitit import JobEnvironment

    watch()
    tell_at_stop(KEPT)
    number = JobEnvironment()._usr_sig()
    requeue = signal.getsignal(number)

    def end(number: int, frame: FrameType | None) -> None:
        heeded = signal.signal(signal.SIGTERM, signal.SIG_IGN)  # comes of the requeue
        try:
            if callable(requeue):
                requeue(number, frame)
        except BaseException as error:
            stop = TimeOverError(number)
            ask_to_stop(stop)
            raise stop from error
        signal.signal(signal.SIGTERM, heeded)  # a further process of the job, which waits for it

    signal.signal(number, end)
