"""A signal stops a program, its children and its sweep with one line and the signal's exit code."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.pipeline.project import environment, heed_all, make_project, stage_command

PROGRAM = """
import subprocess, sys, time
from ann2snn.stopping import watch
watch()
quiet = {{"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}}
child = subprocess.Popen(["sleep", "60"], **quiet)
apart = subprocess.Popen(["sleep", "60"], start_new_session=True, **quiet)
print(child.pid, apart.pid, flush=True)
{work}
"""
WORK = {
    "waiting": "time.sleep(60)",
    "computing": "while True: pass",
    "mistaken": "try: time.sleep(60)\nexcept BaseException: raise KeyError(1)",
    "guarded": "while True:\n    try: time.sleep(60)\n    except Exception: pass",
}
CODES = {"SIGINT": 130, "SIGTERM": 143, "SIGHUP": 129}


def started(work: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(work=work)], env=environment(), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=heed_all,
    )  # fmt: skip


def ended(code: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", code], env=environment(), text=True, capture_output=True,
        check=False, preexec_fn=heed_all,
    )  # fmt: skip


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize(("name", "work"), list(zip([*CODES, "SIGINT"], WORK, strict=True)))
def test_a_signal_ends_a_program_and_its_children_with_one_line(name: str, work: str) -> None:
    process = started(WORK[work])
    assert process.stdout is not None
    child, apart = (int(word) for word in process.stdout.readline().split())
    process.send_signal(getattr(signal, name))
    _, said = process.communicate(timeout=20)
    assert process.returncode == CODES[name]
    assert said == f"stopped by {name}: nothing half done is left; run the same command again\n"
    assert not is_running(child)
    assert is_running(apart), "what has a session of its own outlives its caller"
    os.kill(apart, signal.SIGKILL)


def test_code_that_swallows_every_exception_is_ended_after_a_while() -> None:
    deaf = "import ann2snn.stopping\nwhile True:\n    try: time.sleep(60)\n"
    deaf = deaf.replace("while", "ann2snn.stopping.PATIENCE = 0.3\nwhile")
    process = started(deaf + "    except BaseException: pass")
    assert process.stdout is not None
    _, apart = (int(word) for word in process.stdout.readline().split())
    time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=20)
    os.kill(apart, signal.SIGKILL)
    assert process.returncode == CODES["SIGTERM"]
    assert said.startswith("stopped by SIGTERM, after 0.3 s: ")


def test_a_forked_child_ends_by_its_own_signal_and_its_parent_goes_on() -> None:
    work = (
        "import os, signal\npid = os.fork()\nif pid == 0: time.sleep(10); os._exit(0)\n"
        "time.sleep(0.5)\nos.kill(pid, signal.SIGTERM)\nprint(os.waitpid(pid, 0)[1], flush=True)\n"
        "time.sleep(1)\nchild.kill(); apart.kill()\nsys.exit(7)"
    )
    process = started(work)
    told, said = process.communicate(timeout=20)
    assert told.splitlines()[1] == str(int(signal.SIGTERM))
    assert (process.returncode, said) == (7, "")


def test_a_signal_that_the_caller_ignores_stays_ignored() -> None:
    code = "import signal\nsignal.signal(signal.SIGHUP, signal.SIG_IGN)\n" + PROGRAM
    code = code.format(work="import os; os.kill(os.getpid(), signal.SIGHUP); child.kill()")
    done = subprocess.run(
        [sys.executable, "-c", code + "apart.kill()"],
        env=environment(), check=False, capture_output=True,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("name", CODES)
def test_a_signal_ends_a_program_that_waits_for_its_threads(name: str) -> None:
    """Python joins them after the last line."""
    work = """
import threading
child.kill(); apart.kill()
threading.Thread(target=time.sleep, args=(60,)).start()
"""
    process = started(work)
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(1)
    process.send_signal(getattr(signal, name))
    process.communicate(timeout=20)
    assert process.returncode == CODES[name]


IGNORED = {
    "a call from C": "ctypes.CFUNCTYPE(None)(stop)()",
    "an object that goes": "class Going:\n        def __del__(self): stop()\n    Going()",
    "a reference to it": "one = set()\n    ref = weakref.ref(one, stop)\n    del one",
    "a collection": "gc.callbacks.append(stop)\n    gc.collect()",
}


@pytest.mark.parametrize("call", IGNORED)
@pytest.mark.parametrize("name", CODES)
def test_a_stop_where_python_ignores_exceptions_is_told_in_one_line(name: str, call: str) -> None:
    code = f"""
import ctypes, gc, os, signal, weakref
from ann2snn.errors import errors_are_told
from ann2snn.stopping import watch
watch()
def stop(*_): os.kill(os.getpid(), signal.{name})
with errors_are_told():
    {IGNORED[call]}
"""
    done = ended(code)
    assert done.returncode == CODES[name]
    assert done.stderr == (
        f"stopped by {name}: nothing half done is left; run the same command again\n"
    )


@pytest.mark.parametrize("name", CODES)
def test_a_signal_among_the_last_calls_of_other_code_changes_nothing(name: str) -> None:
    """Torch looks at times when Python ends, and so do others."""
    code = f"""
import atexit, os, signal
from ann2snn.stopping import watch
watch()
def last():
    os.kill(os.getpid(), signal.{name})
    print("done", flush=True)
atexit.register(last)
"""
    done = ended(code)
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")


@pytest.mark.parametrize("name", CODES)
def test_a_signal_that_comes_when_all_is_done_changes_nothing(name: str) -> None:
    """Python gives signals back to the system before it takes itself apart."""
    work = """
import builtins
class Last:
    time = time
    def __del__(self): self.time.sleep(3)
builtins.last = Last()
child.kill(); apart.kill()
print("done", flush=True)
"""
    process = started(work)
    assert process.stdout is not None
    assert [process.stdout.readline() for _ in range(2)][1] == "done\n"
    time.sleep(1)
    process.send_signal(getattr(signal, name))
    assert process.poll() is None
    assert process.communicate(timeout=20) == ("", "")
    assert process.returncode == 0


def wait_for(project: Path, pattern: str, process: "subprocess.Popen[str]") -> None:
    end = time.monotonic() + 120
    while not list(project.glob(pattern)):
        assert process.poll() is None, pattern
        assert time.monotonic() < end, pattern
        time.sleep(0.05)


def begun(project: Path, step: str, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        stage_command(step, *arguments, "run.track=false"),
        cwd=project, env=environment(), start_new_session=True, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=heed_all,
    )  # fmt: skip


def processes_in(project: Path) -> list[str]:
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if Path(entry / "cwd").readlink() == project:
                found.append(entry.name)
        except OSError:
            continue
    return found


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("SIGTERM", []),
        pytest.param(
            "SIGINT", ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2"],
            marks=pytest.mark.system,
        ),
    ],
)  # fmt: skip
def test_a_sweep_that_trains_stops_as_a_whole_and_tells_its_table(
    name: str, more: list[str], tmp_path: Path
) -> None:
    project = make_project(tmp_path / "project").resolve()
    seeds = ["-m", "run.name=s", "ann.epochs=500", "ann.seed=1,2"]
    process = begun(project, "ann", *seeds, *more)
    wait_for(project, "store/ann/*.partial/last.ckpt", process)
    os.killpg(process.pid, getattr(signal, name))
    told, said = process.communicate(timeout=60)
    assert process.returncode == CODES[name], said
    assert "2 of 2 points are not done; the same command goes on with them" in told
    assert said.splitlines()[-1].startswith(f"stopped by {name}: finished results, epochs")
    assert "Traceback" not in said
    content = json.loads((project / "store" / "sweeps" / "s" / "sweep.json").read_text())
    states = {point["status"] for point in content["points"]}
    assert states <= ({"begun", "missing"} if more else {"stopped", "missing"})
    assert processes_in(project) == []
    if not more:  # a worker that takes longer than CHILDREN to end is killed, and its folder stays
        assert not list(project.glob("store/*/*.new"))


SIGNALLED = """
import os, signal
from torch import nn

def signalled():
    os.kill(os.getpid(), signal.SIGTERM)

class Ear:
    def __del__(self):  # Python passes over the exceptions of such a call
        signalled()

def deaf():
    Ear()

def mistaken():  # as importlib is, in the midst of an import
    try:
        signalled()
    except BaseException:
        raise KeyError(1)

class Net(nn.Sequential):
    heard = False

    def forward(self, images):
        if self.training and not Net.heard:
            Net.heard = True
            {call}()
        return super().forward(images)

def make(shape, classes):
    return Net(nn.Flatten(), nn.Linear(shape[0] * shape[1] * shape[2], classes))
"""


@pytest.mark.parametrize("call", ["deaf", "mistaken"])
@pytest.mark.parametrize("sweep", [[], ["-m", "run.name=s", "ann.seed=1,2"]])
def test_a_signal_to_which_other_code_has_its_own_answer_stops_a_training_all_the_same(
    sweep: list[str], call: str, tmp_path: Path
) -> None:
    project = make_project(tmp_path / "project")
    (project / "nets.py").write_text(SIGNALLED.format(call=call), encoding="utf-8")
    process = begun(project, "ann", *sweep, "data=digits", "ann.network=nets:make", "ann.epochs=2")
    told, said = process.communicate(timeout=60)
    assert process.returncode == CODES["SIGTERM"], said
    assert said.splitlines()[-1].startswith("stopped by SIGTERM: finished results, epochs")
    assert "KeyError" not in said
    if sweep:
        assert "2 of 2 points are not done; the same command goes on with them" in told
        content = json.loads((project / "store" / "sweeps" / "s" / "sweep.json").read_text())
        assert [point["status"] for point in content["points"]] == ["stopped", "missing"]


def test_a_worker_of_a_sweep_that_waits_for_its_first_point_ends_with_its_driver() -> None:
    code = (
        "import os, signal, time\nfrom joblib import Parallel, delayed\n"
        "from ann2snn.sweep.launchers import _bind_workers\n_bind_workers()\n"
        "pool = Parallel(2, backend='loky', return_as='generator')\n"
        "print(*pool(delayed(os.getpid)() for _ in range(2)), flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment(), check=False, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr
    workers = {int(word) for word in done.stdout.split()}
    assert workers
    assert not [worker for worker in workers if is_running(worker)]
