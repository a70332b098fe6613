"""Answers of an MLflow server: none within the time, of a wrong kind, or to others only.

The timeouts of HTTP clients count from byte to byte, so that a server that drips holds them for
ever. Here a call as a whole has a deadline: it runs in a thread of its own, which is left behind.
"""

import base64
import json
import os
import re
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from http import HTTPStatus
from http.client import HTTPException
from typing import Any

PROBE_WITHIN = 10.0
CALL_WITHIN = 40.0
REFUSALS = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
SIGNS = r"(\w+://)?[^\s\"']*@"  # with the scheme before them, which stays
LEFT_BEHIND: list[threading.Thread] = []
"""Calls that were given up at their deadline. Python would wait for the pools that they began."""
LATER = "results stay in the records, python -m ann2snn.tracking sends them later"


class TrackingUnavailableError(ConnectionError):
    """The MLflow server or store cannot be used; results stay in their records."""


class Bounded:
    """A client all whose calls end within `seconds`, whatever the server does."""

    def __init__(self, client: Any, uri: str, seconds: float = CALL_WITHIN) -> None:
        self._client, self._uri, self._seconds = client, uri, seconds

    def with_seconds(self, seconds: float) -> "Bounded":
        """The same client with another deadline."""
        return Bounded(self._client, self._uri, seconds)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._client, name)
        return lambda *given, **named: within(
            self._seconds, self._uri, lambda: method(*given, **named)
        )


def within(
    seconds: float, uri: str, action: Callable[[], Any], fault: str = "does not answer"
) -> Any:
    """What `action` gives or raises.

    Raises:
        TrackingUnavailableError: it has not ended after so many seconds; the message has `fault`.
    """
    outcome: list[Any] = []
    failed: list[BaseException] = []

    def act() -> None:
        try:
            outcome.append(action())
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=act, daemon=True)
    thread.start()
    thread.join(seconds)
    if failed:
        raise failed[0]
    if not outcome:
        LEFT_BEHIND.append(thread)
        raise unavailable(uri, f"{fault} (not within {round(seconds, 1):g} s)")
    return outcome[0]


def require_answer(uri: str) -> None:
    """Passes if the server at `uri` answers a question of MLflow's.

    Raises:
        TrackingUnavailableError: it does not; one line, with the cure.
    """
    question = f"{uri}/api/2.0/mlflow/experiments/search?max_results=1"
    request = urllib.request.Request(question)  # noqa: S310
    signature = _signature()
    for name, value in signature.items():  # of this server alone, wherever it redirects to
        request.add_unredirected_header(name, value)
    try:
        json.loads(within(PROBE_WITHIN, uri, lambda: _read(request)))
    except TrackingUnavailableError:
        raise
    except urllib.error.HTTPError as error:
        if error.code in REFUSALS and not signature:
            return  # MLflow's client has other ways to sign in: a file, plugins
        raise unavailable(uri, fault_of_status(error.code)) from error
    except (OSError, HTTPException) as error:
        reason = str(getattr(error, "reason", "")) or reason_of(error)
        raise unavailable(uri, f"does not answer ({reason})") from error
    except ValueError as error:
        raise unavailable(uri, "answers, but not as MLflow does") from error


def _read(request: urllib.request.Request) -> bytes:
    try:
        with urllib.request.urlopen(request, timeout=PROBE_WITHIN) as answer:  # noqa: S310
            content: bytes = answer.read()
    except urllib.error.HTTPError as error:
        error.close()
        raise
    return content


def _signature() -> dict[str, str]:
    """The header by which MLflow's client would sign in."""
    name = os.environ.get("MLFLOW_TRACKING_USERNAME")
    password = os.environ.get("MLFLOW_TRACKING_PASSWORD")
    token = os.environ.get("MLFLOW_TRACKING_TOKEN")
    if name and password:
        signs = base64.b64encode(f"{name}:{password}".encode()).decode()
        return {"Authorization": f"Basic {signs}"}
    return {"Authorization": f"Bearer {token}"} if token else {}


def fault_of_status(status: int) -> str:
    """What is wrong where a server answers with this HTTP status."""
    if status == HTTPStatus.UNAUTHORIZED:
        return (
            "does not accept the user name and password: give them as http://user:password@host"
            " in MLFLOW_TRACKING_URI, or as MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"
        )
    if status == HTTPStatus.FORBIDDEN:
        return "does not permit this to the user"
    return f"answers with the error {status}"


def unavailable(uri: str, fault: str) -> TrackingUnavailableError:
    return TrackingUnavailableError(f"MLflow at {uri} {fault}; {LATER}")


def told_of(uri: str, error: Exception) -> TrackingUnavailableError:
    """An error of MLflow's client, of its database or of the network, in one line."""
    status = getattr(error, "get_http_status_code", lambda: 0)()
    if status in REFUSALS:
        return unavailable(uri, fault_of_status(status))
    return unavailable(uri, f"cannot be used ({reason_of(error)})")


def reason_of(error: BaseException) -> str:
    """An error's message in one line, or its kind where it has none; without the user names and
    passwords of addresses in it."""
    lines = str(error).strip().splitlines()
    return re.sub(SIGNS, r"\1", lines[0]) if lines else type(error).__name__
