"""The web server of `mcqa serve` for results and reports: read-only, and for nothing but what runs have published.

An address is `/RUN/NAME`. The run's id is a random number that only Prefect's UI tells, the name is looked up in what that run
has published, and no part of an address ever becomes part of a path. A page elsewhere cannot read the files by giving this
machine a name of its own (DNS rebinding), because only addresses and this machine's names are accepted as the host. What the
files hold comes from questions and models: nothing in them runs but the report's own script.
"""

import os
import socket
import stat
import sys
import threading
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from socketserver import TCPServer
from typing import BinaryIO, Self
from urllib.parse import quote, unquote_to_bytes, urlsplit
from uuid import UUID

from tasks.evaluation.errors import UserMistake
from tasks.served_files import find_published

# How long a connection may be idle.
IDLE_SECONDS = 30.0
# Each `mcqa serve` takes two ports: this leaves room for a handful side by side.
NEXT_PORTS = 10
LOOPBACK = ("127.0.0.1", "::1", "localhost")
SHOWN = {".html": "text/html; charset=utf-8", ".json": "application/json; charset=utf-8"}
# A browser saves these instead of showing them.
SAVED = {
    ".csv": "text/csv; charset=utf-8",
    ".jsonl": "application/x-ndjson; charset=utf-8",
    ".parquet": "application/vnd.apache.parquet",
    ".xml": "application/xml",
    ".yaml": "application/yaml; charset=utf-8",
}
# A page's own policy allows its script; this one, which comes on top, only says what a page cannot say of itself.
PAGE_POLICY = "frame-ancestors 'none'; base-uri 'none'; form-action 'none'; object-src 'none'"
FILE_POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox"
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}


class FileServer:
    """The server, in threads of the process that opens it.

    `url` is its address for browsers, `port` the port that it has got.

    Args:
        host: where it listens.
        port: its port. If it is taken, the next that is free, since links must lead to the same place after a restart; if none
            of the next is, any.
        folder: the folder of records, see `tasks/served_files.py`.

    Raises:
        UserMistake: nothing can be served on that host.
    """

    def __init__(self, host: str, port: int, folder: Path) -> None:
        handler = partial(_Handler, folder=folder, names=list_names(host))
        try:
            self._server = _listen(host, port, handler)
        except OSError as error:
            raise UserMistake(f"no files can be served on {host}: {error.strerror}; give another --host") from None
        shown = {"0.0.0.0": socket.gethostname(), "::": socket.gethostname()}.get(host, host)  # noqa: S104 - compared, not bound
        self.port = self._server.server_port
        self.url = f"http://{f'[{shown}]' if ':' in shown else shown}:{self.port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, name="file-server", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def list_names(host: str) -> frozenset[str]:
    """Return the names of this machine under which the server may be asked, besides addresses."""
    full_name = "" if host in LOOPBACK else socket.getfqdn()
    return frozenset(name.lower() for name in ("localhost", host, socket.gethostname(), full_name) if name)


def is_own_host(header: str | None, names: frozenset[str]) -> bool:
    """Return True if the Host header holds an address or one of these names: nobody else can make these lead here."""
    try:
        host = urlsplit(f"//{header or ''}").hostname or ""
        urlsplit(f"//{header}").port  # noqa: B018 - checks it
    except ValueError:
        return False
    if host.rstrip(".") in names:
        return True
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def split_address(target: str) -> tuple[UUID, str] | None:
    """Return the run and the name in the target of a request; None if it is no address of a file."""
    parts = target.partition("?")[0].split("/")
    try:
        _, run, name = parts
        run_id, decoded = UUID(run), unquote_to_bytes(name).decode()
    except ValueError:
        return None
    return (run_id, decoded) if parts[0] == "" and str(run_id) == run else None


class _Server(ThreadingHTTPServer):
    """Listens on one address, and gives each connection a thread."""

    daemon_threads = True

    def __init__(self, host: str, port: int, handler: "partial[_Handler]") -> None:
        self.address_family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        super().__init__((host, port), handler)

    def server_bind(self) -> None:
        """Bind without the look-up of the machine's full name, which takes long where it has none."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def handle_error(self, *request: object) -> None:
        """Pass over what a client that has gone away has broken; print the traceback of anything else."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(*request)  # type: ignore[arg-type]  # as socketserver gives them


def _listen(host: str, port: int, handler: "partial[_Handler]") -> _Server:
    """Return a server on that port or one of the next, else on any free one."""
    for each in range(port, port + NEXT_PORTS) if port else ():
        with suppress(OSError, OverflowError):
            return _Server(host, each, handler)
    return _Server(host, 0, handler)


class _Handler(BaseHTTPRequestHandler):
    """Answers the requests of one connection."""

    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS

    def __init__(self, *arguments: object, folder: Path, names: frozenset[str]) -> None:
        self._folder = folder
        self._names = names
        super().__init__(*arguments)  # type: ignore[arg-type]  # as socketserver gives them

    def do_GET(self) -> None:
        """Send the file that is asked for, to those who ask this machine for it."""
        if not is_own_host(self.headers["Host"], self._names):
            self.send_error(HTTPStatus.MISDIRECTED_REQUEST)
            return
        path = self._find_asked()
        file = _open_regular(path) if path else None
        if path is None or file is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        with file:
            try:
                self._send_head(path, os.fstat(file.fileno()).st_size)
                if self.command == "GET":
                    self.wfile.flush()
                    self.connection.sendfile(file)
            except OSError:  # the reader has gone, or takes nothing
                self.close_connection = True

    def do_HEAD(self) -> None:
        """Send the head that GET would send."""
        self.do_GET()

    def send_error(self, code: int, *_: object, **__: object) -> None:
        """Refuse the request in a line of plain text, which repeats nothing of the request, and close the connection."""
        if code == HTTPStatus.NOT_IMPLEMENTED:
            code = HTTPStatus.METHOD_NOT_ALLOWED
        content = f"{code} {HTTPStatus(code).phrase}\n".encode()
        self.close_connection = True
        with suppress(OSError):
            self.send_response(code)
            if code == HTTPStatus.METHOD_NOT_ALLOWED:
                self.send_header("Allow", "GET, HEAD")
            self._end_head(
                "text/plain; charset=utf-8", len(content), {"Content-Security-Policy": FILE_POLICY, "Connection": "close"}
            )
            if self.command != "HEAD":
                self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Print nothing: the terminal belongs to `mcqa serve`."""

    def version_string(self) -> str:
        """Return what the server calls itself."""
        return "mcqa"

    def _find_asked(self) -> Path | None:
        """Return the file that is asked for; None if no run has published it."""
        address = split_address(self.path)
        return find_published(self._folder, *address) if address else None

    def _send_head(self, path: Path, size_bytes: int) -> None:
        suffix = path.suffix.lower()
        kind = SHOWN.get(suffix) or SAVED.get(suffix, "application/octet-stream")
        headers = {"Content-Security-Policy": PAGE_POLICY if suffix == ".html" else FILE_POLICY}
        if suffix not in SHOWN:
            headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(path.name, safe='')}"
        self.send_response(HTTPStatus.OK)
        self._end_head(kind, size_bytes, headers)

    def _end_head(self, kind: str, size_bytes: int, headers: dict[str, str]) -> None:
        for name, value in {"Content-Type": kind, "Content-Length": str(size_bytes), **HEADERS, **headers}.items():
            self.send_header(name, value)
        self.end_headers()


def _open_regular(path: Path) -> BinaryIO | None:
    """Open the file, unless it is a link, a folder or a pipe by now."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError):
        return None
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return os.fdopen(descriptor, "rb")
    os.close(descriptor)
    return None
