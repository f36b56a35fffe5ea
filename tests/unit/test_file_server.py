"""The file server of `mcqa serve`: it shows what runs have published, and nothing else, whatever it is asked."""

import os
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from urllib.parse import quote
from uuid import UUID

import pytest

from flows.commands.serve import make_server
from flows.serving.file_server import FileServer, is_own_host, list_names
from tasks.evaluation.errors import UserMistake
from tasks.served_files import FOLDER_VARIABLE, URL_VARIABLE, FileService

RUN = UUID("11111111-2222-4333-8444-555555555555")
OTHER = UUID("99999999-2222-4333-8444-555555555555")


@dataclass
class Served:
    """A server, its records, and the folder with the results of the run that has published them."""

    url: str
    records: Path
    out: Path

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def publish(self, *names: str, run: UUID = RUN) -> dict[str, str]:
        service = FileService.find({URL_VARIABLE: self.url, FOLDER_VARIABLE: str(self.records)})
        assert service
        return service.publish(run, {name: self.out / name for name in names})

    def ask(self, target: str, method: str = "GET", host: str = "") -> tuple[HTTPResponse, bytes]:
        """Send this very target, as no browser would let itself be told; return the response and its body."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        connection.putheader("Host", host or f"127.0.0.1:{self.port}")
        connection.endheaders()
        response = connection.getresponse()
        body = response.read()
        connection.close()
        return response, body


@pytest.fixture
def served(folder: Path) -> Iterator[Served]:
    """Serve a folder with results in `out` and a secret beside it, on a free port."""
    (folder / "out").mkdir()
    (folder / "out" / "exam.json").write_text('{"results": []}')
    (folder / "out" / "exam.html").write_text("<script>1</script>")
    (folder / "secret.json").write_text("secret")
    with FileServer("127.0.0.1", 0, folder / "records") as server:
        yield Served(server.url, folder / "records", (folder / "out").resolve())


def test_what_a_run_has_published_is_shown(served: Served) -> None:
    """At the address that the run gives, with its type and headers that keep a browser from guessing."""
    links = served.publish("exam.json", "exam.html")
    assert links["exam.json"] == f"{served.url}/{RUN}/exam.json"
    response, body = served.ask(f"/{RUN}/exam.json?x=1")
    assert (response.status, body) == (200, b'{"results": []}')
    assert response.headers["Content-Type"] == "application/json; charset=utf-8"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]


def test_a_page_keeps_its_own_policy(served: Served) -> None:
    """The server's forbids what a page cannot forbid itself, and no script that the page allows."""
    served.publish("exam.html")
    response, _ = served.ask(f"/{RUN}/exam.html")
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
    assert "script-src" not in response.headers["Content-Security-Policy"]
    assert "default-src" not in response.headers["Content-Security-Policy"]


@pytest.mark.parametrize(("name", "kind"), [("a.csv", "text/csv; charset=utf-8"), ("a.svg", "application/octet-stream")])
def test_what_is_no_page_and_no_json_is_saved(served: Served, name: str, kind: str) -> None:
    """A type that the server does not know is never shown."""
    (served.out / name).write_text("<svg onload=alert(1)>")
    served.publish(name)
    response, _ = served.ask(f"/{RUN}/{name}")
    assert response.headers["Content-Type"] == kind
    assert response.headers["Content-Disposition"] == f"attachment; filename*=UTF-8''{name}"


def test_a_name_may_hold_any_character(served: Served) -> None:
    """The address is encoded; a line break reaches no header."""
    name = "é a\r\nX-Evil: 1%2f?.csv"
    (served.out / name).write_text("1")
    links = served.publish(name)
    response, body = served.ask(links[name].removeprefix(served.url))
    assert (response.status, body, response.headers["X-Evil"]) == (200, b"1", None)


def test_head_sends_no_body(served: Served) -> None:
    """But the length that it would have."""
    served.publish("exam.json")
    response, body = served.ask(f"/{RUN}/exam.json", "HEAD")
    assert (response.status, response.headers["Content-Length"], body) == (200, "15", b"")


@pytest.mark.parametrize(
    "target",
    [
        "/",
        f"/{RUN}",
        f"/{RUN}/",
        f"/{RUN}/../secret.json",
        f"/{RUN}/..%2fsecret.json",
        f"/{RUN}/..%2Fsecret.json",
        f"/{RUN}/%2e%2e%2fsecret.json",
        f"/{RUN}/%252e%252e%252fsecret.json",
        f"/{RUN}/..%5csecret.json",
        f"/{RUN}/%00",
        f"/{RUN}/exam.json%00",
        f"/{RUN}/exam.json%00.html",
        f"/{RUN}/exam.json/",
        f"/{RUN}//exam.json",
        f"/x/../{RUN}/exam.json",
        f"/{RUN}/EXAM.JSON",
        f"/{RUN}/%ff",
        f"/{RUN}/.",
        f"/{RUN}/..",
        f"/{OTHER}/exam.json",
        f"/{str(RUN).replace('-', '')}/exam.json",
        f"/{{{RUN}}}/exam.json",
        "/../records/x/exam.json",
        "/%2e%2e/records",
        "/etc/passwd",
        f"/{RUN}/{'x' * 5000}",
        f"http://127.0.0.1/{RUN}/exam.json",
        "*",
        f"/{RUN}.json/exam.json",
    ],
)
def test_nothing_else_is_found(served: Served, target: str) -> None:
    """No parent, no encoded slash, no NUL, no listing, no other run, no other form of an id."""
    served.publish("exam.json")
    response, body = served.ask(target)
    assert (response.status, body) == (404, b"404 Not Found\n")


def test_a_link_is_not_followed(served: Served) -> None:
    """A file or folder that has become one since it was published could lead anywhere."""
    served.publish("exam.json")
    (served.out / "exam.json").unlink()
    (served.out / "exam.json").symlink_to(served.out.parent / "secret.json")
    assert served.ask(f"/{RUN}/exam.json")[0].status == 404
    served.publish("exam.html")
    served.out.rename(served.out.parent / "moved")
    served.out.symlink_to(served.out.parent / "moved")
    assert served.ask(f"/{RUN}/exam.html")[0].status == 404


def test_what_is_no_file_any_more_is_not_found(served: Served) -> None:
    """A pipe would hold the server up, a folder would list its names."""
    served.publish("exam.json", "exam.html")
    (served.out / "exam.json").unlink()
    os.mkfifo(served.out / "exam.json")
    (served.out / "exam.html").unlink()
    (served.out / "exam.html").mkdir()
    assert served.ask(f"/{RUN}/exam.json")[0].status == 404
    assert served.ask(f"/{RUN}/exam.html")[0].status == 404


@pytest.mark.parametrize("record", ["", "[]", '{"exam.json": 7}', '{"exam.json": null}', "\x00", '{"exam.json": "rel.json"}'])
def test_a_damaged_record_shows_nothing(served: Served, record: str) -> None:
    """Nor does a path in it that is not a full one."""
    served.records.mkdir()
    (served.records / f"{RUN}.json").write_text(record)
    assert served.ask(f"/{RUN}/exam.json")[0].status == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get"])
def test_only_reading_is_allowed(served: Served, method: str) -> None:
    """And the refusal says what is."""
    served.publish("exam.json")
    response, _ = served.ask(f"/{RUN}/exam.json", method)
    assert (response.status, response.headers["Allow"]) == (405, "GET, HEAD")
    assert (served.out / "exam.json").exists()


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "@", "[", "::1"])
def test_a_foreign_name_for_this_machine_is_refused(served: Served, host: str) -> None:
    """A page of that name could otherwise read the files in its visitor's browser."""
    served.publish("exam.json")
    response, body = served.ask(f"/{RUN}/exam.json", host=host)
    assert (response.status, body) == (421, b"421 Misdirected Request\n")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:9", "localhost:4201", "LOCALHOST", "[::1]:4201", "10.0.0.7", "lab"])
def test_addresses_and_own_names_are_accepted(host: str) -> None:
    """With any port: a tunnel may have another."""
    assert is_own_host(host, list_names("lab"))


def test_a_request_without_a_host_is_refused(served: Served) -> None:
    """Of whatever version of HTTP; the server lives on."""
    served.publish("exam.json")
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as client:
        client.sendall(f"GET /{RUN}/exam.json HTTP/1.0\r\n\r\n".encode())
        assert client.recv(100).startswith(b"HTTP/1.1 421")
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as client:
        client.sendall(b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n")
        assert b"results" not in client.recv(100)
    assert served.ask(f"/{RUN}/exam.json")[0].status == 200


def test_a_later_publication_replaces_the_earlier(served: Served) -> None:
    """As a retry's artifacts do; other runs keep theirs."""
    served.publish("exam.json")
    served.publish("exam.json", run=OTHER)
    served.publish("exam.html")
    assert served.ask(f"/{RUN}/exam.json")[0].status == 404
    assert served.ask(f"/{OTHER}/exam.json")[0].status == 200


def test_a_taken_port_is_replaced_by_one_of_the_next(served: Served, folder: Path) -> None:
    """Two installations can run side by side, and each gets the same port again after a restart, so that its links last."""
    with FileServer("127.0.0.1", served.port, folder / "records") as other:
        port = other.port
        assert served.port < port < served.port + 10
    with FileServer("127.0.0.1", served.port, folder / "records") as again:
        assert (again.port, again.url) == (port, f"http://127.0.0.1:{port}")


def test_a_port_beyond_the_last_is_replaced_by_a_free_one(folder: Path) -> None:
    """That of a UI on the very last port."""
    with FileServer("127.0.0.1", 65_536, folder / "records") as server:
        assert 0 < server.port <= 65_535


def test_a_ui_on_the_port_where_another_shows_its_reports_is_a_mistake(served: Served, folder: Path) -> None:
    """As with `mcqa serve --port 4201` beside one on 4200; the message says why that port is taken."""
    with pytest.raises(UserMistake, match=r"127\.0\.0\.1:\d+ \(Address already in use\).* Each mcqa serve takes two ports"):
        make_server("127.0.0.1", served.port, folder)


def test_a_run_that_no_server_has_started_publishes_nothing() -> None:
    """Nor one of a worker elsewhere, whose files are not here."""
    assert FileService.find({}) is None
    assert FileService.find({URL_VARIABLE: "http://127.0.0.1:1"}) is None


def test_the_address_of_a_name_is_quoted(served: Served) -> None:
    """So that Markdown and browsers take it as one."""
    (served.out / "a b).json").touch()
    assert served.publish("a b).json")["a b).json"] == f"{served.url}/{RUN}/{quote('a b).json')}"


def test_a_reader_that_goes_away_breaks_nothing(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    """In the middle of a large file; the terminal shows nothing of it, and others are served."""
    with (served.out / "big.json").open("wb") as big:
        big.truncate(50_000_000)
    served.publish("big.json", "exam.json")
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as client:
        client.sendall(f"GET /{RUN}/big.json HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        assert client.recv(12) == b"HTTP/1.1 200"
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert served.ask(f"/{RUN}/exam.json")[0].status == 200
    assert capsys.readouterr().err == ""
