"""A model server for tests: it speaks HTTP on loopback, answers by rule, and remembers what it was asked.

As a generator it answers question number n of `make_questions` with the letter n % 4; as a grader it compares the letters.
"""

import itertools
import json
import re
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

LETTERS = "ABCD"


@dataclass(frozen=True)
class Reply:
    """What the server sends back: all at once, byte by byte, or nothing if it drops the connection."""

    body: object = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    trickle_seconds: float = 0.0
    is_dropped: bool = False


Rule = Callable[[dict[str, Any]], Reply]


def completion(text: str | None, finish_reason: str = "stop", **message: str) -> Reply:
    """Return a chat completion with this text."""
    return Reply(
        {
            "model": "fake",
            "choices": [{"message": {"role": "assistant", "content": text, **message}, "finish_reason": finish_reason}],
            "usage": {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12},
        }
    )


def error(status: int, message: str, code: str | None = None, **headers: str) -> Reply:
    """Return a failure in the form of OpenAI's API."""
    return Reply({"error": {"message": message, "code": code, "type": "invalid_request_error"}}, status, headers)


def prompt_of(body: dict[str, Any]) -> str:
    """Return the first user message."""
    return next(str(message["content"]) for message in body["messages"] if message["role"] == "user")


def is_grader(body: dict[str, Any]) -> bool:
    """Return True if the request asks for a grade."""
    return "\nReference Answer: " in prompt_of(body)


def answer_by_rule(body: dict[str, Any]) -> Reply:
    """Answer a request by the default rule."""
    prompt = prompt_of(body)
    if not is_grader(body):
        number = re.search(r"Question (\d+)", prompt)
        return completion(f"The answer is {LETTERS[int(number[1]) % 4]}." if number else "Paris")
    reference, answer = re.search(r"Reference Answer: (\S+)", prompt), re.search(r"Model Answer: .*?(\S+?)\.?$", prompt)
    assert reference
    assert answer
    score = int(reference[1].strip(")") == answer[1])
    return completion(
        json.dumps({"score": score, "reasoning": "", "reference_choice": reference[1], "model_choice": answer[1]})
    )


class FakeEndpoint:
    """The server; `rule` may be replaced at any time, and `admits`, which decides by the key whether `rule` is asked at all.

    `when_listing` is called before the models are listed.

    With a certificate, a file that also holds its key, it speaks HTTPS.
    """

    def __init__(self, port: int = 0, *, certificate: Path | None = None) -> None:
        self.rule: Rule = answer_by_rule
        self.models = Reply(status=404)
        self.when_listing: Callable[[], object] = lambda: None
        self.admits: Callable[[str], bool] = lambda _: True
        self.delay_seconds = 0.0
        self.bodies: list[dict[str, Any]] = []
        self.keys: set[str] = set()
        self.cookies: set[str | None] = set()
        self.refused_count = 0
        self.paths: set[str] = set()
        self.most_in_flight = 0
        self._in_flight = 0
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._make_handler())
        self._server.daemon_threads = True
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = f"{'https' if certificate else 'http'}://127.0.0.1:{self._server.server_port}/v1"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def asked(self, *, grader: bool = False) -> "Counter[str]":
        """Return how often each prompt was sent, to the generator or to the grader."""
        return Counter(prompt_of(body) for body in list(self.bodies) if is_grader(body) == grader)

    def forget(self) -> None:
        """Forget what was asked."""
        self.bodies.clear()

    def _reply(self, body: dict[str, Any]) -> Reply:
        with self._lock:
            self.bodies.append(body)
            self._in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self._in_flight)
        time.sleep(self.delay_seconds)
        with self._lock:
            self._in_flight -= 1
        return self.rule(body)

    def _refuse(self, key: str) -> Reply:
        with self._lock:
            self.refused_count += 1
        return error(401, f"this is not the key: {key}")

    def _make_handler(self) -> type[BaseHTTPRequestHandler]:
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # else each reply waits 40 ms for the acknowledgement of its headers

            def do_GET(self) -> None:
                endpoint.when_listing()
                self._send(
                    endpoint.models if self.path.endswith("/models") else Reply(status=200 if "/health" in self.path else 404)
                )

            def do_POST(self) -> None:
                key = str(self.headers["Authorization"])
                endpoint.keys.add(key)
                endpoint.cookies.add(self.headers["Cookie"])
                endpoint.paths.add(self.path)
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self._send(endpoint._reply(body) if endpoint.admits(key) else endpoint._refuse(key))

            def _send(self, reply: Reply) -> None:
                self.close_connection = reply.is_dropped
                if reply.is_dropped:
                    return
                content = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
                self.send_response(reply.status)
                for name, value in {"Content-Type": "application/json", **reply.headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                with suppress(ConnectionError):  # the client may have given up
                    if not reply.trickle_seconds:
                        self.wfile.write(content)
                        return
                    for byte in content:
                        self.wfile.write(bytes([byte]))
                        time.sleep(reply.trickle_seconds)

            def log_message(self, *_: object) -> None:
                """Print nothing."""

        return Handler


def hold_back(endpoint: FakeEndpoint, after: int) -> threading.Event:
    """Make the endpoint withhold all replies after the first `after` until the event is set; return the event."""
    release, replies = threading.Event(), itertools.count(1)

    def rule(body: dict[str, Any]) -> Reply:
        if next(replies) > after:
            release.wait(60)
        return answer_by_rule(body)

    endpoint.rule = rule
    return release


def wait_until(holds: Callable[[], bool]) -> None:
    """Wait until the condition holds."""
    deadline = time.monotonic() + 150
    while not holds():
        assert time.monotonic() < deadline, "what the test waits for did not come"
        time.sleep(0.01)


def make_questions(count: int, first: int = 1) -> list[dict[str, str]]:
    """Return questions in the documented form; every third reference differs from what the server answers."""
    numbers = range(first, first + count)
    return [
        {
            "question": f"Question {n}: which of these is it?\nA) one {n}\nB) two {n}\nC) three {n}\nD) four {n}",
            "answer": f"{LETTERS[(n + (n % 3 == 0)) % 4]})",
        }
        for n in numbers
    ]


def right_count(count: int) -> int:
    """Return how many of `make_questions(count)` the server answers right."""
    return count - count // 3


def write_questions(folder: Path, questions: object, name: str = "exam.json") -> Path:
    """Write a file of questions into the folder; return its path."""
    path = folder / name
    path.write_text(json.dumps(questions), encoding="utf-8")
    return path


def write_config(folder: Path, url: str, *, name: str = "config.yaml", grader: bool = False, **processing: object) -> str:
    """Write a configuration that asks the server, with these settings of `processing`; return its name."""
    lines = [
        "questions_file: exam.json",
        "model:",
        "  generator: {generator_type: openai}",
        f"  generator_settings: {{model: fake, base_url: '{url}', api_key: '${{FAKE_KEY}}'}}",
        *(["  grader_shortname: judge"] if grader else []),
        f"processing: {json.dumps({'parallel_workers': 8, **processing})}",
        "output: {output_directory: out, output_prefix: exam}",
    ]
    (folder / name).write_text("\n".join(lines))
    servers = {"shortname": "judge", "openai_api_base": url, "openai_model": "judge-1", "openai_api_key": "${FAKE_KEY}"}
    (folder / "model_servers.yaml").write_text(json.dumps({"servers": [servers]}))
    return name
