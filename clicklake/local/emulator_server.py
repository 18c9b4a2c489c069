"""The emulator's process: moto's server with a Glue catalog that keeps Iceberg's promises.

Started by emulator.py as `python -m clicklake.local.emulator_server PORT`. Prints its port once it
listens. It ends when its standard input closes, so it never outlives the process that started it,
however that one ended.
"""

import os
import signal
import sys
import threading
from typing import Any

import moto.backends
from moto.core.exceptions import JsonRESTError
from moto.glue.models import GlueBackend
from moto.glue.responses import GlueResponse
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app

from clicklake.local.http_server import HttpServer
from clicklake.local.places import TwinError


class ConcurrentModificationException(JsonRESTError):
    code = 400

    def __init__(self, table: str, expected: str, found: str) -> None:
        super().__init__(
            "ConcurrentModificationException",
            f"Table {table} is at version {found}, the update was made for version {expected}.",
        )


def keep_table_versions(backend: type[GlueBackend] = GlueBackend, response: type[GlueResponse] = GlueResponse) -> None:
    """Makes UpdateTable compare VersionId and swap under a lock, as Glue does.

    Stock moto ignores VersionId: of two Iceberg commits released together one would be lost.
    """
    lock = threading.Lock()
    stock_update_table = response.update_table
    stock_get_table = backend.get_table

    def update_table(self: GlueResponse) -> Any:
        expected = self.parameters.get("VersionId")
        with lock:
            name = (self.parameters.get("TableInput") or {}).get("Name")
            table = stock_get_table(self.glue_backend, self.parameters.get("DatabaseName"), name)
            found = table.as_dict()["VersionId"]
            if expected is not None and str(expected) != found:
                raise ConcurrentModificationException(name, str(expected), found)
            answer = stock_update_table(self)
            if self.parameters.get("SkipArchive"):
                table.delete_version(found)
            return answer

    response.update_table = update_table


def remember_moto_modules() -> None:
    """Stock moto lists its own folder for every request: a third of a PUT's time."""
    names = tuple(moto.backends.list_of_moto_modules())
    moto.backends.list_of_moto_modules = lambda: names


class RequestHandler(MotoRequestHandler):
    def log(self, *_: Any) -> None:
        """No line per request."""


def serve(port: int) -> None:
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    keep_table_versions()
    remember_moto_modules()
    server = HttpServer(DomainDispatcherApplication(create_backend_app), port, "the emulator", RequestHandler)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    server.start()
    print(server.port, flush=True)
    threading.Event().wait()


def _end_with_parent() -> None:
    while sys.stdin.buffer.read(4096):
        pass
    os._exit(0)


if __name__ == "__main__":
    try:
        serve(int(sys.argv[1]))
    except TwinError as error:
        sys.exit(str(error))
