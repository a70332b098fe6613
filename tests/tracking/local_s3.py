"""A real S3 server on a free port of this machine, and what MLflow needs to use it."""

import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.tracking.local_server import free_port

NO_S3 = (
    "boto3 or moto is not installed: pip install --target FOLDER 'moto[s3]', and FOLDER on"
    " PYTHONPATH"
)
BUCKET = "bucket"
ROOT = f"s3://{BUCKET}/runs"
SECRET = "a-secret-of-the-tests"
DIRECT = ("--no-serve-artifacts", "--default-artifact-root", ROOT)
PROXIED = ("--artifacts-destination", ROOT)


class S3:
    """The server, which can go away and come back with all it has, and a client of it."""

    def __init__(self) -> None:
        boto3 = pytest.importorskip("boto3", reason=NO_S3)
        moto = pytest.importorskip("moto.server", reason=NO_S3)
        port = free_port()
        self.uri = f"http://127.0.0.1:{port}"
        self.environment = {
            "MLFLOW_S3_ENDPOINT_URL": self.uri,
            "AWS_ACCESS_KEY_ID": "a-key",
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        self._server = moto.ThreadedMotoServer("127.0.0.1", port, verbose=False)
        self._client = boto3.client(
            "s3", endpoint_url=self.uri, region_name="us-east-1",
            aws_access_key_id="a-key", aws_secret_access_key=SECRET,
        )  # fmt: skip

    def start(self) -> None:
        self._server.start()

    def stop(self) -> None:
        self._server.stop()

    def ask(self, action: str, content: bytes = b"") -> None:
        """Has moto do `action`, such as reset all or check keys after so many more calls."""
        words = {"content-type": "text/plain"}
        address = f"{self.uri}/moto-api/{action}"
        urllib.request.urlopen(
            urllib.request.Request(address, content, words, method="POST")
        ).close()

    def make_bucket(self) -> None:
        self._client.create_bucket(Bucket=BUCKET)

    def names(self) -> list[str]:
        """What the bucket has."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
        return [found["Key"] for page in pages for found in page.get("Contents", [])]

    def content(self, name: str) -> bytes:
        body: Any = self._client.get_object(Bucket=BUCKET, Key=name)["Body"]
        read: bytes = body.read()
        return read


@contextmanager
def s3_server() -> Iterator[S3]:
    """Skips where boto3 or moto is not installed."""
    server = S3()
    server.start()
    server.ask("reset")
    try:
        yield server
    finally:
        server.stop()
