import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ann2snn.tracking import answers, live
from ann2snn.tracking.answers import Bounded, TrackingUnavailableError, within
from ann2snn.tracking.live import live_training
from ann2snn.tracking.server import place_of
from ann2snn.tracking.sync import sync
from tests.tracking.faulty_server import Handler, answering, drips, is_silent, of_status
from tests.tracking.project_with_results import ann_record, make_project

RECORD = ann_record()


@pytest.fixture
def records(tmp_path: Path) -> Path:
    return make_project(tmp_path / "project")


@pytest.mark.timed
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


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (
            'endpoint "http://me:SEC/RET@host:9/bucket" is off',
            'endpoint "http://host:9/bucket" is off',
        ),
        ("Invalid endpoint: me:SECRET@host", "Invalid endpoint: host"),
        ("no such thing", "no such thing"),
    ],
)
def test_a_reason_has_no_password_of_an_address_in_it(words: str, shown: str) -> None:
    assert answers.reason_of(ValueError(f"{words}\nSECRET")) == shown


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
