"""Files fetched by torchvision's downloader: whole under their name, or not at all."""

import contextlib
import hashlib
import http.client
import socket
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

STALLED = 60.0
"""Seconds without a byte after which a server counts as gone."""


def fetch(addresses: Sequence[str], md5: str, target: Path, by_hand: str) -> None:
    """Puts the file of the first address that gives it, with checksum `md5`, at `target`.

    `by_hand` says what a user may put below DATA_ROOT instead.

    Raises:
        OSError: no address gave it, or it cannot be written.
    """
    from torchvision.datasets.utils import download_url

    failures = []
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".download-") as folder:
            whole = Path(folder) / target.name
            for address in addresses:
                try:
                    with _patience(STALLED):
                        download_url(address, folder, target.name)
                    if md5_of(whole.read_bytes()) == md5:
                        whole.replace(target)
                        return
                    failures.append(f"{address} gives a file without torchvision's checksum")
                except (RuntimeError, OSError, http.client.HTTPException) as error:
                    failures.append(f"{address}: {_one_line(error)}")
                whole.unlink(missing_ok=True)
    except OSError as error:
        failures.append(_one_line(error))
    raise OSError(
        f"{target.name} is not under DATA_ROOT and could not be downloaded:"
        f" {'; '.join(failures)}; try again, or put {by_hand} there"
    )


def md5_of(content: bytes) -> str:
    """The checksum that tells whether a file is the original one: it guards against accidents."""
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


@contextlib.contextmanager
def _patience(seconds: float) -> Iterator[None]:
    """Sockets opened here give up after `seconds` of silence; urllib would wait for ever."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _one_line(error: Exception) -> str:
    return " ".join(f"{error or type(error).__name__}".split())
