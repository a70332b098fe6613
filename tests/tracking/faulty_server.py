"""A server on this machine that answers wrongly, slowly or not at all."""

import http.server
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Handler = http.server.BaseHTTPRequestHandler


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

        do_POST = do_PUT = do_GET  # noqa: N815

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
