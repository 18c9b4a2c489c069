"""A threaded HTTP server on the loopback address, for the gateway, the report and the emulator."""

import socket
import threading
from collections.abc import Callable
from typing import Any

from werkzeug.serving import WSGIRequestHandler, make_server

from clicklake.local.places import TwinError

HOST = "127.0.0.1"


class SilentHandler(WSGIRequestHandler):
    """No line per request. A client that stops in the middle is dropped after a while."""

    timeout = 30

    def log(self, *_: Any) -> None:
        pass


class HttpServer:
    """Serves a WSGI application on `port` (0: a free one) from a thread, between `start` and `stop`."""

    def __init__(
        self,
        application: Callable[..., Any],
        port: int,
        purpose: str,
        request_handler: type[WSGIRequestHandler] = SilentHandler,
    ) -> None:
        # Bound here: werkzeug would print its own advice on a taken port, and end the process.
        try:
            with socket.create_server((HOST, port), backlog=128) as listening:
                self.port = listening.getsockname()[1]
                self._server = make_server(
                    HOST,
                    self.port,
                    application,
                    threaded=True,
                    request_handler=request_handler,
                    fd=listening.fileno(),
                )
        except (OSError, OverflowError) as error:
            raise TwinError(
                f"Port {port} cannot be used for {purpose} (it is taken, or not allowed): choose another one."
            ) from error
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
