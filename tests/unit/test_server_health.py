"""A Prefect server behind TLS and a password can be used; a message names what it lacks before anything is started."""

import base64
import json
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from prefect import __version__
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_SSL_CERT_FILE, temporary_settings

from flows.serving import server_health
from flows.serving.server_health import require_server
from tasks.evaluation.errors import UserMistake
from tests.support.certificates import make_certificate

LOGIN = "lab:Zx7-cq"


class Handler(BaseHTTPRequestHandler):
    """Tells Prefect's version to who gives the password."""

    def do_GET(self) -> None:
        is_known = self.headers.get("Authorization") == f"Basic {base64.b64encode(LOGIN.encode()).decode()}"
        content = json.dumps(__version__ if is_known else {"exception_message": "Unauthorized"}).encode()
        self.send_response(200 if is_known else 401)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask again at once."""
    monkeypatch.setattr(server_health, "PAUSE_SECONDS", 0.0)


@pytest.fixture
def url(folder: Path) -> Iterator[str]:
    """Yield the address of a server that speaks HTTPS, with a certificate that it has signed itself."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(make_certificate(folder))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield f"https://127.0.0.1:{server.server_port}/api"
    server.shutdown()
    server.server_close()


def require(url: str) -> None:
    require_server(url, named_by="--server", otherwise="start it")


def test_a_server_behind_tls_and_a_password_can_be_used(url: str, folder: Path) -> None:
    """By Prefect's own settings, as for all that Prefect sends."""
    with temporary_settings({PREFECT_API_AUTH_STRING: LOGIN, PREFECT_API_SSL_CERT_FILE: str(folder / "certificate.pem")}):
        require(url)


def test_a_missing_certificate_is_named(url: str) -> None:
    with temporary_settings({PREFECT_API_AUTH_STRING: LOGIN}), pytest.raises(UserMistake, match="PREFECT_API_SSL_CERT_FILE"):
        require(url)


@pytest.mark.parametrize("given", [None, "lab:Wrong-9"])
def test_a_missing_password_is_named_and_not_repeated(url: str, folder: Path, given: str | None) -> None:
    settings = {PREFECT_API_AUTH_STRING: given, PREFECT_API_SSL_CERT_FILE: str(folder / "certificate.pem")}
    with temporary_settings(settings), pytest.raises(UserMistake, match=r"401 Unauthorized.*PREFECT_API_AUTH_STRING") as raised:
        require(url)
    assert "Wrong-9" not in str(raised.value)


def test_a_password_in_the_address_is_not_repeated() -> None:
    with pytest.raises(UserMistake, match=r"at http://\*\*\*@127.0.0.1:9/api \(--server\): .*refused; start it") as raised:
        require("http://lab:Zx7-cq@127.0.0.1:9/api")
    assert "Zx7" not in str(raised.value)
