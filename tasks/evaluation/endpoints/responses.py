"""What the body of a response with status 200 says: an answer, a refusal, a list of models, or nothing that can be used."""

import json
import math

from tasks.evaluation.endpoints.answer import Answer
from tasks.evaluation.endpoints.usage import read_usage
from tasks.evaluation.errors import Refused, UnusableReply
from tasks.evaluation.extraction.thinking import split_thinking
from tasks.evaluation.json_lines import JsonValue


def read_reply(content: bytes, *, role: str, seconds: float) -> Answer:
    """The answer in a chat completion; `role` names who gave it, `seconds` is how long that took.

    An answer that was cut (`finish_reason` length) is an answer as far as it goes.

    Raises:
        UnusableReply: it is no chat completion with a message.
        Refused: a content filter withheld the answer.
    """
    try:
        body: JsonValue = json.loads(content)
    except (ValueError, RecursionError):
        raise UnusableReply(f"the {role} answered with something that is no JSON") from None
    usage = read_usage(body.get("usage")) if isinstance(body, dict) else {}
    choices = body.get("choices") if isinstance(body, dict) else None
    first = choices[0] if isinstance(choices, list) and choices else None
    message = first.get("message") if isinstance(first, dict) else None
    if not isinstance(body, dict) or not isinstance(first, dict) or not isinstance(message, dict):
        raise UnusableReply(f"the {role} answered without a message", usage)
    finish_reason = _text_or_none(first.get("finish_reason"))
    text, thought = split_thinking(_join_parts(message.get("content")))
    text = text if text.strip() else ""
    if not text and finish_reason == "content_filter":
        raise Refused(f"the {role}'s content filter withheld the answer", usage)
    return Answer(
        text=text,
        # vLLM and OpenRouter have renamed it.
        reasoning=_text_or_none(message.get("reasoning_content")) or _text_or_none(message.get("reasoning")) or thought,
        usage=usage,
        finish_reason=finish_reason,
        response_model=_text_or_none(body.get("model")),
        seconds=seconds,
        token_logprobs=_first_token_logprobs(first.get("logprobs")),
    )


def read_models(content: bytes) -> list[str]:
    """The models' names in the answer to `GET /models`; none where it is anything else."""
    try:
        body: JsonValue = json.loads(content)
    except (ValueError, RecursionError):
        return []
    entries = body.get("data") if isinstance(body, dict) else None
    names = [entry.get("id") for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
    return [name for name in names if isinstance(name, str)]


def _first_token_logprobs(logprobs: JsonValue) -> dict[str, float] | None:
    """The likeliest first tokens with their logarithms; None where there are none."""
    tokens = logprobs.get("content") if isinstance(logprobs, dict) else None
    first = tokens[0] if isinstance(tokens, list) and tokens else None
    likeliest = first.get("top_logprobs") if isinstance(first, dict) else None
    found: dict[str, float] = {}
    for entry in likeliest if isinstance(likeliest, list) else []:
        token, logprob = (entry.get("token"), entry.get("logprob")) if isinstance(entry, dict) else (None, None)
        if isinstance(token, str) and isinstance(logprob, int | float) and math.isfinite(logprob):
            found[token] = logprob
    return found or None


def _join_parts(content: JsonValue) -> str:
    """A message's content as text; some servers send a list of parts."""
    if isinstance(content, list):
        texts = [part.get("text") for part in content if isinstance(part, dict)]
        return "".join(text for text in texts if isinstance(text, str))
    return content if isinstance(content, str) else ""


def _text_or_none(value: JsonValue) -> str | None:
    return value if isinstance(value, str) and value else None
