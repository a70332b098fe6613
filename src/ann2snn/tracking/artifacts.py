"""Artifacts, where a run keeps them: beside a sqlite file, else where the server says."""

import importlib
import tempfile
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from ann2snn.numerics.atomic_files import whole_file
from ann2snn.tracking.answers import (
    CALL_WITHIN,
    TrackingUnavailableError,
    reason_of,
    require_answer,
    unavailable,
    within,
)
from ann2snn.tracking.server import Place

Files = dict[str, bytes | Path]  # artifacts by name: their content, or where it is
DRIVERS = {"s3": ("boto3", "boto3"), "gs": ("google.cloud.storage", "google-cloud-storage")}
"""By the scheme of artifacts, what MLflow's client brings them with: a module, and its package."""
SLOWEST = 100_000  # bytes a second, of an upload that is not given up


def send_files(place: Place, run: Any, files: Files) -> None:
    """Puts artifacts where the run keeps them.

    Raises:
        TrackingUnavailableError: they are not taken, or in a folder which the server does not see.
    """
    uri: str = run.info.artifact_uri
    put_files(place, uri, files)
    if place.database is None and urllib.parse.urlsplit(uri).scheme in ("", "file"):
        _require_seen(place, run, uri)


def put_files(place: Place, uri: str, files: Files) -> None:
    """Puts artifacts at the URI: each at once or not at all, where that is this machine's.

    No other client can be the reason of a failure, so it is not tried again: the server or the
    store fails, and would fail for each run.

    Raises:
        TrackingUnavailableError: the server is gone, or they are not taken, or not in time.
    """
    if place.database is not None and uri.startswith("file://"):
        _write(files, Path(urllib.request.url2pathname(urllib.parse.urlsplit(uri).path)))
        return
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    parts = urllib.parse.urlsplit(uri)
    fault = "does not take artifacts"
    if parts.netloc:  # of a store that the client itself brings them to
        fault = f"keeps artifacts in {parts.scheme}://{parts.netloc}, which does not take them"
    with tempfile.TemporaryDirectory() as scratch:
        _write(files, Path(scratch))
        size = sum(path.stat().st_size for path in Path(scratch).rglob("*"))
        seconds = CALL_WITHIN + size / SLOWEST
        try:
            kept = get_artifact_repository(uri, tracking_uri=place.uri)
            within(seconds, place.uri, lambda: kept.log_artifacts(scratch), fault)
        except OSError:
            raise
        except Exception as error:  # each kind of store raises errors of its own
            if place.database is None:
                require_answer(place.uri)
            reason = reason_of(error).replace(f"{scratch}/", "")
            raise unavailable(place.uri, f"{fault} ({reason})") from error


def require_driver(place: Place, location: str) -> None:
    """Passes if the package is installed by which MLflow's client reaches artifacts at `location`.

    Raises:
        TrackingUnavailableError: it is not.
    """
    scheme = urllib.parse.urlsplit(location).scheme
    if scheme not in DRIVERS:
        return
    module, package = DRIVERS[scheme]
    try:
        importlib.import_module(module)
    except ImportError as error:
        raise unavailable(
            place.uri,
            f"keeps artifacts in {location}, for which {package} is not installed here: pip install"
            f" {package}",
        ) from error


def _write(files: Files, folder: Path) -> None:
    for name, file in files.items():
        with whole_file(folder / name) as unfinished:
            unfinished.write_bytes(file if isinstance(file, bytes) else file.read_bytes())


def _require_seen(place: Place, run: Any, uri: str) -> None:
    """Passes if the server finds a file that was just written into the folder it named: on another
    machine it is another folder of the same name."""
    from mlflow.utils.credentials import get_default_host_creds
    from mlflow.utils.rest_utils import http_request, verify_rest_response

    path = "/api/2.0/mlflow/artifacts/list"
    signs, asked = get_default_host_creds(place.uri), {"run_id": run.info.run_id}
    answer = within(CALL_WITHIN, place.uri, lambda: http_request(signs, path, "GET", params=asked))
    if not verify_rest_response(answer, path).json().get("files"):
        raise TrackingUnavailableError(
            f"MLflow at {place.uri} keeps artifacts in its own folder {uri}, which is not this"
            " machine's: share it, or start the server with --serve-artifacts"
        )
