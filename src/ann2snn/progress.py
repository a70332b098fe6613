"""Signs of life while something takes long, on standard error.

Where a person watches, in a terminal or a notebook, one line renews itself; elsewhere, as in a log,
a new line comes every half minute. A thread writes them, so that they come also while a library
computes. Of several that are open within each other the innermost is shown.
"""

import shutil
import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import ClassVar

WATCHED = 0.5  # seconds between two looks of a person
UNWATCHED = 30.0  # seconds between two lines of a log


class Progress:
    """A context that shows its title, the time, and how much of `total` is done; nothing unless
    `shown`.

    `unit` is what is counted, in the plural; `counted` is asked how many are done, where nobody
    here is told.
    """

    _open: ClassVar[list["Progress"]] = []

    def __init__(
        self, title: str, total: int = 0, unit: str = "", *, shown: bool = True,
        counted: Callable[[], int] | None = None,
    ) -> None:  # fmt: skip
        self.title = title
        self.total = total
        self.unit = unit
        self.shown = shown
        self.done = 0
        self._counted = counted
        self._begun = time.monotonic()
        self._begun_at = 0
        self._width = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._tell, daemon=True)

    def count(self, done: int) -> None:
        """So many are done by now."""
        self.done = done

    def starts_at(self, done: int) -> None:
        """So many were done before this began: they do not count for the speed."""
        self.done = self._begun_at = done

    def __enter__(self) -> "Progress":
        if self.shown:
            self._open.append(self)
            self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.shown:
            self._over.set()
            self._thread.join()
            self._open.remove(self)
            if self._open:  # what goes on now has waited meanwhile
                self._open[-1]._begun += time.monotonic() - self._begun
            if self._width:
                self._write("\r" + " " * self._width + "\r")

    def _tell(self) -> None:
        watched = is_watched()
        while not self._over.wait(WATCHED if watched else UNWATCHED):
            if self._open[-1] is not self:
                continue
            if watched:
                line = self.line()[: shutil.get_terminal_size().columns - 1]
                self._write("\r" + line.ljust(self._width))
                self._width = len(line)
            else:
                self._write(self.line() + "\n")

    def line(self) -> str:
        """`simulating digits_cnn: 500 of 1000 images, 0:12, about 0:12 left`."""
        passed = time.monotonic() - self._begun
        parts = [_clock(passed)]
        if self._counted is not None:
            self.done = self._counted()
        if self.total:
            parts.insert(0, f"{self.done} of {self.total} {self.unit}")
            new = self.done - self._begun_at
            if new and self.done < self.total:
                parts.append(f"about {_clock(passed / new * (self.total - self.done))} left")
        return f"{self.title}: {', '.join(parts)}"

    @staticmethod
    def _write(text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()


def is_watched() -> bool:
    """Whether a person sees standard error as it is written: a terminal, or a notebook."""
    return sys.stderr.isatty() or type(sys.stderr).__module__.startswith("ipykernel.")


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
