"""A Slurm cluster of one machine, with its own keys, ports and folders, which ends with its test.

Its node claims CPUS cores, whatever the machine has, so that several jobs run at once.
"""

import contextlib
import getpass
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from tests.tracking.local_server import free_port

PROGRAMS = ("munged", "slurmctld", "slurmd")
PLACES = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
CPUS = 8
CONFIGURATION = """\
ClusterName=one
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmdPort={node}
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=5
SlurmUser={user}
SlurmdUser={user}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
SchedulerParameters=sched_interval=2,bf_interval=2,sched_min_interval=200000
KillWait=10
ReturnToService=2
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
JobAcctGatherType=jobacct_gather/none
MailProg={mail}
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory=64000 State=UNKNOWN
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
PartitionName=cpu Nodes=ALL Default=YES MaxTime=INFINITE State=UP
PartitionName=urgent Nodes=ALL PriorityTier=9 State=UP
"""


@dataclass
class Cluster:
    """The daemons of a cluster, and what one asks of it."""

    folder: Path
    daemons: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """That of whoever uses the cluster."""
        return {**os.environ, "SLURM_CONF": str(self.folder / "slurm.conf")}

    def start(self) -> None:
        for name in ("state", "spool"):
            (self.folder / name).mkdir()
        key = self.folder / "munge.key"
        key.touch(0o600)
        key.write_bytes(os.urandom(1024))
        text = CONFIGURATION.format(
            host=socket.gethostname().partition(".")[0], user=getpass.getuser(), cpus=CPUS,
            folder=self.folder, controller=free_port(), node=free_port(),
            mail=shutil.which("true"),
        )  # fmt: skip
        (self.folder / "slurm.conf").write_text(text, encoding="utf-8")
        self._daemon(
            "munged", "--foreground", "--force", f"--key-file={key}",
            *(f"--{word}-file={self.folder}/munge.{word}" for word in ("pid", "log", "seed")),
            f"--socket={self.folder}/munge.socket",
        )  # fmt: skip
        self._until(lambda: (self.folder / "munge.socket").is_socket())
        self._daemon("slurmctld", "-D")
        self._daemon("slurmd", "-D")
        self._until(lambda: "idle" in self.asked("sinfo", "-h", "-o", "%T"))

    def _daemon(self, name: str, *words: str) -> None:
        program = shutil.which(name, path=PLACES)
        assert program is not None
        with (self.folder / f"{name}.said").open("wb") as said:
            process = subprocess.Popen(
                [program, *words], env=self.environment, stdout=said, stderr=said,
                start_new_session=True,
            )  # fmt: skip
        self.daemons.append(process)

    def _until(self, holds: Callable[[], bool], seconds: float = 30) -> None:
        end = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < end, self.said()
            assert all(daemon.poll() is None for daemon in self.daemons), self.said()
            time.sleep(0.2)

    def said(self) -> str:
        """The last words of the daemons."""
        files = sorted(self.folder.glob("*.said"))
        return "\n".join(f"{file.name}: {file.read_text()[-1500:]}" for file in files)

    def asked(self, *words: str) -> str:
        """What a command of Slurm's answers, whatever its exit code."""
        done = subprocess.run(
            words, env=self.environment, capture_output=True, text=True, check=False, timeout=60
        )
        return done.stdout + done.stderr

    def jobs(self, folder: Path) -> dict[str, tuple[str, str]]:
        """State and reason of every job submitted in a folder that waits or runs, by its number."""
        found = {}
        for line in self.asked("squeue", "-h", "-r", "-o", "%i|%T|%r|%Z").splitlines():
            number, state, why, submitted_in = line.split("|", 3)
            if submitted_in == str(folder.resolve()):
                found[number] = (state, why)
        return found

    def processes(self, **wanted: str) -> list[psutil.Process]:
        """What runs under this cluster's configuration, with these words in its environment."""
        wanted["SLURM_CONF"] = self.environment["SLURM_CONF"]
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if wanted.items() <= process.environ().items():
                    found.append(process)
        return found

    def stop(self) -> None:
        """Ends all jobs, the daemons, and what a daemon left behind."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.asked("scancel", "--signal=KILL", "--full", "--user", getpass.getuser())
            self.asked("scancel", "--user", getpass.getuser())
        for daemon in reversed(self.daemons):
            daemon.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                daemon.wait(10)
        for process in self.processes():
            with contextlib.suppress(psutil.Error):
                process.kill()


@contextlib.contextmanager
def cluster() -> Iterator[Cluster]:
    """A cluster that runs; skips where Slurm is not installed."""
    gone = [name for name in PROGRAMS if shutil.which(name, path=PLACES) is None]
    if gone:
        pytest.skip(f"{', '.join(gone)} not installed: apt-get install slurm-wlm munge")
    with tempfile.TemporaryDirectory(prefix="slurm-", ignore_cleanup_errors=True) as folder:
        own = Cluster(Path(folder))
        try:
            own.start()
            yield own
        finally:
            own.stop()
