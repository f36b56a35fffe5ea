"""Chat messages: as an endpoint takes them, and the parts of those that it sends back.

A message's content is a text, or a list of parts. A model's reasoning is in members that each server names in its own way, or
in separate parts; it is never read as the answer.
"""

import json
from collections.abc import Iterator
from typing import Literal, TypedDict

from tasks.evaluation.json_lines import JsonObject, JsonValue

TEXT_PARTS = (None, "text", "output_text")
THOUGHT_PARTS = ("reasoning", "thinking", "thought", "redacted_thinking", "reasoning.text", "reasoning.summary", "summary_text")
THOUGHT_FIELDS = ("reasoning_content", "reasoning", "thinking", "thinking_content", "reasoning_details")
PART_TEXTS = ("text", "thinking", "reasoning", "summary", "content")
MOST_NESTED = 4


class Message(TypedDict):
    """One message of a chat."""

    role: Literal["system", "user", "assistant"]
    content: str


def join_text(content: JsonValue) -> str:
    """Return what a message's content says, without its parts for reasoning, refusals and tool calls."""
    return "".join(part if isinstance(part, str) else _part_text(part) for part in _list_parts(content))


def join_reasoning(message: JsonObject) -> str | None:
    """Return what the model thought, from the first place that holds any of it; None if no place does."""
    thoughts = ("".join(_list_texts(message.get(name))) for name in THOUGHT_FIELDS)
    in_parts = "".join(
        text
        for part in _list_parts(message.get("content"))
        if isinstance(part, dict) and part.get("type") in THOUGHT_PARTS
        for text in _list_texts(part)
    )
    return next((thought for thought in thoughts if thought.strip()), None) or in_parts or None


def read_refusal(message: JsonObject) -> str | None:
    """Return the words with which the model declined, from the message or a part of it; None if it did not decline."""
    parts = [part for part in _list_parts(message.get("content")) if isinstance(part, dict)]
    refusals = [message.get("refusal"), *(part.get("refusal") for part in parts)]
    return next((refusal for refusal in refusals if isinstance(refusal, str) and refusal.strip()), None)


def read_tool_call(message: JsonObject) -> str | None:
    """Return the first tool call, as its name and arguments; None if no tool was called."""
    calls = message.get("tool_calls")
    first = calls[0] if isinstance(calls, list) and calls else message.get("function_call")
    function = first.get("function", first) if isinstance(first, dict) else None
    if not isinstance(function, dict):
        return None
    arguments = function.get("arguments")
    return f"{function.get('name')}({arguments if isinstance(arguments, str) else json.dumps(arguments)})"


def _list_parts(content: JsonValue) -> list[JsonValue]:
    return content if isinstance(content, list) else [content] if content else []


def _part_text(part: JsonValue) -> str:
    is_text = isinstance(part, dict) and part.get("type") in TEXT_PARTS
    text = part.get("text") if isinstance(part, dict) and is_text else None
    return text if isinstance(text, str) else ""


def _list_texts(value: JsonValue, depth: int = 0) -> Iterator[str]:
    """Yield the texts of a thought, which may be nested in parts."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list) and depth < MOST_NESTED:
        for item in value:
            yield from _list_texts(item, depth + 1)
    elif isinstance(value, dict) and depth < MOST_NESTED:
        found = next((value[name] for name in PART_TEXTS if value.get(name)), None)
        yield from _list_texts(found, depth + 1)
