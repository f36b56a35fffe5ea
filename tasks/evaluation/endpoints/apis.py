"""The two kinds of requests that an endpoint can take: chats, and texts to make into vectors."""

from typing import Literal

Api = Literal["chat", "embeddings"]
# The path below the address, and the member that holds what is asked.
REQUESTS: dict[Api, tuple[str, str]] = {"chat": ("/chat/completions", "messages"), "embeddings": ("/embeddings", "input")}
WORDS: dict[Api, str] = {"chat": "chat completions", "embeddings": "embeddings"}
