"""What a signal that asks the program to stop does: one place decides it for every command.

SIGINT (Ctrl-C), SIGTERM and SIGHUP raise `Stopped` where the program is, whose children get SIGTERM
first. It is no `Exception`, so what guards against faults lets it through: Lightning, Hydra and
joblib clean up and hand it on. One line tells what is kept, and the exit code is 128 and the
signal's number: 130, 143, 129. A signal that the caller ignores (`nohup`) stays ignored.
"""

import atexit
import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import FrameType, TracebackType
from typing import Any

SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
PATIENCE = 15.0
"""Seconds for a tidy end. All files appear whole or not at all, so a hard end loses no more."""
ONE_REQUEST = 2.0
"""Seconds in which more signals are the same request: a terminal that closes sends several."""
CHILDREN = 5.0
"""Seconds in which children end after SIGTERM; then they are killed."""
NOTHING_KEPT = "nothing half done is left; run the same command again"


class Stopped(BaseException):
    """The program was asked to stop by the signal `number`."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number

    def __str__(self) -> str:
        return f"stopped by {signal.Signals(self.number).name}"


@dataclass
class _Watch:
    """The handler of this process, and what it has seen."""

    kept: str = NOTHING_KEPT
    owner: int = field(default_factory=os.getpid)
    asked: float | None = None
    stop: Stopped | None = None
    children: list[Any] = field(default_factory=list)
    bell: int = -1

    def install(self) -> None:
        ears, self.bell = os.pipe()
        threading.Thread(target=_end_after_all, args=(ears, self), daemon=True).start()
        for number in SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self.handle)
        sys.excepthook, sys.unraisablehook = self.excepthook, self.unraisablehook
        atexit.register(_ignore_signals)

    def handle(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        if os.getpid() != self.owner:  # a forked child, which inherits the handler
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
            return
        if not threading.main_thread().is_alive():  # Python waits for threads, or makes last calls
            if any(not thread.daemon for thread in _others()):
                self.kill_children()
                os._exit(128 + number)
            return
        now = time.monotonic()
        if self.asked is not None:
            if now - self.asked > ONE_REQUEST:  # somebody is in earnest
                self.kill_children()
                os._exit(128 + number)
            return
        self.asked, self.stop = now, Stopped(number)
        os.write(self.bell, bytes([number]))
        self.children = _children()
        for child in self.children:
            _quietly(child.terminate)
        raise self.stop

    def excepthook(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        """Ends the program; what this hook raises becomes Python's own exit code."""
        if not isinstance(error, Stopped):
            if not self.stop or os.environ.get("ANN2SNN_TRACEBACK"):
                sys.__excepthook__(kind, error, trace)
            if not self.stop:
                return
            error = self.stop  # other code has its own answer to the signal
        _say(f"{error}: {self.kept}")
        self.kill_children()
        sys.exit(128 + error.number)

    def unraisablehook(self, unraisable: Any) -> None:
        """Says nothing of a stop in a call whose exceptions Python ignores (of C, or as an object
        goes): `stops_stay_stops` raises it again."""
        if not isinstance(unraisable.exc_value, Stopped):
            sys.__unraisablehook__(unraisable)

    def kill_children(self) -> None:
        """Waits for the children of the signal's time, and kills those that stay."""
        if self.children:
            import psutil

            for child in psutil.wait_procs(self.children, timeout=CHILDREN)[1]:
                _quietly(child.kill)


_watch = _Watch()


def watch() -> None:
    """Lets this process, a program of ours and no user of the library, end by `Stopped`."""
    if _watch.bell < 0 and threading.current_thread() is threading.main_thread():
        _watch.install()


def ask_to_stop(stop: Stopped) -> None:
    """Notes a stop that a handler of its own raises, as one that no other code can take back."""
    _watch.stop = stop


def tell_at_stop(kept: str) -> None:
    """Has the last line after a signal say what is kept and how to go on."""
    _watch.kept = kept


@contextlib.contextmanager
def stops_stay_stops() -> Iterator[None]:
    """Turns whatever other code made of a request to stop back into `Stopped`: importlib raises a
    KeyError if the signal came during an import; a call whose exceptions Python ignores loses it;
    in a worker only Lightning's SIGTERMException is left, and the worker ends as if it were killed.
    """
    try:
        yield
    except (Exception, SystemExit) as error:
        if _watch.stop:
            raise _watch.stop from None
        if type(error).__name__ == "SIGTERMException":
            os._exit(128 + signal.SIGTERM)
        raise
    if _watch.stop:
        raise _watch.stop


def end_with_parent(parent: int) -> None:
    """Lets a worker process end silently at a signal, or when its parent is gone, be it before this
    is called."""
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    threading.Thread(target=_follow, args=(parent,), daemon=True).start()


def _follow(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(128 + signal.SIGTERM)


def _ignore_signals() -> None:
    """The last that runs before Python takes itself apart, and gives signals back to the system:
    one that comes then is too late to stop anything, and would end the program without a word."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _end_after_all(ears: int, asked: _Watch) -> None:
    """Ends the program where the main thread does not: it computes without a look at signals, or
    code that swallows every exception has taken this one."""
    number = os.read(ears, 1)[0]
    time.sleep(PATIENCE)
    _say(f"stopped by {signal.Signals(number).name}, after {PATIENCE:g} s: {asked.kept}")
    for child in asked.children:
        _quietly(child.kill)
    os._exit(128 + number)


def _others() -> list[threading.Thread]:
    """The threads that run beside the main one."""
    return [each for each in threading.enumerate() if each is not threading.main_thread()]


def _children() -> list[Any]:
    """All processes below this one, but for those with a session of their own, such as a sync in
    the background, and those that tidy up after it: these are meant to outlive it."""
    try:
        import psutil
    except ImportError:  # the library alone starts no processes
        return []
    own = os.getsid(0)
    found = []
    with contextlib.suppress(psutil.Error, OSError):
        for child in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.Error, OSError):
                tidies = any("resource_tracker" in word for word in child.cmdline())
                if os.getsid(child.pid) == own and not tidies:
                    found.append(child)
    return found


def _quietly(action: Any) -> None:
    import psutil

    with contextlib.suppress(psutil.Error, OSError):
        action()


def _say(line: str) -> None:
    with contextlib.suppress(OSError, ValueError):  # the terminal may be gone
        sys.stdout.flush()
        print(line, file=sys.stderr, flush=True)
