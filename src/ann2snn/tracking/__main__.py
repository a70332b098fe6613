"""`python -m ann2snn.tracking` sends the results of this folder to MLflow; `... ui` shows them."""

import argparse
import os
import sys
from pathlib import Path

from ann2snn.errors import require_memory, told
from ann2snn.stopping import stops_stay_stops
from ann2snn.tracking.sync import sync
from ann2snn.tracking.ui import ui

FAILED = 1


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
        require_memory()
        with stops_stay_stops():
            if chosen.action == "ui":
                sys.exit(ui(Path.cwd(), chosen.port, chosen.uri))
            print(sync(Path.cwd(), chosen.uri))
    except Exception as error:
        reason = told(error)
        if reason is None:
            raise
        print(f"error: {reason}", file=sys.stderr, flush=True)
        os._exit(FAILED)  # threads left behind at a deadline may have pools, which Python waits for


if __name__ == "__main__":
    main()
