import http.server
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ann2snn.tracking import answers, live
from ann2snn.tracking.answers import Bounded, TrackingUnavailableError, within
from ann2snn.tracking.live import live_training
from ann2snn.tracking.server import place_of
from ann2snn.tracking.sync import sync
from tests.tracking.project_with_results import ann_record, make_project

Handler = http.server.BaseHTTPRequestHandler
RECORD = ann_record()


@contextmanager
def answering(answer: Callable[[Handler], None]) -> Iterator[str]:
    """A server whose health is well, and that answers all else by `answer`."""

    class Answers(Handler):
        def do_GET(self) -> None:  # noqa: N802
            self.rfile.read(int(self.headers.get("content-length") or 0))
            if self.path == "/health":
                self.send_response(200)
                self.end_headers()
            else:
                answer(self)

        do_POST = do_GET  # noqa: N815

        def log_message(self, *given: object) -> None:
            """Is silent."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def is_silent(handler: Handler) -> None:
    time.sleep(6)


def drips(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("content-length", "1000")
    handler.end_headers()
    for _ in range(30):
        try:
            handler.wfile.write(b" ")
        except OSError:
            return
        time.sleep(0.2)


def of_status(status: int, content: bytes = b"OK") -> Callable[[Handler], None]:
    def answer(handler: Handler) -> None:
        handler.send_response(status)
        handler.send_header("content-length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    return answer


@pytest.fixture
def records(tmp_path: Path) -> Path:
    return make_project(tmp_path / "project")


@pytest.mark.parametrize("answer", [is_silent, drips])
def test_a_server_that_is_silent_or_drips_holds_no_work(
    answer: Callable[[Handler], None], records: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setattr(answers, "PROBE_WITHIN", 0.5)
    started = time.monotonic()
    with answering(answer) as host:
        with pytest.raises(TrackingUnavailableError, match=r"timed out|not within 0\.5 s"):
            sync(records, f"http://{host}")
        with live_training(
            records, RECORD.key, RECORD.description, RECORD.settings, f"http://{host}"
        ) as on_epoch:
            on_epoch(1, {"train_loss": 1.0})
    assert time.monotonic() - started < 4
    assert capsys.readouterr().err.startswith("no live curves in MLflow: MLflow at http://127")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (of_status(500), "answers with the error 500"),
        (of_status(401), "does not accept the user name and password"),
        (of_status(403), "does not permit this to the user"),
        (of_status(200, b"<html>"), "answers, but not as MLflow does"),
    ],
)
def test_what_is_wrong_is_told_by_its_kind_and_without_the_password(
    answer: Callable[[Handler], None], words: str, records: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    with answering(answer) as host, pytest.raises(TrackingUnavailableError, match=words) as told:
        sync(records, f"http://user:SECRET@{host}")
    assert "SECRET" not in str(told.value) + capsys.readouterr().err
    assert str(told.value).startswith(f"MLflow at http://{host} ")


def test_a_password_goes_to_no_host_that_a_server_redirects_to(
    records: Path,
) -> None:
    heard: list[str | None] = []

    def listens(handler: Handler) -> None:
        heard.append(handler.headers.get("authorization"))
        of_status(200, b"{}")(handler)

    with answering(listens) as other:

        def redirects(handler: Handler) -> None:
            handler.send_response(302)
            handler.send_header("location", f"http://{other}/elsewhere")
            handler.end_headers()

        with answering(redirects) as host:
            place = place_of(records, f"http://user:SECRET@{host}")
            with place.signed_in():
                answers.require_answer(place.uri)
    assert heard == [None]


def test_a_password_is_taken_from_the_address_and_kept_out_of_sight() -> None:
    with pytest.raises(ValueError, match="write / as %2F") as told:
        place_of(Path("/x"), "https://me:p%40ss/word@host:5000/mlflow/")
    assert "p%40ss" not in str(told.value)
    place = place_of(Path("/x"), "https://me:p%40ss%2Fw@host:5000/mlflow/")
    assert place.uri == "https://host:5000/mlflow"
    assert place.credentials == ("me", "p@ss/w")
    assert "p@ss" not in repr(place)


def test_a_call_ends_within_its_time_and_passes_on_what_is_given_and_raised() -> None:
    class Client:
        def slow(self) -> None:
            time.sleep(5)

        def nothing(self) -> None:
            return None

        def wrong(self) -> None:
            raise KeyError("x")

    client = Bounded(Client(), "http://h", 0.2)
    with pytest.raises(TrackingUnavailableError, match=r"http://h does not answer \(not within"):
        client.slow()
    assert client.nothing() is None
    with pytest.raises(KeyError):
        client.wrong()
    assert within(1, "http://h", lambda: 3) == 3
    assert live.LIVE_WITHIN <= 10
