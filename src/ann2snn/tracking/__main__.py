"""`python -m ann2snn.tracking` sends the results of this folder to MLflow; `... ui` shows them."""

import argparse
import os
import sys
from pathlib import Path

from ann2snn.errors import errors_are_told, require_memory
from ann2snn.tracking.answers import LEFT_BEHIND
from ann2snn.tracking.sync import sync
from ann2snn.tracking.ui import ui


def main() -> None:
    """Exits with 1 and one line if a store, a server or a record cannot be used."""
    parser = argparse.ArgumentParser(
        description="Send the results of this folder to MLflow, or show them."
    )
    parser.add_argument("action", nargs="?", choices=("sync", "ui"), default="sync")
    parser.add_argument("--uri", help="the MLflow store (else MLFLOW_TRACKING_URI, else mlflow.db)")
    parser.add_argument("--port", type=int, default=5000, help="of the UI on 127.0.0.1")
    chosen = parser.parse_args()
    try:
        with errors_are_told():
            require_memory()
            if chosen.action == "ui":
                sys.exit(ui(Path.cwd(), chosen.port, chosen.uri))
            print(sync(Path.cwd(), chosen.uri))
    except SystemExit as end:
        _end_now(int(end.code or 0))
        raise


def _end_now(code: int) -> None:
    """Ends the program without waiting for calls that were given up, if there are any."""
    if any(thread.is_alive() for thread in LEFT_BEHIND):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
