"""A real MLflow server over a folder's store, on a free port of this machine."""

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of `python -m ann2snn.tracking ui` started in `folder`; stopped afterwards."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {name: text for name, text in os.environ.items() if name != "MLFLOW_TRACKING_URI"}
    with subprocess.Popen(
        [sys.executable, "-m", "ann2snn.tracking", "ui", "--port", str(port)],
        cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        uri = f"http://127.0.0.1:{port}"
        try:
            wait_for(uri, process)
            yield uri
        finally:
            process.terminate()
            process.wait(30)


def wait_for(uri: str, process: subprocess.Popen[bytes], seconds: float = 120) -> None:
    """Waits until the server answers."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert process.poll() is None, "the server has ended"
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{uri}/health", timeout=5):
            return
        time.sleep(0.2)
    raise TimeoutError(f"{uri} does not answer in {seconds:g} s")
