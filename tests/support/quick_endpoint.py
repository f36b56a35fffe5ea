"""A model server for benchmarks, in a process of its own: it takes a tenth of the time that a client takes to ask it.

It answers question number n of `make_long_questions` with the letter n % 4, and grades such answers. It looks for nothing in a
request but its length, the number and whether it asks for a grade, and sends replies that were made beforehand.

A reply can take a while: for each question and role always the same time, drawn from a lognormal distribution, so that the time
that a run with a number of workers takes at least can be computed; or for all the same time, where the slowest few would hide
the others.
"""

import asyncio
import heapq
import json
import math
import multiprocessing
import random
import re
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from multiprocessing.connection import Connection

LETTERS = "ABCD"
LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
NUMBER = re.compile(rb"Question (\d+)")
GRADER_MARK = b"Reference Answer: "
HEAD_END = b"\r\n\r\n"
# Together with its fields, a result of 1.6 kB.
STEM = "Each option is weighed against what the stem says before one is chosen. " * 7
REPLY = "It follows from the stem that this one is right. " * 8
# The lognormal distribution's shape: the slowest of a hundred replies takes about six times the mean.
SIGMA = 1.0
GENERATOR, GRADER = "generator", "grader"


def make_long_questions(count: int) -> list[dict[str, str]]:
    """Return questions of 700 characters; every third reference differs from what the server answers."""
    return [
        {
            "question": f"Question {n}: {STEM}\nA) the first {n}\nB) the second {n}\nC) the third {n}\nD) the fourth {n}",
            "answer": LETTERS[(n + (n % 3 == 0)) % 4],
        }
        for n in range(1, count + 1)
    ]


def choose_delay(number: int, role: str, mean_seconds: float, sigma: float = SIGMA) -> float:
    """Return how long the reply to this question takes."""
    if not mean_seconds or not sigma:
        return mean_seconds
    return mean_seconds * math.exp(random.Random(f"{number} {role}").gauss(-(sigma**2) / 2, sigma))


def simulate_seconds(count: int, roles: tuple[str, ...], workers: int, mean_seconds: float) -> float:
    """Return the time from the first request to the last reply if nothing but the replies took any."""
    free_at = [0.0] * workers
    for number in range(1, count + 1):
        delay = sum(choose_delay(number, role, mean_seconds) for role in roles)
        heapq.heapreplace(free_at, free_at[0] + delay)
    return max(free_at)


@dataclass
class Traffic:
    """What the server has seen since it was last asked to forget."""

    requests: int = 0
    different: int = 0
    """Requests without those that repeat an earlier one's question and role."""
    first: float = 0.0
    last: float = 0.0
    most_in_flight: int = 0
    in_flight: int = field(default=0, repr=False)

    @property
    def seconds(self) -> float:
        """Return the time from the first request to the last reply."""
        return self.last - self.first

    @property
    def asked_again(self) -> int:
        """Return how many requests have repeated an earlier one."""
        return self.requests - self.different


def make_reply(text: str) -> bytes:
    """Return a whole response with a chat completion of this text."""
    body = json.dumps(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1_700_000_000,
            "model": "quick",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 180, "completion_tokens": 90, "total_tokens": 270},
        }
    ).encode()
    return make_response(b"200 OK", body)


def make_response(status: bytes, body: bytes) -> bytes:
    """Return a whole response."""
    return b"HTTP/1.1 %b\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (status, len(body), body)


ANSWERS = [make_reply(f"{REPLY}\nANSWER: {letter}") for letter in LETTERS]
VERDICTS = [make_reply(json.dumps({"score": score, "reasoning": REPLY})) for score in (0, 1)]
NOT_FOUND = make_response(b"404 Not Found", b"{}")


class Exchange(asyncio.Protocol):
    """One connection, whose requests come one after another."""

    def __init__(self, traffic: list[Traffic], seen: set[tuple[int, bool]], mean_seconds: float, sigma: float) -> None:
        self._traffic = traffic
        self._seen = seen
        self._mean_seconds = mean_seconds
        self._sigma = sigma
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer the request once it is there as a whole."""
        received = self._received = self._received + data
        end = received.find(HEAD_END)
        if end < 0:
            return
        length = LENGTH.search(received, 0, end + 2)
        if len(received) >= end + len(HEAD_END) + (int(length[1]) if length else 0):
            self._received = b""
            self._answer(received)

    def _answer(self, request: bytes) -> None:
        if not request.startswith(b"POST"):
            self._transport.write(self._describe(request))
            return
        traffic = self._traffic[0]
        traffic.first = traffic.first or time.monotonic()
        traffic.requests += 1
        traffic.in_flight += 1
        traffic.most_in_flight = max(traffic.most_in_flight, traffic.in_flight)
        number = int(found[1]) if (found := NUMBER.search(request)) else 0
        is_grader = GRADER_MARK in request
        self._seen.add((number, is_grader))
        traffic.different = len(self._seen)
        reply = VERDICTS[number % 3 != 0] if is_grader else ANSWERS[number % 4]
        delay = choose_delay(number, GRADER if is_grader else GENERATOR, self._mean_seconds, self._sigma)
        if delay:
            asyncio.get_running_loop().call_later(delay, self._send, reply)
        else:
            self._send(reply)

    def _send(self, reply: bytes) -> None:
        traffic = self._traffic[0]
        traffic.in_flight -= 1
        traffic.last = time.monotonic()
        self._transport.write(reply)

    def _describe(self, request: bytes) -> bytes:
        """Return what was seen; `/traffic` forgets it, `/traffic/so-far` does not."""
        if not request.startswith(b"GET /traffic"):
            return NOT_FOUND
        traffic = self._traffic[0]
        if not request.startswith(b"GET /traffic/so-far"):
            self._traffic[0] = Traffic()
            self._seen.clear()
        return make_response(b"200 OK", json.dumps(asdict(traffic)).encode())


async def serve(connection: Connection, mean_seconds: float, sigma: float) -> None:
    """Serve on a free port until the process is ended, and send the port."""
    traffic, seen = [Traffic()], set[tuple[int, bool]]()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Exchange(traffic, seen, mean_seconds, sigma), "127.0.0.1", 0)
    connection.send(server.sockets[0].getsockname()[1])
    await server.serve_forever()


def run_server(connection: Connection, mean_seconds: float, sigma: float) -> None:
    """Serve in this process."""
    asyncio.run(serve(connection, mean_seconds, sigma))


@contextmanager
def quick_endpoint(mean_seconds: float = 0.0, sigma: float = SIGMA) -> Iterator[str]:
    """Serve in a process of its own while the block runs, and yield its address, up to /v1."""
    ours, theirs = multiprocessing.Pipe()
    arguments = (theirs, mean_seconds, sigma)
    serving = multiprocessing.get_context("spawn").Process(target=run_server, args=arguments, daemon=True)
    serving.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}/v1"
    finally:
        serving.terminate()
        serving.join()


def take_traffic(url: str) -> Traffic:
    """Return what the server at the address has seen since this was last called."""
    return _read_traffic(url, "/traffic")


def look_at_traffic(url: str) -> Traffic:
    """Return what `take_traffic` would return, and leave it there."""
    return _read_traffic(url, "/traffic/so-far")


def _read_traffic(url: str, path: str) -> Traffic:
    with urllib.request.urlopen(url.removesuffix("/v1") + path) as response:
        return Traffic(**json.load(response))
