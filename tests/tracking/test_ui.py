"""The server of the pages ends with the command that started it."""

import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.pipeline.project import environment, heed_all
from tests.tracking.local_server import free_port

WITHIN = 60.0  # seconds


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_server_with_one_line(number: signal.Signals, tmp_path: Path) -> None:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "ann2snn.tracking", "ui", "--port", str(port)],
        cwd=tmp_path, env=environment(), text=True, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        preexec_fn=heed_all,
    )  # fmt: skip
    end = time.monotonic() + WITHIN
    while not listens(port):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.1)
    process.send_signal(number)
    _, said = process.communicate(timeout=WITHIN)
    assert process.returncode == 128 + number
    line = f"stopped by {number.name}: the pages are no longer served"
    assert re.search(rf"^{line}$", said, re.MULTILINE), said
    assert not listens(port)
