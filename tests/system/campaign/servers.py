"""MLflow servers that refuse, answer wrongly, hang, or die while they are used."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.system.campaign.calm import SYNC, compared, copied
from tests.system.campaign.cases import Told
from tests.system.campaign.faults import ENDS_WITHIN
from tests.system.campaign.mlflow_state import state_of
from tests.system.campaign.stops import begun, ended, repeated, take_results
from tests.tracking.faulty_server import Handler, answering, drips, of_status
from tests.tracking.local_server import Server, free_port

LIVE = ["run.track=true", "run.publish=digits"]
"""A training whose curves go to MLflow as it runs, and that sends nothing afterwards."""


def hangs(handler: Handler) -> None:
    time.sleep(60)


def cuts(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("content-length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"experi')
    handler.close_connection = True


def is_gibberish(handler: Handler) -> None:
    handler.wfile.write(b"\x00\xff no HTTP at all\r\n\r\n")
    handler.close_connection = True


ANSWERS: tuple[Callable[[Handler], None] | None, ...] = (
    None, of_status(500), hangs, drips, cuts, is_gibberish, of_status(401), of_status(200, b"[]"),
    of_status(503), of_status(200, b"{}"),
)  # fmt: skip


@contextmanager
def faulty(answer: Callable[[Handler], None] | None) -> Iterator[str]:
    """The address of a server that answers so, or of a port where none listens."""
    if answer is None:
        yield f"http://127.0.0.1:{free_port()}"
    else:
        with answering(answer) as host:
            yield f"http://{host}"


def server_fault(draw: random.Random, place: Path, calm: Path) -> Told:
    """A server that was never well, for a sync or a training, or one that dies under a sync."""
    number: int = draw.number  # type: ignore[attr-defined]
    if number % 3 == 2:
        yield from _died(draw, place, calm)
        return
    name = (SYNC, "ann")[number % 3]
    answer = ANSWERS[number // 3 % len(ANSWERS)]
    copied(calm, place)
    take_results(draw, place, name)
    words = f"{name} with {getattr(answer, '__qualname__', 'no server')}"
    with faulty(answer) as address:
        more = LIVE if name == "ann" else []
        process = begun(place, name, *more, MLFLOW_TRACKING_URI=address)
        code, said = ended(process, ENDS_WITHIN)
    words += f" {number}: {code}: {said[-1500:]}"
    if code is None:
        yield "hung", words
    elif "Traceback" in said:
        yield "tracebacks", words
    elif name == SYNC and (code != 1 or said.count("error: MLflow at ") != 1):
        yield "silently wrong", words
    elif name == "ann" and (code != 0 or said.count("no live curves in MLflow: ") != 1):
        yield "lost", words
    if name == SYNC:
        yield from repeated(place, calm, name, words)
    else:
        yield from compared(place, calm, name, words)


def _died(draw: random.Random, place: Path, calm: Path) -> Told:
    """A real server is killed in the midst of a sync; it starts again, and so does the sync."""
    copied(calm, place)
    home = place / "server"
    kept = ["--artifacts-destination", str(home / "kept")]
    with Server(home, "--backend-store-uri", f"sqlite:///{home}/db", *kept) as server:
        process = begun(place, SYNC, MLFLOW_TRACKING_URI=server.uri)
        wanted, end = draw.randrange(1, 11), time.monotonic() + ENDS_WITHIN
        while process.poll() is None and time.monotonic() < end:
            if len(state_of(place, home / "db", home / "kept")) >= wanted:
                break
            time.sleep(0.05)
        time.sleep(draw.choice((0.0, 0.1, 0.5)))
        server.kill()
        code, said = ended(process, ENDS_WITHIN)
        words = f"a server that died after {wanted} runs: {code}: {said[-1500:]}"
        if code is None:
            yield "hung", words
        elif "Traceback" in said:
            yield "tracebacks", words
        elif code != 0 and said.count("error: MLflow at ") != 1:
            yield "silently wrong", words
        server.start()
        code, said = ended(begun(place, SYNC, MLFLOW_TRACKING_URI=server.uri), ENDS_WITHIN)
        if code != 0:
            yield "lost", f"{words}; again: {code}: {said[-1500:]}"
            return
    yield from compared(place, calm, SYNC, words, state_of(place, home / "db", home / "kept"))
