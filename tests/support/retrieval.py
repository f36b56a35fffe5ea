"""Twelve questions about a corpus of 400 chunks, an encoder behind an endpoint, and what is found directly."""

from typing import Any

from tests.support.corpora import embed, embeddings, make_vectors, search_directly
from tests.support.fake_endpoint import (
    FakeEndpoint,
    Reply,
    error,
    make_questions,
)

COUNT, TOP_K = 12, 3
TOO_LONG = "This model's maximum context length is 4096 tokens. Please reduce the length of the messages."
VECTORS = make_vectors(400)
# Question n is about chunk 10 n, as `embed` knows; every second record names another.
QUESTIONS = [
    {**question, "source_chunk_id": n * 10 if n % 2 else n * 10 + 1}
    for n, question in enumerate(make_questions(COUNT), start=1)
]


class Encoder(FakeEndpoint):
    """Encodes texts; `texts` are those that it was sent, `refuses` is a word in texts that it declines."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.refuses = "no such word"
        self.rule = self.encode

    def encode(self, body: dict[str, Any]) -> Reply:
        if any(self.refuses in text for text in body["input"]):
            return error(400, "this is not encoded")
        self.texts += body["input"]
        return embeddings([embed(text, VECTORS) for text in body["input"]])


def find_directly(number: int, count: int = TOP_K) -> list[int]:
    return search_directly(VECTORS, embed(str(QUESTIONS[number - 1]["question"]), VECTORS), count)


def context_of(number: int, count: int = TOP_K) -> str:
    return "\n\n".join(f"Chunk {place} says." for place in find_directly(number, count))


def prompts(endpoint: FakeEndpoint) -> list[str]:
    return sorted(endpoint.asked(), key=lambda text: int(text.split("Question ")[-1].split(":")[0]))
